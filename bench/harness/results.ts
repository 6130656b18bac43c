/** bench/RESULTS.md: one whole run, what others have written under it, and the notes of people. */
import { writeFileSync } from 'node:fs'
import type { Scale, Table } from './question.ts'
import { markdownTable, summary } from './report.ts'
import { FILE, readResults, sectionOf } from './sections.ts'

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

/** Not of the run: they stay as they are, in this order, and a word stands where there is none yet. */
const KEPT = [
  ['Fault runs', undefined],
  ['Notes', 'None.'],
] as const

const HEADER = `# Benchmark results

Written by \`npm run bench -- --write\`. Do not edit anything but the section "Notes", which is kept, as is
"Fault runs", which \`npm run chaos -- --write\` writes.

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
    ...kept(),
  ]
  writeFileSync(FILE, `${parts.join('\n\n')}\n`)
}

function kept(): string[] {
  const old = readResults()
  return KEPT.flatMap(([title, empty]) => {
    const body = sectionOf(old, title) || empty
    return body === undefined ? [] : `## ${title}\n\n${body}`
  })
}
