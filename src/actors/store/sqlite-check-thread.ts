/**
 * Checks a SQLite file in a thread of its own: SQLite reads all of it in one statement, which takes seconds for a large one.
 *
 * - checking: the thread reads. Given up, it ends after the statement that is under way.
 * - over: it has told, failed or was given up. The thread is gone.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { entryFile } from '../remote/entry-file.ts'
import type { CheckAnswer, CheckFile } from './sqlite-check-entry.ts'
import type { StoreCheck } from './store.ts'
import { StoreError } from './store-error.ts'

/** @param signal - gives it up: rejects with its reason */
export async function checkInThread(file: CheckFile, signal: AbortSignal): Promise<StoreCheck> {
  signal.throwIfAborted()
  const worker = new Worker(entryFile('../store/sqlite-check-entry'), {
    workerData: file,
    name: 'stateward:doctor',
  })
  try {
    // Rejects with what the thread has thrown, too.
    const [answer] = (await once(worker, 'message', { signal })) as [CheckAnswer]
    if ('found' in answer) return answer.found
    throw new StoreError(answer.code, answer.message)
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    await worker.terminate()
  }
}
