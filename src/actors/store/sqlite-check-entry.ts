/** The thread in which `doctor` reads a large SQLite file: as long as that takes, nobody else waits for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { type InspectedFile, inspectStore } from './sqlite-check.ts'
import { SqliteConnection } from './sqlite-driver.ts'
import type { StoreCheck } from './store.ts'
import { StoreError, type StoreErrorCode } from './store-error.ts'

/** What it is given. */
export interface CheckFile extends InspectedFile {
  readonly busyLimitMs: number
}

/** What it tells: classes of errors do not cross threads. */
export type CheckAnswer =
  | { readonly found: StoreCheck }
  | { readonly code: StoreErrorCode; readonly message: string }

async function check({ busyLimitMs, ...file }: CheckFile): Promise<CheckAnswer> {
  try {
    const connection = await SqliteConnection.open(file.file, { busyLimitMs })
    try {
      return { found: await connection.read((sql) => inspectStore(sql, file)) }
    } finally {
      connection.close()
    }
  } catch (error) {
    if (error instanceof StoreError) return { code: error.code, message: error.message }
    throw error
  }
}

parentPort?.postMessage(await check(workerData as CheckFile))
