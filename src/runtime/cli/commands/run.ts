/**
 * `stateward run`: runs one stored task in this process, with all its options, to its end.
 *
 * - refused: it does not wait, or --tasks does not know it. Nothing was changed, but that one whose lease is over waits again.
 * - running: claimed under a lease like a daemon's, so nobody else runs it meanwhile. What it waits for between its attempts or
 *   steps is waited for here, unless a daemon takes it then; its end is told all the same.
 * - handed back: Ctrl-C ends it here, and it waits again as if it had not been begun.
 *
 * The queue is authoritative: it is read anew with every news.
 */
import { type Command, Option } from 'commander'
import { createTaskRunner, type Daemon } from '../../durable/daemon.ts'
import { takeBack } from '../../durable/daemon-store.ts'
import type { Queue } from '../../durable/queue.ts'
import { storeOf } from '../../durable/queue-access.ts'
import { unknownTask } from '../../durable/queue-error.ts'
import type { StoredTask } from '../../durable/stored-task.ts'
import { taskTable } from '../../durable/task-table.ts'
import { createSupervisor } from '../../supervisor.ts'
import { cannotRun } from '../cli-refusals.ts'
import { cliTracing } from '../cli-tracing.ts'
import { toDurationMs, toLeaseMs } from '../cli-values.ts'
import { type Cli, onQueue, queueCommand, type Session } from '../command-kit.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { loadTasks, taskNamed } from '../load-tasks.ts'
import { QueueNews } from '../queue-news.ts'
import { boardOrLines, hasEnded } from '../watch-board.ts'

interface RunOptions {
  readonly tasks: readonly string[]
  readonly lease?: number
  readonly grace: number
}

/** Between the signal and the end of a handler that does not hear it, on Ctrl-C. */
const GRACE_MS = 5_000

const WAITING: readonly string[] = ['queued', 'scheduled', 'retrying', 'snoozed']

export function runCommand(cli: Cli): Command {
  return queueCommand('run', 'run one task here and now, also before it is due')
    .argument('<id>', 'id of the task')
    .requiredOption('-t, --tasks <file...>', 'modules with its definition')
    .option('--lease <duration>', 'how long it is its own without a word of it', toLeaseMs)
    .addOption(
      new Option('--grace <duration>', 'how long it may take to end on Ctrl-C')
        .argParser(toDurationMs)
        .default(GRACE_MS, '5s'),
    )
    .action(onQueue<RunOptions, [string]>(cli, run))
}

async function run(session: Session<RunOptions>, id: string): Promise<ExitCode> {
  const { queue, io, options } = session
  const { lease, grace } = options
  const modules = await loadTasks(options.tasks)
  const task = await currentTask(queue, id)
  if (!WAITING.includes(task.state)) throw cannotRun(task)
  if (!taskTable(modules).has(task.name)) taskNamed(modules, task.name)
  const signal = io.interruptible()
  const supervisor = createSupervisor({ id: 'run', ...(await cliTracing()) })
  const leaseMs = lease === undefined ? {} : { leaseMs: lease }
  const runner = createTaskRunner({ queue, supervisor, tasks: modules, name: 'run', ...leaseMs }, id)
  try {
    await supervisor.start()
    await runner.start()
    const ended = await follow(session, id, runner, signal)
    if (ended !== undefined) return await tellEnd(session, ended)
    await runner.stop({ wait: grace, graceMs: grace })
    return await tellInterrupted(session, id)
  } finally {
    await supervisor.stop({ wait: grace, graceMs: grace })
  }
}

/** As it is, or as it is again where whoever ran it has ended without a word. */
async function currentTask(queue: Queue, id: string): Promise<StoredTask> {
  let task = await queue.get(id)
  if (task?.state === 'running') {
    await takeBack(storeOf(queue), id)
    task = await queue.get(id)
  }
  if (task === undefined) throw unknownTask(id)
  return task
}

/** @returns how it has ended; `undefined` when interrupted */
async function follow(
  { queue, io }: Session,
  id: string,
  runner: Daemon,
  signal: AbortSignal,
): Promise<StoredTask | undefined> {
  const view = boardOrLines(io.stderr)
  const news = new QueueNews(queue)
  let isOurs = false
  try {
    while (!signal.aborted) {
      const heard = news.next(signal)
      const task = await queue.get(id)
      if (task === undefined) throw unknownTask(id)
      isOurs ||= task.holder === runner.id
      if (task.state === 'running' && !isOurs) throw cannotRun(task)
      view.show([task])
      if (hasEnded(task)) return task
      await heard
    }
    return undefined
  } finally {
    news.close()
  }
}

/** @throws the error that it ended with */
async function tellEnd({ queue, answer }: Session, task: StoredTask): Promise<ExitCode> {
  const result = await queue.wait(task, { timeoutMs: 0 })
  answer(task, () => [JSON.stringify(result) ?? ''])
  return EXIT.ok
}

async function tellInterrupted({ queue, answer }: Session, id: string): Promise<ExitCode> {
  const task = await queue.get(id)
  if (task === undefined) throw unknownTask(id)
  answer(task, () => [WAITING.includes(task.state) ? `${id} was handed back` : `${id} is ${task.state}`])
  return EXIT.interrupted
}
