/** The benchmark harness runs: sizes are tiny and figures mean nothing. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const bench = (...questions: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, ['bench/run.ts', ...questions, '--scale=smoke'])

test('a benchmark answers its question in a process of its own', async () => {
  const { stdout, stderr } = await bench('throughput', 'compile')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^Node\.js +v\d+/m)
  expect(stdout).toMatch(/^plain +200 .+ (?:met|MISSED)$/m)
  expect(stdout).toMatch(/^compiled, actor .+ ≥ 8 +(?:met|MISSED)$/m)
  expect(stdout).toMatch(/^\d+ targets met, \d+ missed$/m)
})

// Some peers know whole seconds only.
test('the benchmarks of what runs again and again answer', { timeout: 60_000 }, async () => {
  const [interval, workers] = await Promise.all([bench('interval'), bench('workers')])
  expect(interval.stderr + workers.stderr).toBe('')
  expect(interval.stdout).toMatch(/^10 ms +stateward .+ p99 < 3 ms +(?:met|MISSED)$/m)
  for (const side of ['stateward', 'stateward, cron', 'setInterval', 'toad-scheduler', 'node-cron', 'Bree']) {
    expect(interval.stdout).toMatch(new RegExp(`^1000 ms +${side}`, 'm'))
  }
  expect(workers.stdout).toMatch(/^20 +setInterval +\d/m)
  expect(workers.stdout).toMatch(/^each its own +20 +croner +\d/m)
})

test('the benchmark of being watched answers', { timeout: 60_000 }, async () => {
  const { stdout, stderr } = await bench('inspector')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^\d+ +100 +1 +[\d.]+ .+ ≤ 15 % +(?:met|MISSED)$/m)
})

// Each side of an engine is a process of its own.
test('the benchmark of the durable queue answers, with Redis or without', { timeout: 180_000 }, async () => {
  const { stdout, stderr } = await bench('durable')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^1 +done +[\d,]+ +(?:[\d,]+ .+|not measured: no redis-server)/m)
  expect(stdout).toMatch(/^drain +50 +[\d,]+/m)
  expect(stdout).toMatch(/^stateward +\d.+ p50 < 3 ms, idle < 0.5 % +(?:met|MISSED)$/m)
  expect(stdout).toMatch(/^500 +[\d,]+ +[\d,]+/m)
})

test('the benchmark of the queue on PostgreSQL answers', { timeout: 180_000 }, async () => {
  const { stdout, stderr } = await bench('postgres')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^drain +50 +[\d,]+ +[\d,]+ +[\d,]+ .+ ≥ 0.7 +(?:met|MISSED)$/m)
  for (const side of ['stateward', 'pg-boss', 'graphile-worker']) {
    expect(stdout).toMatch(new RegExp(`^${side} +[\\d.]+ +[\\d.]+`, 'm'))
  }
})

test('the benchmark of the HTTP API answers', { timeout: 60_000 }, async () => {
  const { stdout, stderr } = await bench('http')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^POST one task +2 +[\d,]+ +[\d,]+ +[\d.]+$/m)
  expect(stdout).toMatch(/^GET one task +2 +[\d,]+ +[\d,]+ +[\d.]+$/m)
})
