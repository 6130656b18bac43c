/** A queue in a PostgreSQL database of its own. */
import { onTestFinished } from 'vitest'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { freshDatabase } from '../store/postgres-kit.ts'
import type { Place } from './daemon-kit.ts'

export async function postgresPlace(): Promise<Place> {
  const url = await freshDatabase()
  const queue = await openQueue({ url, by: 'test' })
  onTestFinished(() => queue.close())
  return { file: url, queue, store: storeOf(queue) }
}
