/**
 * Runs inside a piscina worker thread: `run` is the function that piscina calls for each job.
 *
 * On loading it hands one end of a control port to the host. Between jobs piscina blocks the thread in
 * `Atomics.wait`, so the port is only read while a job runs; a shared counter tells `ctx.aborted` inside
 * a synchronous loop that there is something to read. How long a job may run is watched here: see thread-lease.ts.
 */
import {
  MessageChannel,
  parentPort,
  receiveMessageOnPort,
  type Transferable,
  threadId,
} from 'node:worker_threads'
import { Runner } from './runner.ts'
import { sendValue } from './send-value.ts'
import { THREAD_HELLO, type ThreadHello } from './thread-hello.ts'
import { LeaseWatch, leaseMemory } from './thread-lease.ts'
import type { HostMessage, LeaseMessage, WireJob, WireResult } from './wire.ts'

const { port1: port, port2: hostPort } = new MessageChannel()
/** The host counts its messages here. */
const mail = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
let mailRead = 0

const lease = leaseMemory()

const runner = new Runner(
  {
    post: (message, transfer = []) => port.postMessage(message, transfer as Transferable[]),
    poll,
  },
  sendValue,
)

const watch = new LeaseWatch(lease, (reason) => runner.abortAll(reason))

port.on('message', receive)
port.unref()
const hello: ThreadHello = { [THREAD_HELLO]: threadId, port: hostPort, mail, lease }
parentPort?.postMessage(hello, [hostPort])

/** Called by piscina. Never throws and never rejects. */
export function run(job: WireJob): WireResult | Promise<WireResult> {
  watch.begin('token' in job ? job.token : job[0])
  const result = runner.run(job)
  if (result instanceof Promise) return result.finally(() => watch.end())
  watch.end()
  return result
}

function receive(message: HostMessage | LeaseMessage): void {
  if (message.type === 'lease') watch.look()
  else runner.receive(message)
}

function poll(): void {
  watch.look()
  const count = Atomics.load(mail, 0)
  if (count === mailRead) return
  mailRead = count
  for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
    receive(entry.message as HostMessage | LeaseMessage)
  }
}
