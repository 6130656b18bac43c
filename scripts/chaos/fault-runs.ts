/**
 * The section "Fault runs" of bench/RESULTS.md: one row for each store and kind of fault, the newest one. A run of some kinds
 * leaves the rows of the others as they are.
 */
import { availableParallelism, cpus } from 'node:os'
import { writeSection } from '../../bench/harness/sections.ts'

/** What came of one kind of fault. */
export interface FaultRun {
  readonly store: string
  readonly faults: string
  readonly rounds: number
  /** Tasks that a producer was told are stored. */
  readonly promised: number
  readonly attempts: number
  /** Leases of dead or stopped daemons that others have taken back. */
  readonly takenBack: number
  /** The latest of them: from the end of the holder, and from when its lease was over and a daemon was there; ms. */
  readonly latestMs: number
  readonly latestChanceMs: number
  /** Lost while nobody could reach the store. */
  readonly inGaps: number
  /** From the return of the store to the end of the next task, ms. `undefined`: it was not away. */
  readonly backMs: number | undefined
  readonly lost: number
  readonly stuck: number
  readonly twice: number
  readonly problems: readonly string[]
  /** Node, the database, the commit and the day. */
  readonly versions: string
}

const COLUMNS: readonly (readonly [head: string, cell: (run: FaultRun) => string | number])[] = [
  ['store', ({ store }) => store],
  ['faults', ({ faults }) => faults],
  ['rounds', ({ rounds }) => rounds],
  ['tasks promised', ({ promised }) => promised],
  ['attempts', ({ attempts }) => attempts],
  ['leases taken back', ({ takenBack }) => takenBack],
  ['latest after the fault, ms', ({ takenBack, latestMs }) => (takenBack === 0 ? '' : latestMs)],
  [
    'latest after it could be, ms',
    ({ takenBack, latestChanceMs }) => (takenBack === 0 ? '' : latestChanceMs),
  ],
  ['lost while the store was away', ({ backMs, inGaps }) => (backMs === undefined ? '' : inGaps)],
  ['next task after its return, ms', ({ backMs }) => backMs ?? ''],
  ['lost', ({ lost }) => lost],
  ['stuck', ({ stuck }) => stuck],
  ['twice at once', ({ twice }) => twice],
  ['verdict', ({ problems }) => (problems.length === 0 ? 'passed' : `FAILED (${problems.length} problems)`)],
  ['with', ({ versions }) => versions],
]

const INTRODUCTION = `Written by \`npm run chaos -- --write\`: two daemons and a producer under load, and what can happen to them (see
scripts/chaos.ts). "After the fault" counts from the kill or the stop of the holder, "after it could be" from the end of its lease,
or from when a daemon was there to see it. Nothing may be lost or stuck, nothing may run twice at the same time, and what could be taken
back has to be so within a second.`

export function faultRow(run: FaultRun): string {
  return rowOf(COLUMNS.map(([, cell]) => String(cell(run))))
}

export function headRows(): string[] {
  return [rowOf(COLUMNS.map(([head]) => head)), `|${'---|'.repeat(COLUMNS.length)}`]
}

/** The rows of other stores and faults are kept. */
export function writeFaultRuns(runs: readonly FaultRun[], leaseMs: number): void {
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores; leases of ${leaseMs} ms.`
  writeSection('Fault runs', (old) => {
    const rows = new Map(oldRows(old).map((row) => [keyOf(row), row]))
    for (const run of runs) rows.set(keyOf(faultRow(run)), faultRow(run))
    return [INTRODUCTION, machine, [...headRows(), ...[...rows.values()].sort()].join('\n')].join('\n\n')
  })
}

const rowOf = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '/')).join(' | ')} |`

const keyOf = (row: string): string => row.split('|').slice(1, 3).join('|')

function oldRows(section: string): string[] {
  const rows = section.split('\n').filter((line) => line.startsWith('| '))
  return rows[0] === headRows()[0] ? rows.slice(1) : []
}
