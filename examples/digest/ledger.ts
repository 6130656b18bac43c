/**
 * What the job has found and done, read from its queue: only what is committed there counts, and it counts
 * once, however many processes have worked on it.
 */
import type { Queue, StoredTask } from '../../src/runtime/durable/index.ts'
import type { ListedFile } from './directory.ts'
import type { FileDigest } from './file-digest.ts'
import { type Finding, isFinding } from './finding.ts'
import type { LeftOut, ListInput } from './tasks.ts'
import type { Timed } from './timed.ts'
import { Timings } from './timings.ts'

/** A task that did not do its work. */
export interface Failure {
  readonly task: string
  readonly error: string
}

/** So many tasks are read at once. */
const PAGE = 500

const EXECUTIONS = { digest: 'thread', 'check-package': 'process' } as const

export class Ledger {
  readonly files: FileDigest[] = []
  readonly findings: Finding[] = []
  readonly failures: Failure[] = []
  readonly timings: Timings = new Timings()
  /** What the listings have found. */
  readonly found = { directories: 0, files: 0, bytes: 0, links: 0, special: 0, mounts: 0 }
  readonly done = { files: 0, bytes: 0, brotliBytes: 0, packages: 0 }

  static async read(queue: Queue): Promise<Ledger> {
    const ledger = new Ledger()
    let after: string | undefined
    do {
      const page = await queue.list({ limit: PAGE, order: 'oldest', ...(after && { after }) })
      for (const task of page.tasks) ledger.#take(task)
      after = page.next
    } while (after !== undefined)
    return ledger
  }

  #take(task: StoredTask): void {
    const { name, state, input } = task
    if (name === 'digest') this.#find(input as ListedFile)
    if (name === 'list' && state !== 'finished') this.#leaveOut((input as ListInput).listed?.leftOut.value)
    switch (state) {
      case 'finished':
        this.#keep(name, (task.result as Timed<unknown>).value)
        break
      case 'failed':
      case 'terminated':
      case 'cancelled':
        this.#fail(task)
        break
      default:
        return
    }
    this.#time(task)
  }

  #find({ bytes }: ListedFile): void {
    this.found.files += 1
    this.found.bytes += bytes
  }

  #leaveOut({ links, special, mounts, findings }: LeftOut = NOTHING): void {
    this.found.links += links
    this.found.special += special
    this.found.mounts += mounts
    this.findings.push(...findings)
  }

  #keep(task: string, value: unknown): void {
    if (task === 'digest') this.#keepDigest(value as FileDigest | Finding)
    else if (task === 'list') {
      this.found.directories += 1
      this.#leaveOut(value as LeftOut)
    } else if (task === 'check-package') {
      this.done.packages += 1
      if (value !== null) this.findings.push(value as Finding)
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

  #fail({ description, state, error, reason }: StoredTask): void {
    this.failures.push({ task: description, error: error?.message ?? reason ?? state })
  }

  #time({ name, priority, result, createdAt, runAt, startedAt, endedAt = runAt }: StoredTask): void {
    const execution = EXECUTIONS[name as keyof typeof EXECUTIONS] ?? 'async'
    const waitMs = startedAt === undefined ? endedAt - createdAt : startedAt - runAt
    this.timings.add(priority, execution, Math.max(0, waitMs), (result as Timed<unknown> | undefined)?.ms)
  }
}

const NOTHING: LeftOut = { links: 0, special: 0, mounts: 0, findings: [] }
