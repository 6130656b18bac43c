/** bench/RESULTS.md: one whole run, and the notes that people write under it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Scale, Table } from './question.ts'
import { markdownTable, summary } from './report.ts'

export interface Answer {
  readonly name: string
  readonly description: string
  readonly tables: readonly Table[]
}

export interface Results {
  readonly facts: readonly (readonly [label: string, value: string])[]
  readonly scale: Scale
  readonly answers: readonly Answer[]
}

const FILE = new URL('../RESULTS.md', import.meta.url)
const NOTES = '## Notes'

const HEADER = `# Benchmark results

Written by \`npm run bench -- --write\`. Do not edit anything but the section "Notes", which is kept.

How to read it:

- Each question ran in a fresh process. Its sides took turns (A B A B …) after warm-up rounds, with the
  garbage collected before each round, so what else the machine did falls on all sides alike.
- A figure is the median of the rounds, with the least and the most in brackets. Times of one machine say
  little about another: read the **ratios**, which are taken round by round. Above 1, Stateward is the faster.
- Sides do the same work: the same handler, one promise per task, all collected in one \`Promise.all\`.
- "met" and "MISSED" hold the median against the target. Cells that Stateward loses stay in.`

export function writeResults(results: Results): void {
  const { facts, scale, answers } = results
  const parts = [
    HEADER,
    ...(scale === 'full' ? [] : [`**This is a ${scale} run: smaller sizes, fewer rounds.**`]),
    ['| | |', '|---|---|', ...facts.map(([label, value]) => `| ${label} | ${value} |`)].join('\n'),
    summary(answers.flatMap(({ tables }) => tables)),
    ...answers.flatMap(({ name, description, tables }) => [
      `## ${name}`,
      `${description}.`,
      ...tables.map(markdownTable),
    ]),
    notes(),
  ]
  writeFileSync(FILE, `${parts.join('\n\n')}\n`)
}

function notes(): string {
  const old = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  const from = old.indexOf(`\n${NOTES}\n`)
  return from < 0 ? `${NOTES}\n\nNone.` : old.slice(from).trim()
}
