/**
 * One process at a time works on a job: who holds the lock, a database beside the queue with an open write transaction.
 * Its end gives it free, also a `kill -9`; nothing is left that could be in the way later.
 *
 * - free: whoever begins a transaction holds it.
 * - held: others fail to begin one, and read in it the pid of the holder.
 */

import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from './options.ts'

/** How long a process that was killed may need to be gone. */
const DYING_MS = 1_000
const LOOK_MS = 20
/** SQLITE_BUSY. */
const BUSY = 5

export class JobLock implements Disposable {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** @throws UsageError when another process holds it */
  static async take(file: string): Promise<JobLock> {
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      for (const lateAt = performance.now() + DYING_MS; !tryToHold(database); await sleep(LOOK_MS))
        if (performance.now() >= lateAt)
          throw new UsageError(`Process ${holderIn(database)} is at work on this directory already.`)
      return new JobLock(database)
    } catch (error) {
      database.close()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

/** @returns whether it is held now */
function tryToHold(database: DatabaseSync): boolean {
  try {
    // What is told to others must be committed; between the two transactions another may come, and tells its own.
    database.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${process.pid}; COMMIT; BEGIN IMMEDIATE`)
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== BUSY) throw error
    if (database.isTransaction) database.exec('ROLLBACK')
    return false
  }
}

function holderIn(database: DatabaseSync): number {
  // It may be writing that just now.
  database.exec(`PRAGMA busy_timeout = ${DYING_MS}`)
  const { user_version: pid } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  return pid
}
