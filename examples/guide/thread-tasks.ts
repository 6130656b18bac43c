// Tasks that run outside the supervisor's event loop.
import { defineTask } from '../../src/task.ts'

export const count = defineTask({ name: 'count', module: import.meta.url, execution: 'thread' }, (_, ctx) => {
  let rounds = 0
  ctx.progress(0, 'counting')
  while (!ctx.aborted) rounds += 1
  return rounds
})

export const spin = defineTask({ name: 'spin', module: import.meta.url, graceMs: 50 }, (_, ctx) => {
  ctx.progress(1, 'spinning')
  for (;;);
})

export const polite = defineTask(
  { name: 'polite', module: import.meta.url, execution: 'process' },
  (_, { signal, progress }) => {
    progress(1)
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  },
)

export const crash = defineTask({ name: 'crash', module: import.meta.url }, () => process.exit(3))

export const where = defineTask({ name: 'where', module: import.meta.url }, async () => {
  const { isMainThread } = await import('node:worker_threads')
  return { pid: process.pid, isMainThread }
})
