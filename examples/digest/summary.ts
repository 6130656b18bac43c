/** The last words of the job: what was done, how tasks waited and ran, what was found. */
import { relative, toLine } from './byte-path.ts'
import { formatBytes, formatCount, formatMany, formatMs, formatTable } from './format.ts'
import { type Report, ratioOf } from './report.ts'
import type { Quantiles } from './timings.ts'

/** Findings and failures that are printed; the report has them all. */
const SHOWN = 10
const HEAD = ['band', 'runs in', 'tasks', 'wait p50', 'p95', 'max', 'run p50', 'p95', 'max']

export function summaryOf({ root, startedAt, endedAt, ledger }: Report): string[] {
  const { found, done, findings, failures } = ledger
  const seconds = Math.max(0.001, (endedAt - startedAt) / 1000)
  const speed = `${formatCount(Math.round(done.files / seconds))} files/s, ${formatBytes(done.bytes / seconds)}/s`
  const ratio = ratioOf(done)
  return [
    `${formatMany(done.files, 'file')} of ${formatCount(found.files)}, ${formatBytes(done.bytes)}, ` +
      `in ${seconds.toFixed(1)} s (${speed})`,
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
