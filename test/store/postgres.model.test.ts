import { afterAll } from 'vitest'
import { type SharedDatabase, sharedDatabase } from './postgres-kit.ts'
import { storeModelContract } from './store-model.contract.ts'

let database: SharedDatabase | undefined
afterAll(() => database?.drop())

storeModelContract(
  'PostgreSQL',
  async () => {
    database ??= await sharedDatabase()
    return { ...(await database.place()), remove: async () => {} }
  },
  15,
)
