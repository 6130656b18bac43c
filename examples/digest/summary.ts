/** The last words of the job: what was done, how tasks waited and ran, what was found. */
import { relative, toLine } from './byte-path.ts'
import { formatBytes, formatCount, formatMany, formatMs, formatTable } from './format.ts'
import type { Ledger } from './ledger.ts'
import { type Report, ratioOf } from './report.ts'
import type { Quantiles } from './timings.ts'

/** Findings and failures that are printed; the report has them all. */
const SHOWN = 10
const HEAD = ['band', 'runs in', 'tasks', 'wait p50', 'p95', 'max', 'run p50', 'p95', 'max']

/** What this process began with. */
export interface Before {
  /** Epoch ms. */
  readonly begunAt: number
  readonly done: Pick<Ledger['done'], 'files' | 'bytes'>
}

export function summaryOf({ root, endedAt, ledger }: Report, { begunAt, done: before }: Before): string[] {
  const { found, done, findings, failures } = ledger
  const seconds = Math.max(0.001, (endedAt - begunAt) / 1000)
  const perSecond = (count: number): number => Math.round(count / seconds)
  const speed =
    `${formatCount(perSecond(done.files - before.files))} files/s, ` +
    `${formatBytes(perSecond(done.bytes - before.bytes))}/s`
  const ratio = ratioOf(done)
  return [
    `${formatMany(done.files, 'file')} of ${formatCount(found.files)}, ${formatBytes(done.bytes)}, ` +
      `in ${seconds.toFixed(1)} s (${speed})${before.files === 0 ? '' : `; ${formatCount(before.files)} of them before`}`,
    `Brotli makes ${formatBytes(done.brotliBytes)} of it${ratio === null ? '' : ` (ratio ${ratio})`}; ` +
      `${formatMany(done.packages, 'package.json', 'package.json files')} checked`,
    `${formatMany(found.directories, 'directory', 'directories')}; left out: ` +
      `${formatMany(found.links, 'symbolic link')}, ${formatMany(found.special, 'special file')}, ` +
      `${formatMany(found.mounts, 'other file system')}`,
    '',
    ...formatTable([HEAD, ...rows(ledger.timings)], [2, 3, 4, 5, 6, 7, 8]),
    '',
    ...section(
      'finding',
      findings.map(({ path, finding, detail }) => `${finding}  ${toLine(relative(root, path))}  ${detail}`),
    ),
    ...section(
      'failure',
      failures.map(({ task, error }) => `${task}: ${error}`),
    ),
  ]
}

function rows(timings: Report['ledger']['timings']): string[][] {
  const cells = (of: Quantiles | null): string[] =>
    of === null ? ['–', '–', '–'] : [of.p50, of.p95, of.max].map(formatMs)
  return timings
    .rows()
    .map((row) => [
      row.band,
      row.execution,
      formatCount(row.tasks),
      ...cells(row.waitMs),
      ...cells(row.runMs),
    ])
}

function section(noun: string, lines: readonly string[]): string[] {
  const more = lines.length - SHOWN
  return [
    `${formatMany(lines.length, noun)}${lines.length === 0 ? '' : ':'}`,
    ...lines.slice(0, SHOWN).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more, all in the report`] : []),
  ]
}
