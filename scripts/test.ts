// Everything that must be green, stage by stage; `npm test` runs it. The steps of a stage run side by side, each prints when it
// has ended, and what follows a stage in which one is not green is not begun.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { ALREADY_BUILT } from './pack.ts'

const VITEST_REPORT = 'reports/vitest.json'

type Step = { script: string; args?: string[] }

/** The tests have both cores to themselves: they hold programs to their times. */
const STAGES: Step[][] = [
  [
    { script: 'check:types' },
    { script: 'check:lint' },
    { script: 'check:unused' },
    { script: 'check:api' },
    { script: 'build:page' },
  ],
  [
    {
      script: 'test:unit',
      args: ['--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`],
    },
  ],
  [{ script: 'build' }],
  [{ script: 'check:package' }, { script: 'visualize:check' }, { script: 'test:package' }],
]

rmSync(VITEST_REPORT, { force: true })
const failed = await firstFailure()
if (!failed.length || failed.includes('test:unit')) printSummary()
if (failed.length > 0) {
  console.error(`\nStopped: npm run ${failed.join(', ')} failed`)
  process.exitCode = 1
}

/** The steps of the first stage that is not green. */
async function firstFailure(): Promise<string[]> {
  for (const steps of STAGES) {
    const passed = await Promise.all(steps.map((step) => passes(step, steps.length === 1)))
    if (passed.includes(false)) return steps.filter((_, index) => !passed[index]).map(({ script }) => script)
    if (steps.some(({ script }) => script === 'build')) process.env[ALREADY_BUILT] = '1'
  }
  return []
}

async function passes({ script, args = [] }: Step, isAlone: boolean): Promise<boolean> {
  if (isAlone) console.log(`\n▶ ${script}`)
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--run', script, '--', ...args], {
    stdio: ['inherit', isAlone ? 'inherit' : 'pipe', isAlone ? 'inherit' : 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const [status] = await once(child, 'close')
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (!isAlone) console.log(`\n▶ ${script}\n${output.trimEnd()}`)
  console.log(`${status === 0 ? '✔' : '✘'} ${script} ${seconds} s`)
  return status === 0
}

function printSummary(): void {
  const report = readReport()
  if (!report) return
  const skipped = report.numPendingTests + report.numTodoTests
  console.log(
    `\n${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped ? `, ${skipped} skipped` : ''}`,
  )
}

type Report = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
}

function readReport(): Report | undefined {
  try {
    return JSON.parse(readFileSync(VITEST_REPORT, 'utf8'))
  } catch {
    return undefined
  }
}
