/**
 * The report: one JSON object.
 *
 * | key | holds |
 * |---|---|
 * | `format` | `"stateward-digest/1"` |
 * | `root` | the directory, absolute |
 * | `complete` | whether the whole tree was done; `signal` is what stopped the job, or `null` |
 * | `startedAt`, `endedAt` | epoch ms |
 * | `found` | what was listed: directories, files, bytes; links, special files and mounts, all left out |
 * | `done` | files digested, their bytes, those after Brotli, package.json files checked |
 * | `tasks` | per band and execution: tasks, `waitMs` and `runMs` as `{ p50, p95, max }`, `runMs` `null` if none ran |
 * | `findings` | `{ path, finding, detail }`, `finding` being `unreadable`, `vanished`, `changed` or `package` |
 * | `failures` | `{ task, error }`: tasks that did not do their work |
 * | `files` | `{ path, bytes, sha256, brotliBytes, ratio }`; `ratio` is `brotliBytes / bytes`, `null` if empty |
 *
 * Paths are relative to `root`, `/` between their parts, in the order of their bytes. A byte of a name that is
 * no UTF-8 stands as a lone surrogate (byte-path.ts). `sha256` is what `sha256sum` prints.
 *
 * It is written beside its place and moved there when it is whole, item by item: a long list never becomes
 * one string.
 */
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type BytePath, relative, toText } from './byte-path.ts'
import type { FileDigest } from './file-digest.ts'
import type { Finding } from './finding.ts'
import type { Ledger } from './ledger.ts'

export interface Report {
  readonly root: BytePath
  readonly signal: NodeJS.Signals | undefined
  readonly startedAt: number
  readonly endedAt: number
  readonly ledger: Ledger
}

/** Characters that are written at once. */
const BLOCK = 64 * 1024

export async function writeReport(file: string, report: Report, signal?: AbortSignal): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    const options = signal === undefined ? {} : { signal }
    await pipeline(inBlocks(linesOf(report)), createWriteStream(draft), options)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function* linesOf({ root, signal, startedAt, endedAt, ledger }: Report): Generator<string> {
  const { found, done, failures } = ledger
  const head = {
    format: 'stateward-digest/1',
    root: toText(root),
    complete: signal === undefined && failures.length === 0,
    signal: signal ?? null,
    startedAt,
    endedAt,
    found,
    done: { ...done, ratio: ratioOf(done) },
    tasks: ledger.timings.rows(),
    failures,
  }
  yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n`
  yield* list('findings', byPath(ledger.findings), ({ path, finding, detail }: Finding) => {
    return { path: toText(relative(root, path)), finding, detail }
  })
  yield ',\n'
  yield* list('files', byPath(ledger.files), ({ path, bytes, sha256, brotliBytes }: FileDigest) => {
    const ratio = ratioOf({ bytes, brotliBytes })
    return { path: toText(relative(root, path)), bytes, sha256, brotliBytes, ratio }
  })
  yield '\n}\n'
}

function* list<Item>(key: string, items: readonly Item[], show: (item: Item) => object): Generator<string> {
  yield `  "${key}": [`
  let before = '\n'
  for (const item of items) {
    yield `${before}    ${JSON.stringify(show(item))}`
    before = ',\n'
  }
  yield items.length === 0 ? ']' : '\n  ]'
}

function* inBlocks(lines: Iterable<string>): Generator<string> {
  let block = ''
  for (const line of lines) {
    block += line
    if (block.length < BLOCK) continue
    yield block
    block = ''
  }
  yield block
}

function byPath<Item extends { readonly path: BytePath }>(items: readonly Item[]): Item[] {
  return [...items].sort((one, two) => (one.path < two.path ? -1 : one.path > two.path ? 1 : 0))
}

export function ratioOf({ bytes, brotliBytes }: { bytes: number; brotliBytes: number }): number | null {
  return bytes === 0 ? null : Number((brotliBytes / bytes).toFixed(4))
}
