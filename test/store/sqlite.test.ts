import { join } from 'node:path'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { storeContract } from './contract.ts'
import { temporaryFolder } from './store-kit.ts'

storeContract('SQLite', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  return { open: () => openSqliteStore({ file }) }
})
