/** Daemons in processes of their own, as tests start, stop and kill them. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { DeathPoint } from '../fixtures/durable/dying-queue.ts'

const PROGRAM = fileURLToPath(new URL('../fixtures/durable/daemon-process.ts', import.meta.url))

export interface DaemonSetup {
  readonly url: string
  readonly name?: string
  readonly leaseMs?: number
  readonly size?: number
  readonly lostLimit?: number
  /** Where it ends itself by `kill -9`, with the first task that it comes to. */
  readonly diesAt?: DeathPoint
}

interface Told {
  readonly type: string
  readonly payload: { readonly [field: string]: unknown }
}

export class DaemonProcess {
  readonly child: ChildProcess
  /** What it has told. */
  readonly told: Told[] = []
  readonly #listeners = new Set<() => void>()

  constructor(setup: DaemonSetup) {
    this.child = fork(PROGRAM, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.child.on('message', (message) => {
      this.told.push(message as Told)
      for (const listener of this.#listeners) listener()
    })
  }

  get pid(): number {
    return this.child.pid as number
  }

  /** Resolves when it has told one of these, or with what it has told already. */
  async tells(...types: string[]): Promise<Told['payload']> {
    const { promise, resolve, reject } = Promise.withResolvers<Told['payload']>()
    const look = (): void => {
      const found = this.told.find(({ type }) => types.includes(type))
      if (found !== undefined) resolve(found.payload)
    }
    this.#listeners.add(look)
    this.child.once('exit', () => reject(new Error(`The daemon exited and never told ${types.join(', ')}`)))
    look()
    return promise.finally(() => this.#listeners.delete(look))
  }

  /** Its event loop does not turn for so long. */
  block(ms: number): void {
    this.child.send(ms)
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name)
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (this.#hasExited) return
    const gone = once(this.child, 'exit')
    this.signal('SIGKILL')
    await gone
  }

  /** Resolves when it has ended. */
  async exited(): Promise<void> {
    if (!this.#hasExited) await once(this.child, 'exit')
  }

  async stop(): Promise<void> {
    if (this.#hasExited) return
    const gone = once(this.child, 'exit')
    this.child.send('stop')
    await gone
  }

  get #hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }
}

/** One that works; it is killed with its test. */
export async function daemonProcess(setup: DaemonSetup): Promise<DaemonProcess> {
  const daemon = new DaemonProcess(setup)
  onTestFinished(() => daemon.kill())
  await daemon.tells('ready')
  return daemon
}
