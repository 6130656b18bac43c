import { setTimeout as sleep } from 'node:timers/promises'
import { threadName } from 'node:worker_threads'
import { defineTask } from '../../src/task.ts'

const module = import.meta.url

// Its place: it runs on loop `io` unless a submission says otherwise.
export const fetchPage = defineTask({ name: 'fetchPage', module, loop: 'io' }, async (page: number, ctx) => {
  await sleep(20, undefined, { signal: ctx.signal })
  return page * 100
})

export const where = defineTask({ name: 'where', module }, () => threadName || 'the main thread')

export const hang = defineTask({ name: 'hang', module, graceMs: 100 }, (_: undefined, ctx) => {
  ctx.progress(1)
  for (;;);
})

export const waits = defineTask({ name: 'waits', module }, async (_: undefined, ctx) => {
  ctx.progress(1)
  await sleep(60_000, undefined, { signal: ctx.signal })
})
