/**
 * Runs inside a piscina worker thread: `run` is the function that piscina calls for each job.
 *
 * On loading it hands one end of a control port to the host. Between jobs piscina blocks the thread in
 * `Atomics.wait`, so the port is only read while a job runs; a shared counter tells `ctx.aborted` inside
 * a synchronous loop that there is something to read.
 */
import {
  MessageChannel,
  parentPort,
  receiveMessageOnPort,
  type Transferable,
  threadId,
} from 'node:worker_threads'
import { isSurelyCloneable } from './cloneable.ts'
import type { RemoteContext } from './remote-context.ts'
import { Runner } from './runner.ts'
import { THREAD_HELLO, type ThreadHello } from './thread-hello.ts'
import type { HostMessage, WireJob, WireResult } from './wire.ts'

/** How piscina marks a value that is to be moved instead of copied (`Piscina.move`). */
const TRANSFERABLE: unique symbol = Symbol.for('Piscina.transferable')
const MOVED_VALUE: unique symbol = Symbol.for('Piscina.valueOf')

const { port1: port, port2: hostPort } = new MessageChannel()
/** The host counts its messages here. */
const mail = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
let mailRead = 0

const runner = new Runner(
  {
    post: (message, transfer = []) => port.postMessage(message, transfer as Transferable[]),
    poll,
  },
  sendValue,
)

port.on('message', (message: HostMessage) => runner.receive(message))
port.unref()
const hello: ThreadHello = { [THREAD_HELLO]: threadId, port: hostPort, mail }
parentPort?.postMessage(hello, [hostPort])

/** Called by piscina. Never throws and never rejects. */
export function run(job: WireJob): WireResult | Promise<WireResult> {
  return runner.run(job)
}

function poll(): void {
  const count = Atomics.load(mail, 0)
  if (count === mailRead) return
  mailRead = count
  for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
    runner.receive(entry.message as HostMessage)
  }
}

/**
 * A result that piscina cannot clone would end the thread: what is not sure to be cloneable goes over
 * the control port, where the attempt can be caught.
 */
function sendValue(value: unknown, context: RemoteContext): WireResult {
  const { token } = context
  if (isMoved(value)) {
    context.post({ type: 'value', token, value: value[MOVED_VALUE] }, [value[TRANSFERABLE]])
  } else if (isSurelyCloneable(value)) {
    return [value]
  } else {
    context.post({ type: 'value', token, value })
  }
  return { type: 'posted', sent: 0 }
}

function isMoved(value: unknown): value is { [TRANSFERABLE]: object; [MOVED_VALUE]: unknown } {
  return typeof value === 'object' && value !== null && TRANSFERABLE in value && MOVED_VALUE in value
}
