/**
 * One process that listens, as seen by who nudges it: a connection to its socket, kept open.
 *
 * - connecting: it is nudged when the connection is up.
 * - connected: a nudge is one byte, none while the last one is still on its way.
 * - gone: its process has ended or listens no more. A socket whose process is dead is removed from the folder.
 */
import { unlink } from 'node:fs'
import { connect, type Socket } from 'node:net'

export class WakePeer {
  readonly #socket: Socket

  /** @param pid - of its process, for when nobody answers */
  constructor(path: string, pid: number, onGone: () => void) {
    this.#socket = connect(path)
    this.#socket.unref()
    this.#socket.on('connect', () => this.nudge())
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && isDead(pid)) unlink(path, () => {})
    })
    this.#socket.on('close', onGone)
  }

  nudge(): void {
    if (this.#socket.readyState === 'open' && this.#socket.writableLength === 0) this.#socket.write('!')
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.destroy()
    })
  }
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
