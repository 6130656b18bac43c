/**
 * What a chaos run kills and stops: two daemons and a producer, each a process of its own. It is written down when a daemon
 * was there, since what a dead one held can be taken back by nobody else.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { within } from './patience.ts'

/** A daemon was there from one instant to another, epoch ms. */
export interface Life {
  /** What its id in the store begins with: it is not known before the daemon has said it. */
  readonly holder: string
  readonly from: number
  /** `Infinity`: it still is. */
  to: number
}

export interface FleetPlan {
  readonly url: string
  readonly leaseMs: number
}

const DAEMONS = ['a', 'b'] as const
type Name = (typeof DAEMONS)[number]

interface Told {
  readonly type: string
}

/** How long a process may take to end when it is asked to. */
const PATIENCE_MS = 30_000
/** How long one may take to say its first word, on a machine that has much to do. */
const BOOT_MS = 60_000

export class Fleet {
  readonly lives: Life[] = []
  /** Tasks whose producer was told that they are stored. */
  readonly promised = new Set<string>()
  readonly kills = { a: 0, b: 0, producer: 0 }
  readonly #plan: FleetPlan
  readonly #daemons = new Map<Name, ChildProcess>()
  readonly #holders = new WeakMap<ChildProcess, string>()
  #producer: ChildProcess | undefined
  #journal: string | undefined

  constructor(plan: FleetPlan) {
    this.#plan = plan
  }

  /** Begins a new count. */
  forget(): void {
    this.promised.clear()
    Object.assign(this.kills, { a: 0, b: 0, producer: 0 })
  }

  /**
   * Starts the daemons that are not there; resolves with true when they work.
   * @param journal - also a producer, whose tasks write there; resolves when it has made its first promise
   */
  async start(journal?: string): Promise<true> {
    const missing = DAEMONS.filter((name) => !isThere(this.#daemons.get(name)))
    await Promise.all(missing.map((name) => this.#startDaemon(name)))
    this.#journal = journal
    if (journal !== undefined) await this.#startProducer()
    return true
  }

  /** @returns whether it has ended by itself */
  async stopProducer(): Promise<boolean> {
    const child = this.#producer
    this.#producer = undefined
    if (!isThere(child)) return true
    const over = once(child, 'exit').then(() => true)
    child.send('stop')
    const didEnd = await within(PATIENCE_MS, over).catch(() => false)
    if (!didEnd) child.kill('SIGKILL')
    return didEnd
  }

  /** `kill -9` of one of the three, and another in its place. Resolves when that has said a word. */
  async killOne(): Promise<void> {
    const names = [...DAEMONS, 'producer'] as const
    const name = names[Math.floor(Math.random() * names.length)] as Name | 'producer'
    const victim = name === 'producer' ? this.#producer : this.#daemons.get(name)
    this.kills[name] += 1
    if (isThere(victim)) {
      const gone = once(victim, 'exit')
      victim.kill('SIGKILL')
      this.#ends(this.#holders.get(victim))
      await gone
    }
    return name === 'producer' ? this.#startProducer() : this.#startDaemon(name)
  }

  /** SIGSTOP. @param id - of the daemon in the store. @returns continues it */
  pause(id: string): () => void {
    const child = [...this.#daemons.values()].find((one) => id.startsWith(this.#holders.get(one) ?? '?'))
    const holder = child && this.#holders.get(child)
    child?.kill('SIGSTOP')
    this.#ends(holder)
    return () => {
      child?.kill('SIGCONT')
      if (holder !== undefined) this.#begins(holder)
    }
  }

  /** What is wrong with the daemons: nobody has ended those that should be there. */
  ended(): string[] {
    return [...this.#daemons].flatMap(([name, child]) => {
      const how = child.exitCode ?? child.signalCode
      return how === null ? [] : `daemon ${name} has ended by itself (${how})`
    })
  }

  end(): void {
    for (const child of [...this.#daemons.values(), this.#producer]) {
      if (isThere(child)) child.kill('SIGKILL')
    }
  }

  /** Resolves when it has made a promise. */
  async #startProducer(): Promise<void> {
    const child = this.#start('chaos-producer', [this.#plan.url, this.#journal ?? ''])
    child.on('message', (id) => void this.promised.add(id as string))
    this.#producer = child
    await heard(child)
  }

  async #startDaemon(name: Name): Promise<void> {
    const { url, leaseMs } = this.#plan
    const child = this.#start('daemon-process', [
      JSON.stringify({ url, name, leaseMs, size: 4, lostLimit: 1_000 }),
    ])
    this.#daemons.set(name, child)
    const holder = `${name}@${hostname()}:${child.pid}-`
    this.#holders.set(child, holder)
    const { promise, resolve } = Promise.withResolvers<void>()
    child.on('message', (said) => {
      if ((said as Told).type !== 'ready') return
      // It may have been killed since it said so.
      if (!this.lives.some((life) => life.holder === holder)) this.#begins(holder)
      resolve()
    })
    // One that is killed before it has said anything is replaced as well.
    child.once('exit', () => resolve())
    await within(BOOT_MS, promise, `the start of daemon ${name}`)
  }

  #start(program: string, args: readonly string[]): ChildProcess {
    const file = fileURLToPath(new URL(`../../test/fixtures/durable/${program}.ts`, import.meta.url))
    return fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  }

  #begins(holder: string): void {
    this.lives.push({ holder, from: Date.now(), to: Number.POSITIVE_INFINITY })
  }

  /** Also of one that has not said yet that it lives, and may hold something all the same. */
  #ends(holder: string | undefined): void {
    if (holder === undefined) return
    const now = Date.now()
    const life = this.lives.findLast((one) => one.holder === holder)
    if (life === undefined) this.lives.push({ holder, from: now, to: now })
    else life.to = Math.min(life.to, now)
  }
}

const isThere = (child: ChildProcess | undefined): child is ChildProcess =>
  child !== undefined && child.exitCode === null && child.signalCode === null

async function heard(child: ChildProcess): Promise<void> {
  const said = Promise.withResolvers<void>()
  child.once('message', () => said.resolve())
  child.once('exit', () => said.resolve())
  await within(BOOT_MS, said.promise, 'the start of a producer')
}
