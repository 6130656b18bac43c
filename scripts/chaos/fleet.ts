/**
 * What a chaos run kills and stops: two daemons and a producer, each a process of its own. It is written down when a daemon
 * was there, since what a dead one held can be taken back by nobody else.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A daemon was there from one instant to another, epoch ms. */
export interface Life {
  readonly holder: string
  readonly from: number
  /** `Infinity`: it still is. */
  to: number
}

export interface FleetPlan {
  readonly url: string
  /** The journal. */
  readonly file: string
  readonly leaseMs: number
}

const DAEMONS = ['a', 'b'] as const
type Name = (typeof DAEMONS)[number]

interface Told {
  readonly type: string
  readonly payload: { readonly id?: string }
}

/** How long a process may take to say its first word, or to end when it is asked to. */
const PATIENCE_MS = 30_000

export class Fleet {
  readonly lives: Life[] = []
  readonly acknowledged = new Set<string>()
  readonly kills = { a: 0, b: 0, producer: 0 }
  readonly #plan: FleetPlan
  readonly #daemons = new Map<Name, ChildProcess>()
  readonly #holders = new WeakMap<ChildProcess, string>()
  #producer: ChildProcess | undefined

  constructor(plan: FleetPlan) {
    this.#plan = plan
  }

  /** Starts both daemons; resolves when they work. */
  async startDaemons(): Promise<void> {
    await Promise.all(DAEMONS.map((name) => this.#startDaemon(name)))
  }

  /** Resolves with its first promise. */
  async startProducer(): Promise<void> {
    const child = this.#start('chaos-producer', [this.#plan.url, this.#plan.file])
    child.on('message', (id) => void this.acknowledged.add(id as string))
    this.#producer = child
    await heard(child)
  }

  /** @returns whether it has ended by itself */
  async stopProducer(): Promise<boolean> {
    const child = this.#producer
    this.#producer = undefined
    if (child === undefined || hasExited(child)) return true
    const over = once(child, 'exit').then(() => true)
    child.send('stop')
    const didEnd = await Promise.race([over, setTimeout(PATIENCE_MS, false)])
    if (!didEnd) child.kill('SIGKILL')
    return didEnd
  }

  /** `kill -9` of one of the three, and another in its place. Resolves when that has said a word. */
  async killOne(): Promise<void> {
    const names = [...DAEMONS, 'producer'] as const
    const name = names[Math.floor(Math.random() * names.length)] as Name | 'producer'
    const victim = name === 'producer' ? this.#producer : this.#daemons.get(name)
    this.kills[name] += 1
    if (victim !== undefined && !hasExited(victim)) {
      const gone = once(victim, 'exit')
      victim.kill('SIGKILL')
      this.#ends(this.#holders.get(victim))
      await gone
    }
    return name === 'producer' ? this.startProducer() : this.#startDaemon(name)
  }

  /** Ids of the two daemons in the store. */
  get holders(): string[] {
    return [...this.#daemons.values()].map((child) => this.#holders.get(child) ?? '')
  }

  /** SIGSTOP. @returns continues it */
  pause(holder: string): () => void {
    const child = [...this.#daemons.values()].find((one) => this.#holders.get(one) === holder)
    child?.kill('SIGSTOP')
    this.#ends(holder)
    return () => {
      child?.kill('SIGCONT')
      this.#begins(holder)
    }
  }

  /** Whether the daemons still are those that were started. */
  get isWhole(): boolean {
    return [...this.#daemons.values()].every((child) => !hasExited(child))
  }

  end(): void {
    for (const child of [...this.#daemons.values(), this.#producer]) {
      if (child !== undefined && !hasExited(child)) child.kill('SIGKILL')
    }
  }

  async #startDaemon(name: Name): Promise<void> {
    const { url, leaseMs } = this.#plan
    const child = this.#start('daemon-process', [
      JSON.stringify({ url, name, leaseMs, size: 4, lostLimit: 1_000 }),
    ])
    this.#daemons.set(name, child)
    const { promise, resolve } = Promise.withResolvers<void>()
    child.on('message', (said) => {
      const { type, payload } = said as Told
      if (type !== 'ready' || payload.id === undefined) return
      this.#holders.set(child, payload.id)
      this.#begins(payload.id)
      resolve()
    })
    // One that is killed before it has said anything is replaced as well.
    child.once('exit', () => resolve())
    await promise
  }

  #start(program: string, args: readonly string[]): ChildProcess {
    const file = fileURLToPath(new URL(`../../test/fixtures/durable/${program}.ts`, import.meta.url))
    return fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  }

  #begins(holder: string): void {
    this.lives.push({ holder, from: Date.now(), to: Number.POSITIVE_INFINITY })
  }

  #ends(holder: string | undefined): void {
    const life = this.lives.findLast((one) => one.holder === holder)
    if (life !== undefined) life.to = Math.min(life.to, Date.now())
  }
}

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function heard(child: ChildProcess): Promise<void> {
  await Promise.race([once(child, 'message'), once(child, 'exit'), setTimeout(PATIENCE_MS)])
}
