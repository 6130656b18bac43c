/**
 * A thread inside every child process that kills the process when its parent dies, or when the lease of its job ends.
 *
 * File descriptor 4 is the end of a pipe whose other end only the parent holds. It closes however the
 * parent ends, also by SIGKILL, and it is seen here even while the main thread is in an endless loop.
 * A line on it says in how many ms the lease ends, counted from now, and `0` that there is none any more: a parent that is
 * stopped by the operating system says nothing, and somebody else may begin the job again.
 */
import { Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'

const LIFELINE_FD = 4

let rest = ''
let lease: NodeJS.Timeout | undefined
const kill = (): boolean => process.kill(process.pid, 'SIGKILL')

const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false })
lifeline.on('error', () => {})
lifeline.on('close', kill)
lifeline.on('data', (chunk) => {
  rest += chunk
  const lines = rest.split('\n')
  rest = lines.pop() ?? ''
  const last = lines.at(-1)
  if (last === undefined) return
  clearTimeout(lease)
  lease = last === '0' ? undefined : setTimeout(kill, Number(last))
})
parentPort?.postMessage('watching')
