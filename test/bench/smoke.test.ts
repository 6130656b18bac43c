/** The benchmark harness runs: sizes are tiny and figures mean nothing. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a benchmark answers its question in a process of its own', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    'bench/run.ts',
    'throughput',
    'compile',
    '--scale=smoke',
  ])
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^Node\.js +v\d+/m)
  expect(stdout).toMatch(/^plain +200 .+ (?:met|MISSED)$/m)
  expect(stdout).toMatch(/^compiled, actor .+ ≥ 8 +(?:met|MISSED)$/m)
  expect(stdout).toMatch(/^\d+ targets met, \d+ missed$/m)
})
