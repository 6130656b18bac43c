// Everything that must be green, in order, stopping at the first step that is not. `npm test` runs it.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { ALREADY_BUILT } from './pack.ts'

const VITEST_REPORT = 'reports/vitest.json'

type Step = { script: string; args?: string[] }

const STEPS: Step[] = [
  { script: 'check:types' },
  { script: 'check:lint' },
  { script: 'check:unused' },
  { script: 'check:api' },
  { script: 'build:page' },
  {
    script: 'test:unit',
    args: ['--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`],
  },
  { script: 'build' },
  { script: 'check:package' },
  { script: 'visualize:check' },
  { script: 'test:package' },
]

rmSync(VITEST_REPORT, { force: true })
const failed = STEPS.find((step) => !passes(step))
if (!failed || failed.script === 'test:unit') printSummary()
if (failed) {
  console.error(`\nStopped: npm run ${failed.script} failed`)
  process.exitCode = 1
}

function passes({ script, args = [] }: Step): boolean {
  console.log(`\n▶ ${script}`)
  const startedAt = performance.now()
  const { status } = spawnSync(process.execPath, ['--run', script, '--', ...args], { stdio: 'inherit' })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${status === 0 ? '✔' : '✘'} ${script} ${seconds} s`)
  if (script === 'build') process.env[ALREADY_BUILT] = '1'
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
