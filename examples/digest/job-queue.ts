/**
 * The queue of a job: one SQLite file per tree, for one process at a time. An unfinished job in it goes on; a
 * finished one, whose report is written, makes room for the next.
 */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openQueue, type Queue } from '../../src/runtime/durable/index.ts'
import { type BytePath, toBytePath } from './byte-path.ts'
import { JobLock } from './job-lock.ts'
import { type Options, UsageError } from './options.ts'
import { REPORT_ID, rootId } from './tasks.ts'

interface Job {
  readonly queue: Queue
  /** There is an unfinished job in it. */
  readonly isUnderWay: boolean
}

export interface JobQueue extends Job, AsyncDisposable {}

/** @throws UsageError when the file cannot be used, or another process works on it */
export async function openJobQueue({ directory, state, fresh }: Options): Promise<JobQueue> {
  const name = `digest-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`
  const file = join(state, `${name}.db`)
  try {
    // Two programs could share the work, but each would write a report of it.
    const lock = await JobLock.take(join(state, `${name}.lock`))
    try {
      return closing(await openJob(file, toBytePath(directory), fresh), lock)
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { message } = error as Error
    throw new UsageError(`Cannot keep the job in ${file}: ${message} Another folder: --state DIR.`, {
      cause: error,
    })
  }
}

async function openJob(file: string, root: BytePath, fresh: boolean): Promise<Job> {
  const queue = await openFile(file)
  const known = await queue.get(rootId(root))
  const isFinished = (await queue.get(REPORT_ID))?.state === 'finished'
  if (known === undefined || (!isFinished && !fresh)) return { queue, isUnderWay: known !== undefined }
  await queue.close()
  removeDatabase(file)
  return { queue: await openFile(file), isUnderWay: false }
}

function closing(job: Job, lock: JobLock): JobQueue {
  return {
    ...job,
    async [Symbol.asyncDispose]() {
      await job.queue.close()
      lock[Symbol.dispose]()
    },
  }
}

const openFile = (file: string): Promise<Queue> => openQueue({ url: `sqlite:${file}`, migrate: true })

/** Nobody has it open. */
function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}
