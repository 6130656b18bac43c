/**
 * A thread inside every child process that kills the process when its parent dies, or when the lease of its job ends.
 *
 * File descriptor 4 is the end of a pipe whose other end only the parent holds. It closes however the
 * parent ends, also by SIGKILL, and it is seen here even while the main thread is in an endless loop.
 * A line on it says when the lease ends, in ns of the machine's monotonic clock, which all its processes share, and `0` that
 * there is none any more: a parent that is stopped by the operating system says nothing, and somebody else may begin the
 * job again. A line back says that it is the lease that ends the process: the parent may have put it off meanwhile.
 */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'

const LIFELINE_FD = 4
const MAX_TIMER_MS = 2 ** 31 - 1

let rest = ''
/** `0n`: there is no lease. */
let endNs = 0n
let timer: NodeJS.Timeout | undefined

const kill = (): boolean => process.kill(process.pid, 'SIGKILL')
const leftMs = (): number => Number(endNs - process.hrtime.bigint()) / 1e6

function watch(): void {
  clearTimeout(timer)
  if (endNs === 0n) return
  const ms = Math.min(MAX_TIMER_MS, Math.max(0, leftMs()))
  // After what there is to be read: a thread that was kept from running may find the timer due before the line that put it off.
  timer = setTimeout(() => setImmediate(endIfOver), ms)
}

function endIfOver(): void {
  if (endNs === 0n) return
  if (leftMs() > 0) return watch()
  try {
    writeSync(LIFELINE_FD, 'over\n')
  } catch {
    // Nobody is there to be told.
  }
  kill()
}

const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false })
lifeline.on('error', () => {})
lifeline.on('close', kill)
lifeline.on('data', (chunk) => {
  rest += chunk
  const lines = rest.split('\n')
  rest = lines.pop() ?? ''
  const last = lines.at(-1)
  if (last === undefined) return
  endNs = BigInt(last)
  watch()
})
parentPort?.postMessage('watching')
