/**
 * Tells other processes on this machine that something was committed, by Unix sockets: about a millisecond, and no CPU
 * time while nothing happens. Every listener opens a socket in a folder beside the database; whoever commits writes a
 * byte to each. The name of a socket says whose it is and for what: `<pid>.<random>.<topic>`.
 *
 * The folder is authoritative for who listens and is read again at most every 250 ms while there is something to
 * tell. All of it is a hint: where it fails, the slow poll of the store is left. Nothing here keeps a process alive.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WakeTopic } from './store.ts'
import { WakePeer } from './wake-peer.ts'

/** A socket's path has 108 bytes on Linux and 104 on macOS, the NUL included. */
const PATH_LIMIT = 103
const NAME_LIMIT = 24

/** The folder is read at most so often. */
const LOOK_MS = 250

/** Beside the file, or in the system's folder for temporary files when that path were too long. */
export function socketFolder(file: string): string {
  const beside = `${file}-wake`
  if (Buffer.byteLength(beside) + 1 + NAME_LIMIT <= PATH_LIMIT) return beside
  return join(tmpdir(), `stateward-${createHash('sha256').update(file).digest('hex').slice(0, 16)}`)
}

/** So often a folder is made anew that others remove at the same time. */
const TRIES = 5

interface Ear {
  readonly server: Server
  readonly sockets: Set<Socket>
}

export class WakeSockets {
  readonly #folder: string
  readonly #ears = new Map<string, Ear>()
  readonly #peers = new Map<string, WakePeer>()
  #lookedAt = Number.NEGATIVE_INFINITY
  #look: Promise<void> | undefined
  #nextLook: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param file - by its real path, so that all processes agree on the folder */
  constructor(file: string) {
    this.#folder = socketFolder(file)
  }

  /** Opens a socket. @returns how to close it */
  listen(topic: WakeTopic, onNudge: () => void): () => Promise<void> {
    if (process.platform === 'win32') return async () => {}
    const name = `${process.pid}.${randomBytes(4).toString('hex')}.${topic}`
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket.unref())
      socket.on('data', onNudge)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    })
    const open = (): void => {
      mkdirSync(this.#folder, { recursive: true })
      server.listen(join(this.#folder, name))
    }
    let tries = 0
    server.on('error', ({ code }: NodeJS.ErrnoException) => {
      // Its last user has removed the folder since it was made.
      if (code === 'ENOENT' && this.#ears.has(name) && tries++ < TRIES) attempt(open)
    })
    server.unref()
    if (!attempt(open)) return async () => {}
    this.#ears.set(name, { server, sockets })
    return () => this.#closeEar(name)
  }

  /** Wakes whoever listens to these topics in other stores of this machine. */
  nudge(topics: ReadonlySet<WakeTopic>): void {
    if (this.#isClosed || process.platform === 'win32') return
    for (const [name, peer] of this.#peers) if (isAbout(name, topics)) peer.nudge()
    const waitMs = this.#lookedAt + LOOK_MS - performance.now()
    if (waitMs <= 0) this.#lookAround()
    // Who has come since the last look must not miss this.
    else this.#nextLook ??= setTimeout(() => this.#lookAround(), waitMs).unref()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#nextLook)
    await this.#look
    const ears = [...this.#ears.keys()].map((name) => this.#closeEar(name))
    await Promise.all([...ears, ...[...this.#peers.values()].map((peer) => peer.close())])
    // Only an empty one goes: whoever listens there keeps it.
    await rmdir(this.#folder).catch(() => {})
  }

  #lookAround(): void {
    clearTimeout(this.#nextLook)
    this.#nextLook = undefined
    this.#lookedAt = performance.now()
    this.#look ??= readdir(this.#folder)
      .catch(() => [])
      .then((names) => {
        this.#look = undefined
        if (!this.#isClosed) for (const name of names) this.#meet(name)
      })
  }

  /** A new peer is nudged as soon as it is connected. */
  #meet(name: string): void {
    const pid = Number(name.split('.')[0])
    if (!Number.isSafeInteger(pid) || pid <= 0 || this.#ears.has(name) || this.#peers.has(name)) return
    this.#peers.set(name, new WakePeer(join(this.#folder, name), pid, () => this.#peers.delete(name)))
  }

  #closeEar(name: string): Promise<void> {
    const ear = this.#ears.get(name)
    this.#ears.delete(name)
    if (ear === undefined || !ear.server.listening) return Promise.resolve()
    return new Promise((resolve) => {
      ear.server.close(() => resolve())
      for (const socket of ear.sockets) socket.destroy()
    })
  }
}

function attempt(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

function isAbout(name: string, topics: ReadonlySet<WakeTopic>): boolean {
  return topics.has(name.slice(name.lastIndexOf('.') + 1) as WakeTopic)
}
