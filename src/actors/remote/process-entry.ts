/**
 * Runs inside a child process: jobs and control messages come over Node's IPC channel, in order.
 *
 * It says hello when its watchdog watches. SIGINT is the parent's business (Ctrl-C goes to the whole
 * group). SIGTERM keeps its default, unless a handler listens for it. When the channel closes the
 * process exits; when the parent dies the watchdog kills it, whatever it does.
 */
import { Worker } from 'node:worker_threads'
import { entryFile } from './entry-file.ts'
import type { RemoteContext } from './remote-context.ts'
import { Runner } from './runner.ts'
import { toThrown } from './thrown.ts'
import type { ProcessCommand, ProcessMessage, WireJob, WireResult } from './wire.ts'

/** How piscina marks a value that is to be moved (`Piscina.move`); here it is copied. */
const MOVED_VALUE = Symbol.for('Piscina.valueOf')

const runner = new Runner({ post: send, poll: () => {} }, sendValue)

process.on('SIGINT', () => {})
process.on('uncaughtExceptionMonitor', (error) => send({ type: 'fatal', error: toThrown(error) }))
process.on('disconnect', () => process.exit(1))
process.on('message', (command: ProcessCommand) => {
  if (command.type === 'job') void execute(command.job)
  else if (command.type === 'exit') process.exit(0)
  else runner.receive(command)
})

const watchdog = new Worker(entryFile('watchdog-entry'), { execArgv: [], stdin: false })
watchdog.once('message', () => send({ type: 'hello' }))
watchdog.unref()

async function execute(job: WireJob): Promise<void> {
  const token = 'token' in job ? job.token : job[0]
  const result = runner.run(job)
  const settled = result instanceof Promise ? await result : result
  try {
    send({ type: 'settled', token, settled })
  } catch (error) {
    send({ type: 'settled', token, settled: { type: 'unserializable', error: toThrown(error), sent: 0 } })
  }
}

/** Throws if the message cannot be cloned. Without a parent to hear it nothing else matters. */
function send(message: ProcessMessage): void {
  process.send?.(message, undefined, undefined, () => {})
}

function sendValue(value: unknown, _context: RemoteContext): WireResult {
  if (typeof value !== 'object' || value === null || !(MOVED_VALUE in value)) return [value]
  return [value[MOVED_VALUE]]
}
