/**
 * A thread inside every child process that kills the process when its parent dies.
 *
 * File descriptor 4 is the end of a pipe whose other end only the parent holds. It closes however the
 * parent ends, also by SIGKILL, and it is seen here even while the main thread is in an endless loop.
 */
import { Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'

const LIFELINE_FD = 4

const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false })
lifeline.on('error', () => {})
lifeline.on('close', () => process.kill(process.pid, 'SIGKILL'))
// Nothing is ever written to it: reading only waits for its end.
lifeline.resume()
parentPort?.postMessage('watching')
