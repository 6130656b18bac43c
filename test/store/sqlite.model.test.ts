import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { storeModelContract } from './store-model.contract.ts'

storeModelContract(
  'SQLite',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stateward-store-'))
    return {
      open: () => openSqliteStore({ file: join(folder, 'tasks.db') }),
      remove: () => rm(folder, { recursive: true }),
    }
  },
  60,
)
