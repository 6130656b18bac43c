/** What is tested of a queue's client holds for PostgreSQL, too: the same tests. */
import { describe } from 'vitest'
import { dropReused } from '../store/postgres-kit.ts'
import { useEngine } from './engine.ts'

useEngine('postgres')
dropReused()

describe('queue-acts', async () => void (await import('./queue-acts.test.ts')))
describe('schedules', async () => void (await import('./schedules.test.ts')))
describe('join', async () => void (await import('./join.test.ts')))
describe('progress', async () => void (await import('./progress.test.ts')))
