/** What goes through a database goes through PostgreSQL as well: the same tests. */
import { describe } from 'vitest'
import { useEngine } from '../durable/engine.ts'
import { dropReused } from '../store/postgres-kit.ts'

useEngine('postgres')
dropReused()

describe('PostgreSQL', async () => void (await import('./queue-spans.test.ts')))
