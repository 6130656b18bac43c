/**
 * How far the job is, for those who watch: it begins with what is committed, and hears the rest from the events
 * of this process. What counts in the end is the ledger.
 */
import type { Supervisor } from '../../src/index.ts'
import type { ListedFile } from './directory.ts'
import type { FileDigest } from './file-digest.ts'
import { type Finding, isFinding } from './finding.ts'
import type { Ledger } from './ledger.ts'
import type { Timed } from './timed.ts'

export class Tally {
  readonly found: { files: number; bytes: number }
  readonly done: { files: number; bytes: number }
  /** Bytes of large files that are under way. */
  readonly #partial: Map<string, number> = new Map()

  constructor({ found, done }: Pick<Ledger, 'found' | 'done'>, supervisor: Supervisor) {
    this.found = { files: found.files, bytes: found.bytes }
    this.done = { files: done.files, bytes: done.bytes }
    supervisor.on('task.progress', ({ runId, percent }) => {
      const bytes = supervisor.get(runId)?.metadata.bytes
      if (typeof bytes === 'number') this.#partial.set(runId, (bytes * percent) / 100)
    })
    supervisor.on('task.finished', ({ name, runId, value }) => {
      this.#partial.delete(runId)
      if (name === 'digest') this.#add((value as Timed<FileDigest | Finding>).value)
    })
    for (const end of ['task.failed', 'task.terminated', 'task.cancelled'] as const)
      supervisor.on(end, ({ runId }) => this.#partial.delete(runId))
  }

  /** Bytes of ended files, and of large ones so far. */
  get bytesSeen(): number {
    let bytes = this.done.bytes
    for (const partial of this.#partial.values()) bytes += partial
    return bytes
  }

  list(files: readonly ListedFile[]): void {
    for (const { bytes } of files) {
      this.found.files += 1
      this.found.bytes += bytes
    }
  }

  #add(value: FileDigest | Finding): void {
    if (isFinding(value)) return
    this.done.files += 1
    this.done.bytes += value.bytes
  }
}
