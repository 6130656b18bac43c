/**
 * The tasks of the job. This module is loaded by the program and by every thread and process.
 *
 * | task | execution | band | does |
 * |---|---|---|---|
 * | `list` | async | normal | lists one directory; submits the others for what it finds |
 * | `digest` | thread | high, or low beyond 256 KiB | SHA-256 and Brotli size of one file |
 * | `check-package` | process | normal | holds one package.json against npm's rules |
 * | `report` | async | critical | writes the report when all others have ended |
 *
 * What a listing submits is `detached`: it outlives the listing, which awaits nothing and so holds its
 * slot only while it reads.
 */
import { defineTask, type TaskDefinition } from '../../src/task.ts'
import { type BytePath, toLine } from './byte-path.ts'
import { type Entries, entriesOf, type ListedFile, namesIn } from './directory.ts'
import { digestLarge, digestSmall, type FileDigest, LARGE_BYTES } from './file-digest.ts'
import { type Finding, findingOf } from './finding.ts'
import { type Report, writeReport } from './report.ts'

/** What all listings of one job share. They run on the program's own loop: it is not copied. */
export interface Walk {
  /** Only its file system is walked. */
  readonly device: number
  /** The report of an earlier job, if it lies in the tree. */
  readonly except: BytePath
  /** Whether so many files wait that listing had better wait, too. */
  isFull(): boolean
  /** Told what was found, before any of it is done. */
  found(part: Found): void
}

export interface ListInput {
  readonly walk: Walk
  readonly directory: BytePath
  /** What is left of a directory that was listed in part. */
  readonly rest?: { readonly names: readonly BytePath[]; readonly at: number }
}

/** What a directory, or a part of it, holds; files beyond those to digest are only counted. */
export interface Found extends Pick<Entries, 'links' | 'special' | 'mounts' | 'findings'> {
  readonly files: number
  readonly bytes: number
}

export interface Checked {
  readonly path: BytePath
  readonly problem: Finding | undefined
}

const { url: module } = import.meta
/** Entries of a directory that are submitted before others get their turn. */
const PART = 1_000
const FULL_RETRY_MS = 50

export const list: TaskDefinition<ListInput, void> = defineTask(
  { name: 'list', description: ({ directory }: ListInput) => `List ${toLine(directory)}` },
  async ({ walk, directory, rest }: ListInput, ctx) => {
    if (walk.isFull()) return ctx.snooze(FULL_RETRY_MS)
    const { names, at } = rest ?? (await begin(walk, directory))
    const part = await entriesOf(directory, names.slice(at, at + PART), walk.device)
    const files = part.files.filter(({ path }) => path !== walk.except)
    walk.found({ ...part, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) })
    for (const child of part.directories) ctx.submit(list, { walk, directory: child }, { detached: true })
    for (const file of files) {
      const large = file.bytes > LARGE_BYTES
      ctx.submit(digest, file, { priority: large ? 'low' : 'high', detached: true })
      if (file.path.endsWith('/package.json')) ctx.submit(packageCheck, file.path, { detached: true })
    }
    if (at + PART >= names.length) return
    return ctx.next(list.call({ walk, directory, rest: { names, at: at + PART } }))
  },
)

export const digest: TaskDefinition<ListedFile, FileDigest | Finding> = defineTask(
  {
    name: 'digest',
    module,
    execution: 'thread',
    description: ({ path }: ListedFile) => `Digest ${toLine(path)}`,
    metadata: ({ bytes }: ListedFile) => ({ bytes }),
  },
  (file: ListedFile, ctx) => {
    if (file.bytes <= LARGE_BYTES) return digestSmall(file)
    return digestLarge(file, ctx.signal, (bytes) => ctx.progress((100 * bytes) / file.bytes))
  },
)

export const packageCheck: TaskDefinition<BytePath, Checked> = defineTask(
  {
    name: 'check-package',
    module,
    execution: 'process',
    runTimeoutMs: 30_000,
    // Another process may survive what ended the first.
    retry: { attempts: 2 },
    description: (path: BytePath) => `Check ${toLine(path)}`,
  },
  async (path: BytePath) => {
    // Threads load this module, too, and need none of that.
    const { checkPackage } = await import('./package-check.ts')
    return { path, problem: checkPackage(path) }
  },
)

export const report = defineTask(
  { name: 'report', priority: 'critical' },
  ({ file, content }: { file: string; content: Report }, ctx) => writeReport(file, content, ctx.signal),
)

/** A directory that cannot be listed has no names, and a finding. */
async function begin(walk: Walk, directory: BytePath): Promise<NonNullable<ListInput['rest']>> {
  try {
    return { names: await namesIn(directory), at: 0 }
  } catch (error) {
    const findings = [findingOf(directory, error)]
    walk.found({ files: 0, bytes: 0, links: 0, special: 0, mounts: 0, findings })
    return { names: [], at: 0 }
  }
}
