/** What is tested of a daemon holds for PostgreSQL, too: the same tests. */
import { describe } from 'vitest'
import { dropReused } from '../store/postgres-kit.ts'
import { useEngine } from './engine.ts'

useEngine('postgres')
dropReused()

describe('daemon-runs', async () => void (await import('./daemon-runs.test.ts')))
describe('daemon-refusals', async () => void (await import('./daemon-refusals.test.ts')))
describe('daemon-slow', async () => void (await import('./daemon-slow.test.ts')))
describe('daemon-schedules', async () => void (await import('./daemon-schedules.test.ts')))
describe('daemon-events', async () => void (await import('./daemon-events.test.ts')))
describe('end-schedule', async () => void (await import('./end-schedule.test.ts')))
describe('overdue', async () => void (await import('./overdue.test.ts')))
describe('expiry', async () => void (await import('./expiry.test.ts')))
describe('chains', async () => void (await import('./chains.test.ts')))
describe('chain-cost', async () => void (await import('./chain-cost.test.ts')))
describe('retention', async () => void (await import('./retention.test.ts')))
describe('results', async () => void (await import('./results.test.ts')))
