/**
 * The queue of a job: one SQLite file per tree. An unfinished job in it goes on; a finished one, whose report
 * is written, makes room for the next.
 */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openQueue, type Queue } from '../../src/runtime/durable/index.ts'
import { toBytePath } from './byte-path.ts'
import { type Options, UsageError } from './options.ts'
import { REPORT_ID, rootId } from './tasks.ts'

/** How long a process that was killed may need to be gone. */
const DYING_MS = 1_000
const LOOK_MS = 20

export interface JobQueue {
  readonly queue: Queue
  /** There is an unfinished job in it. */
  readonly isUnderWay: boolean
}

/** @throws UsageError when the file cannot be used, or another process works on it */
export async function openJobQueue({ directory, state, fresh }: Options): Promise<JobQueue> {
  const file = join(state, `digest-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}.db`)
  try {
    const queue = await openAlone(file)
    const root = await queue.get(rootId(toBytePath(directory)))
    const isFinished = (await queue.get(REPORT_ID))?.state === 'finished'
    if (root === undefined || (!isFinished && !fresh)) return { queue, isUnderWay: root !== undefined }
    await queue.close()
    removeDatabase(file)
    return { queue: await openAlone(file), isUnderWay: false }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { message } = error as Error
    throw new UsageError(`Cannot keep the job in ${file}: ${message} Another folder: --state DIR.`, {
      cause: error,
    })
  }
}

/** Two programs could share the work, but each would write a report of it. */
async function openAlone(file: string): Promise<Queue> {
  const queue = await openQueue({ url: `sqlite:${file}`, migrate: true })
  const { daemons } = await queue.status()
  const others = daemons.filter(({ host, pid }) => host === hostname() && pid !== process.pid)
  for (const { pid } of others) {
    // It may have been killed a moment ago.
    for (const end = performance.now() + DYING_MS; lives(pid) && performance.now() < end; )
      await sleep(LOOK_MS)
    if (!lives(pid)) continue
    await queue.close()
    throw new UsageError(`Process ${pid} is at work on this directory already.`)
  }
  return queue
}

/** Nobody has it open. */
function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie does nothing any more; in many containers nobody collects it.
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    // It lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
