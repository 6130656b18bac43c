/**
 * Stops daemons through the queue, and looks until they are gone: their marks, and the processes that are on this machine.
 * What is left when the time is over is killed if that was asked for.
 */
import { setTimeout } from 'node:timers/promises'
import type { Queue } from '../durable/queue.ts'
import { daemonNotStopped } from './daemon-errors.ts'
import { type DaemonMark, forget, isLocal, marksOf, processIsThere, removeDead } from './daemon-marks.ts'

export interface StopDaemonsOptions {
  readonly name: string
  readonly timeout: number
  readonly kill?: boolean
  readonly forget?: boolean
  readonly message?: string
}

/** How often to look. */
const LOOK_MS = 50
/** A killed process is gone at once, or it hangs in the kernel. */
const KILL_MS = 5_000

export interface StoppedDaemon extends DaemonMark {
  /** It was killed, else it ended by itself. */
  readonly killed: boolean
}

/** For JSON. */
export const toStopped = ({
  id,
  pid,
  killed,
}: StoppedDaemon): Pick<StoppedDaemon, 'id' | 'pid' | 'killed'> => ({
  id,
  pid,
  killed,
})

export function toStoppedLines(name: string, stopped: readonly StoppedDaemon[]): string[] {
  return stopped.map(({ pid, killed }) =>
    killed
      ? `Daemon ${name}, pid ${pid}, did not stop in time and was killed.`
      : `Daemon ${name}, pid ${pid}, has stopped.`,
  )
}

/**
 * @returns those that are gone now
 * @throws QueueError (`ERR_DAEMON_NOT_STOPPED`)
 */
export async function stopDaemons(
  queue: Queue,
  { name, timeout, kill = false, forget: forgets = false, message }: StopDaemonsOptions,
): Promise<readonly StoppedDaemon[]> {
  const marks = await marksOf(queue, name)
  await removeDead(queue, marks)
  const isForgotten = (mark: DaemonMark): boolean => forgets && mark.mark === 'silent' && !isLocal(mark)
  await forget(queue, marks.filter(isForgotten))
  const living = marks.filter((mark) => mark.mark !== 'dead' && !isForgotten(mark))
  if (living.length === 0) return []
  await queue.shutdown(message, { daemon: name })
  if (await areGone(queue, living, timeout)) return living.map((mark) => ({ ...mark, killed: false }))
  const left = (await stillThere(queue, living)) as [DaemonMark]
  const [first] = left
  if (!kill || left.some((mark) => !isLocal(mark))) throw daemonNotStopped(first, timeout)
  const killed = new Set(left.filter(killNow).map(({ id }) => id))
  if (await areGone(queue, left, KILL_MS))
    return living.map((mark) => ({ ...mark, killed: killed.has(mark.id) }))
  throw daemonNotStopped(first, timeout + KILL_MS)
}

async function areGone(queue: Queue, marks: readonly DaemonMark[], boundMs: number): Promise<boolean> {
  const lateAt = performance.now() + boundMs
  for (;;) {
    if ((await stillThere(queue, marks)).length === 0) return true
    if (performance.now() >= lateAt) return false
    await setTimeout(LOOK_MS)
  }
}

async function stillThere(queue: Queue, marks: readonly DaemonMark[]): Promise<readonly DaemonMark[]> {
  const now = await marksOf(queue)
  await removeDead(queue, now)
  const marked = new Set(now.filter(({ mark }) => mark !== 'dead').map(({ id }) => id))
  return marks.filter((mark) => marked.has(mark.id) || (isLocal(mark) && processIsThere(mark)))
}

/** @returns whether it was there */
function killNow(mark: DaemonMark): boolean {
  if (!processIsThere(mark)) return false
  try {
    return process.kill(mark.pid, 'SIGKILL')
  } catch {
    // It has just ended, or is another user's; whoever looks next sees.
    return false
  }
}
