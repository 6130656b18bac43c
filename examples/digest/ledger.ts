/**
 * What the job has found and done so far, heard from the supervisor's events: no handle of any of the many
 * runs is kept. A run is pending from `task.created` to its end; when none is, the job is done.
 */
import type { Supervisor, TaskEnded } from '../../src/index.ts'
import type { FileDigest } from './file-digest.ts'
import { type Finding, isFinding } from './finding.ts'
import { type Checked, digest, type Found, list, packageCheck } from './tasks.ts'
import { Timings } from './timings.ts'

/** A task that did not do its work. */
export interface Failure {
  readonly task: string
  readonly error: string
}

export class Ledger {
  readonly files: FileDigest[] = []
  readonly findings: Finding[] = []
  readonly failures: Failure[] = []
  readonly timings: Timings = new Timings()
  /** What the listings have found. */
  readonly found = { directories: 0, files: 0, bytes: 0, links: 0, special: 0, mounts: 0 }
  readonly done = { files: 0, bytes: 0, brotliBytes: 0, packages: 0 }
  /** Runs that a stop ended. */
  stopped = 0
  /** Resolves when every run has ended. */
  readonly idle: Promise<void>
  #pending = 0
  #digests = 0
  /** Bytes of large files that are under way. */
  readonly #partial: Map<string, number> = new Map()
  readonly #supervisor: Supervisor

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
    const { promise, resolve } = Promise.withResolvers<void>()
    this.idle = promise
    supervisor.on('task.created', ({ name }) => {
      this.#pending += 1
      if (name === digest.name) this.#digests += 1
    })
    const ended = (run: TaskEnded): void => {
      this.timings.add(run.priority, run.execution, run.queueMs, run.runMs)
      this.#partial.delete(run.runId)
      if (run.name === digest.name) this.#digests -= 1
      this.#pending -= 1
      if (this.#pending === 0) resolve()
    }
    supervisor.on('task.progress', ({ runId, percent }) => this.#note(runId, percent))
    supervisor.on('task.finished', (run) => {
      this.#keep(run.name, run.value)
      ended(run)
    })
    supervisor.on('task.failed', (run) => {
      this.#fail(run, run.error)
      ended(run)
    })
    supervisor.on('task.terminated', (run) => {
      if (run.reason === 'stop') this.stopped += 1
      else this.#fail(run, run.error)
      ended(run)
    })
    supervisor.on('task.cancelled', (run) => {
      this.stopped += 1
      ended(run)
    })
  }

  /** Files that are known and not digested yet. */
  get backlog(): number {
    return this.#digests
  }

  /** Bytes of ended files, and of large ones so far. */
  get bytesSeen(): number {
    let bytes = this.done.bytes
    for (const partial of this.#partial.values()) bytes += partial
    return bytes
  }

  /** Takes what a listing has found. */
  list({ files, bytes, links, special, mounts, findings }: Found): void {
    this.found.files += files
    this.found.bytes += bytes
    this.found.links += links
    this.found.special += special
    this.found.mounts += mounts
    this.findings.push(...findings)
  }

  #keep(task: string, value: unknown): void {
    if (task === digest.name) this.#keepDigest(value as FileDigest | Finding)
    else if (task === list.name) this.found.directories += 1
    else if (task === packageCheck.name) {
      const { problem } = value as Checked
      this.done.packages += 1
      if (problem !== undefined) this.findings.push(problem)
    }
  }

  #keepDigest(value: FileDigest | Finding): void {
    if (isFinding(value)) {
      this.findings.push(value)
      return
    }
    this.files.push(value)
    this.done.files += 1
    this.done.bytes += value.bytes
    this.done.brotliBytes += value.brotliBytes
  }

  #note(runId: string, percent: number): void {
    const bytes = this.#supervisor.get(runId)?.metadata.bytes
    if (typeof bytes === 'number') this.#partial.set(runId, (bytes * percent) / 100)
  }

  #fail({ runId, name }: TaskEnded, error: unknown): void {
    const task = this.#supervisor.get(runId)?.description ?? name
    this.failures.push({ task, error: error instanceof Error ? error.message : String(error) })
  }
}
