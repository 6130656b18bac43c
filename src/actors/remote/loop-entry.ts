/**
 * Runs inside the thread of a named loop: as many attempts at once as it is given, on one event loop.
 *
 * Jobs, control messages and pings come in batches over a port of our own, so that `parentPort` is the user's. What
 * attempts say goes back in one batch per turn, when every promise that could settle in it has. A ping is
 * answered when the loop turns, never from inside a handler that asks `ctx.aborted` in a synchronous loop: jobs
 * and pings that it finds on the port wait.
 */
import { receiveMessageOnPort, type Transferable, workerData } from 'node:worker_threads'
import type { LoopCommand, LoopData, LoopMessage } from './loop-wire.ts'
import { Runner } from './runner.ts'
import { sendValue } from './send-value.ts'
import { toThrown } from './thrown.ts'
import type { HostMessage, RemoteMessage, WireJob, WireResult } from './wire.ts'

const { port, mail } = workerData as LoopData
let mailRead = 0
let outbox: LoopMessage[] = []
/** What a synchronous loop found on the port and that is not for it. */
let late: LoopCommand[] = []

const runner = new Runner({ post, poll }, sendValue)

port.on('message', (batch: readonly LoopCommand[]) => {
  for (const command of batch) receive(command)
})
put({ type: 'hello' })

function receive(command: LoopCommand): void {
  if (isJob(command)) void execute(command)
  else if (command.type === 'ping') put({ type: 'pong', number: command.number })
  else if (command.type === 'exit') {
    flush()
    process.exit(0)
  } else runner.receive(command)
}

function execute(job: WireJob): void {
  let token: number
  if ('token' in job) token = job.token
  else {
    token = job[0]
    put([token, Date.now()])
  }
  const result = runner.run(job)
  if (result instanceof Promise) void result.then((settled) => put([token, settled, true]))
  else put([token, result, true])
}

/** Puts a message into the batch of this turn. */
function put(message: LoopMessage): void {
  // After the microtasks that are under way, so that all they settle goes together.
  if (outbox.length === 0) process.nextTick(flush)
  outbox.push(message)
}

function flush(): void {
  if (outbox.length === 0) return
  const batch = outbox
  outbox = []
  try {
    port.postMessage(batch)
  } catch {
    for (const message of batch) postAlone(message)
  }
}

/** One of a batch cannot be cloned after all. */
function postAlone(message: LoopMessage): void {
  try {
    port.postMessage([message])
  } catch (error) {
    if (!Array.isArray(message)) return
    const settled: WireResult = { type: 'unserializable', error: toThrown(error), sent: 0 }
    port.postMessage([[message[0], settled, true]])
  }
}

/** At once, behind what is in the batch: its caller must hear that it cannot be cloned. */
function post(message: RemoteMessage, transfer: readonly object[] = []): void {
  flush()
  port.postMessage([message], transfer as Transferable[])
}

function poll(): void {
  const count = Atomics.load(mail, 0)
  if (count === mailRead) return
  mailRead = count
  for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
    for (const command of entry.message as readonly LoopCommand[]) {
      if (isControl(command)) runner.receive(command)
      else defer(command)
    }
  }
}

function defer(command: LoopCommand): void {
  late.push(command)
  if (late.length > 1) return
  setImmediate(() => {
    const commands = late
    late = []
    for (const one of commands) receive(one)
  })
}

function isJob(command: LoopCommand): command is WireJob {
  return !('type' in command)
}

function isControl(command: LoopCommand): command is HostMessage {
  return 'type' in command && command.type !== 'ping' && command.type !== 'exit'
}
