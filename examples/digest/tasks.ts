/**
 * The tasks of the job, all of them stored in its queue: what is committed there is done, whatever becomes of
 * the process. This module is loaded by the program and by every thread and process.
 *
 * | task | execution | band | does |
 * |---|---|---|---|
 * | `list` | async | normal | lists one directory, part by part; enqueues the others for what it finds |
 * | `digest` | thread | high, or low beyond 256 KiB | SHA-256 and Brotli size of one file |
 * | `check-package` | process | normal | holds one package.json against npm's rules |
 * | `report` | async | critical | writes the report when all others have ended |
 *
 * The id of a task says what it is for. So a listing whose process was killed after it had enqueued what it
 * found may do it once more: what is there already is refused by its id, and not done again.
 */
import type { EnqueueItem, Queue } from '../../src/runtime/durable/index.ts'
import { defineTask, type TaskDefinition } from '../../src/task.ts'
import { type BytePath, relative, toLine } from './byte-path.ts'
import { type Entries, entriesOf, type ListedFile, namesIn } from './directory.ts'
import { digestLarge, digestSmall, type FileDigest, LARGE_BYTES } from './file-digest.ts'
import { type Finding, findingOf } from './finding.ts'
import { type Timed, timed } from './timed.ts'

/** What the tasks that run on the program's own loop work with. Nothing of it is stored. */
export interface Walk {
  readonly queue: Queue
  readonly root: BytePath
  /** Only this file system is walked. */
  readonly device: number
  /** The report of an earlier job and the folder of the queue, if they lie in the tree. */
  readonly except: ReadonlySet<BytePath>
  /** Told what has been enqueued, for those who watch. */
  found(files: readonly ListedFile[]): void
  writeReport(signal: AbortSignal): Promise<void>
}

/** What is in a directory and gets no task. */
export type LeftOut = Pick<Entries, 'links' | 'special' | 'mounts' | 'findings'>

export interface ListInput {
  readonly directory: BytePath
  /** What is behind a directory that was listed in part. */
  readonly listed?: { readonly upTo: BytePath; readonly leftOut: Timed<LeftOut> }
}

export interface JobTasks {
  readonly list: TaskDefinition<ListInput, Timed<LeftOut>>
  readonly report: TaskDefinition<undefined, Timed<void>>
}

export const REPORT_ID = 'report'
export const rootId = (root: BytePath): string => listId(root, root)

const { url: module } = import.meta
/** Entries of a directory that are enqueued in one transaction, before others get their turn. */
const PART = 900

export const digest: TaskDefinition<ListedFile, Timed<FileDigest | Finding>> = defineTask(
  {
    name: 'digest',
    module,
    execution: 'thread',
    description: ({ path }: ListedFile) => `Digest ${toLine(path)}`,
    metadata: ({ bytes }: ListedFile) => ({ bytes }),
  },
  (file: ListedFile, ctx) =>
    timed(() => {
      if (file.bytes <= LARGE_BYTES) return digestSmall(file)
      return digestLarge(file, ctx.signal, (bytes) => ctx.progress((100 * bytes) / file.bytes))
    }),
)

/** The result is what is wrong with the file. */
export const packageCheck: TaskDefinition<BytePath, Timed<Finding | null>> = defineTask(
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
    return timed(() => checkPackage(path) ?? null)
  },
)

export function jobTasks(walk: Walk): JobTasks {
  const { root, device, except, queue } = walk
  /** Of directories that are listed in part, so that a large one is not read again for each part. */
  const names = new Map<BytePath, readonly BytePath[]>()

  const list: JobTasks['list'] = defineTask(
    { name: 'list', description: ({ directory }: ListInput) => `List ${toLine(directory)}` },
    async ({ directory, listed }: ListInput, ctx) => {
      const { value, ms } = await timed(async () => {
        const { due, upTo, findings } = await partOf(directory, listed?.upTo)
        const entries = await entriesOf(directory, due, device)
        await enqueue(entries)
        return { upTo, leftOut: { ...entries, findings: [...findings, ...entries.findings] } }
      })
      const leftOut = plus({ value: value.leftOut, ms }, listed?.leftOut)
      if (value.upTo === undefined) return leftOut
      return ctx.next(list.call({ directory, listed: { upTo: value.upTo, leftOut } }))
    },
  )

  /** By name, so that a later process goes on at the right one. A directory that cannot be listed has no names. */
  async function partOf(directory: BytePath, after: BytePath = '' as BytePath) {
    let all = names.get(directory)
    try {
      all ??= (await namesIn(directory)).sort()
    } catch (error) {
      return { due: [], upTo: undefined, findings: [findingOf(directory, error)] }
    }
    const from = all.findIndex((name) => name > after)
    const due = from === -1 ? [] : all.slice(from, from + PART)
    const isLast = from === -1 || from + PART >= all.length
    if (isLast) names.delete(directory)
    else names.set(directory, all)
    return { due, upTo: isLast ? undefined : due.at(-1), findings: [] }
  }

  async function enqueue({ files: all, directories }: Entries): Promise<void> {
    const files = all.filter(({ path }) => !except.has(path))
    const items: EnqueueItem[] = directories
      .filter((directory) => !except.has(directory))
      .map((directory) => ({ call: list.call({ directory }), runId: listId(root, directory) }))
    for (const file of files) {
      const name = relative(root, file.path)
      const priority = file.bytes > LARGE_BYTES ? 'low' : 'high'
      items.push({ call: digest.call(file), runId: `digest ${name}`, priority })
      if (file.path.endsWith('/package.json'))
        items.push({ call: packageCheck.call(file.path), runId: `check ${name}` })
    }
    if (await isNew(queue.enqueueMany(items))) walk.found(files)
  }

  const report: JobTasks['report'] = defineTask(
    { name: 'report', priority: 'critical' },
    (_: undefined, ctx) => timed(() => walk.writeReport(ctx.signal)),
  )

  return { list, report }
}

function listId(root: BytePath, directory: BytePath): string {
  return `list ${relative(root, directory)}`
}

/** False when an earlier listing had got so far; what it had not seen is stored all the same. */
async function isNew(enqueued: Promise<unknown>): Promise<boolean> {
  try {
    await enqueued
    return true
  } catch (error) {
    const { errors = [] } = ((error as Error).cause ?? {}) as Partial<AggregateError>
    const isTaken = errors.length > 0 && errors.every(({ code }) => code === 'ERR_RUN_ID_TAKEN')
    if (!isTaken) throw error
    return false
  }
}

function plus({ value, ms }: Timed<LeftOut>, before: Timed<LeftOut> | undefined): Timed<LeftOut> {
  const { links, special, mounts, findings } = value
  if (before === undefined) return { value: { links, special, mounts, findings }, ms }
  return {
    value: {
      links: before.value.links + links,
      special: before.value.special + special,
      mounts: before.value.mounts + mounts,
      findings: [...before.value.findings, ...findings],
    },
    ms: before.ms + ms,
  }
}
