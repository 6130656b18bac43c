/**
 * `stateward watch`: follows tasks until they have ended, or all that run until Ctrl-C.
 *
 * The queue is authoritative: every turn reads it anew, and news of it, or a second without any, begins the next turn.
 */
import type { Command } from 'commander'
import type { Queue } from '../../durable/queue.ts'
import { unknownTask } from '../../durable/queue-error.ts'
import type { StoredTask } from '../../durable/stored-task.ts'
import { type Cli, onQueue, queueCommand, type Session } from '../command-kit.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { QueueNews } from '../queue-news.ts'
import { boardOrLines, hasEnded, LineView, type WatchView } from '../watch-board.ts'

interface WatchOptions {
  readonly untilEmpty?: boolean
}

const MOST_SHOWN = 1_000

export function watchCommand(cli: Cli): Command {
  return queueCommand('watch', 'follow tasks: bars on a terminal, else a line for each change')
    .argument('[id...]', 'ids of the tasks, until they have ended; without any, all that run')
    .option('--until-empty', 'end when nothing waits or runs')
    .action(onQueue<WatchOptions, [readonly string[]]>(cli, watch))
}

async function watch(session: Session<WatchOptions>, ids: readonly string[]): Promise<ExitCode> {
  const { queue, io, options } = session
  const view = viewOf(session)
  const signal = io.interruptible()
  const news = new QueueNews(queue)
  const followed = new Set(ids)
  try {
    for (;;) {
      const heard = news.next(signal)
      const tasks = await look(queue, ids, followed)
      view.show(tasks)
      if (ids.length > 0 && tasks.every(hasEnded)) return verdictOf(tasks)
      if (options.untilEmpty === true && (await isEmpty(queue))) return EXIT.ok
      await heard
      if (signal.aborted) return EXIT.interrupted
    }
  } finally {
    news.close()
  }
}

function viewOf({ io, json }: Session): WatchView {
  const { stdout } = io
  if (json) return new LineView(stdout, (task) => JSON.stringify(task))
  return boardOrLines(stdout)
}

/** Those of `ids`; without any, those that run and those that ran a turn ago. */
async function look(queue: Queue, ids: readonly string[], followed: Set<string>): Promise<StoredTask[]> {
  if (ids.length === 0) {
    const { tasks } = await queue.list({ state: 'running', order: 'oldest', limit: MOST_SHOWN })
    for (const { id } of tasks) followed.add(id)
  }
  const found: StoredTask[] = []
  for (const id of followed) {
    const task = await queue.get(id)
    if (task === undefined && ids.length > 0) throw unknownTask(id)
    if (task !== undefined) found.push(task)
    if (ids.length === 0 && (task === undefined || hasEnded(task))) followed.delete(id)
  }
  return found
}

function verdictOf(tasks: readonly StoredTask[]): ExitCode {
  return tasks.every(({ state }) => state === 'finished') ? EXIT.ok : EXIT.failed
}

async function isEmpty(queue: Queue): Promise<boolean> {
  const { waiting, running } = await queue.status()
  return waiting === 0 && running === 0
}
