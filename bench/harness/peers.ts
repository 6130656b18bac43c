/** Raw peers: threads and processes with nothing between them and the caller. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Piscina } from 'piscina'
import type * as functions from '../fixtures/raw.ts'

export type FunctionName = keyof typeof functions

/** Piscina with its own defaults and a fixed number of threads. */
export function rawThreads(threads: number): Piscina<number, number> {
  return new Piscina({
    filename: new URL('../fixtures/raw.ts', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
  })
}

interface RawJob {
  readonly name: FunctionName
  readonly input: number
  resolve(value: number): void
}

/** Forked processes, one job at a time in each, first come first served. */
export class RawProcesses {
  readonly #children: ChildProcess[] = []
  readonly #idle: ChildProcess[] = []
  readonly #waiting: RawJob[] = []
  readonly #running = new Map<ChildProcess, RawJob>()
  #next = 0

  constructor(processes: number) {
    for (let i = 0; i < processes; i++) {
      const child = fork(new URL('../fixtures/raw-child.ts', import.meta.url), [], {
        serialization: 'advanced',
        execArgv: [],
      })
      child.on('message', (value) => this.#done(child, value as unknown as number))
      this.#children.push(child)
      this.#idle.push(child)
    }
  }

  run(name: FunctionName, input: number): Promise<number> {
    return new Promise((resolve) => {
      const job = { name, input, resolve }
      const child = this.#idle.pop()
      if (child === undefined) this.#waiting.push(job)
      else this.#start(child, job)
    })
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#children.map((child) => {
        const exited = once(child, 'exit')
        child.disconnect()
        return exited
      }),
    )
  }

  #start(child: ChildProcess, job: RawJob): void {
    this.#running.set(child, job)
    child.send([job.name, job.input])
  }

  #done(child: ChildProcess, value: number): void {
    const job = this.#running.get(child)
    const next = this.#waiting[this.#next]
    if (next === undefined) {
      this.#waiting.length = 0
      this.#next = 0
      this.#idle.push(child)
    } else {
      this.#next += 1
      this.#start(child, next)
    }
    job?.resolve(value)
  }
}
