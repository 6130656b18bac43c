/**
 * Asks the benchmark questions, each in a process of its own, and prints the answers.
 *
 *   node bench/run.ts [question …] [--quick] [--write]
 *
 * `--quick` takes smaller sizes and fewer rounds; `--write` puts the run into bench/RESULTS.md, whose
 * `## Notes` it keeps.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { machineFacts } from './harness/machine.ts'
import {
  QUESTIONS,
  type Question,
  type QuestionName,
  SCALES,
  type Scale,
  type Table,
} from './harness/question.ts'
import { summary, terminalTable } from './harness/report.ts'
import { type Answer, writeResults } from './harness/results.ts'

/** A question that hangs must not hang the rest. */
const LONGEST_MS = 600_000
/** Tells a child process which question is its own. */
const CHILD = 'STATEWARD_BENCH_QUESTION'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    scale: { type: 'string' },
  },
})
const scale = oneOf(SCALES, values.scale ?? (values.quick ? 'quick' : 'full'))
const mine = process.env[CHILD]

if (mine === undefined) await askAll()
else await answer(oneOf(QUESTIONS, mine))

async function askAll(): Promise<void> {
  const names = positionals.length === 0 ? [...QUESTIONS] : positionals.map((name) => oneOf(QUESTIONS, name))
  if (values.write && positionals.length > 0)
    fail('--write wants all questions: the file holds one whole run.')
  const startedAt = performance.now()
  const facts = machineFacts()
  for (const [label, value] of facts) console.log(`${label.padEnd(12)} ${value}`)
  const answers: Answer[] = []
  for (const name of names) {
    const answered = await ask(name)
    if (answered === undefined) process.exitCode = 1
    else answers.push(answered)
  }
  console.log(`\n${summary(answers.flatMap(({ tables }) => tables))}`)
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s in all, scale ${scale}`)
  if (values.write && answers.length === names.length) writeResults({ facts, scale, answers })
}

async function ask(name: QuestionName): Promise<Answer | undefined> {
  const startedAt = performance.now()
  const child = fork(import.meta.filename, ['--scale', scale], {
    execArgv: ['--expose-gc'],
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
    env: { ...process.env, [CHILD]: name },
  })
  let answered: Answer | undefined
  child.on('message', (message) => {
    answered = message as Answer
  })
  const [code, signal] = await once(child, 'exit')
  if (code !== 0 || answered === undefined) {
    console.error(`\n${name}: no answer (${signal ?? `exit code ${code}`})`)
    return undefined
  }
  console.log(`\n━━ ${name}: ${answered.description} (${seconds(startedAt)} s)`)
  for (const table of answered.tables) console.log(`\n${terminalTable(table)}`)
  return answered
}

async function answer(name: QuestionName): Promise<void> {
  const { description, run } = (await import(`./${name}.bench.ts`)) as Question
  const tables: Table[] = await run(scale as Scale)
  process.send?.({ name, description, tables } satisfies Answer)
  process.disconnect?.()
}

function seconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(0)
}

function oneOf<Name extends string>(names: readonly Name[], given: string): Name {
  const known = names.find((name) => name === given)
  return known ?? fail(`"${given}" is not one of ${names.join(', ')}.`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
