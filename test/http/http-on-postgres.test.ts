/** What is tested of the HTTP API holds for PostgreSQL, too: the same tests. */
import { describe } from 'vitest'
import { useEngine } from '../durable/engine.ts'
import { dropReused } from '../store/postgres-kit.ts'

useEngine('postgres')
dropReused()

describe('tasks', async () => void (await import('./tasks.test.ts')))
describe('streams', async () => void (await import('./streams.test.ts')))
