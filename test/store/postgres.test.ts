import { afterAll } from 'vitest'
import { storeContract } from './contract.ts'
import { type SharedDatabase, sharedDatabase } from './postgres-kit.ts'

let database: SharedDatabase | undefined
afterAll(() => database?.drop())

storeContract('PostgreSQL', async () => {
  database ??= await sharedDatabase()
  return database.place()
})
