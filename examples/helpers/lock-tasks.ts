import { defineTask, lock, runContext } from '../../src/task.ts'

const ledger = lock('ledger')
export const context = runContext<{ tenant: string; entries: number }>()

async function write(text: string): Promise<string> {
  // Called with the lock held: the same run passes through.
  return ledger.run(() => `${context.get('tenant')}: ${text}`)
}

export const book = defineTask({ name: 'book', module: import.meta.url }, (text: string, ctx) =>
  ledger.run(() => write(text), { timeoutMs: 1_000, signal: ctx.signal }),
)

export const audit = defineTask(
  { name: 'audit', module: import.meta.url, context: { tenant: 'nobody' } },
  async (_: undefined, ctx) => {
    context.set('entries', 3)
    const inner = await ctx.submit(look, undefined, { execution: 'thread' }).result
    return `${inner}, then ${context.get('entries')}`
  },
)

export const look = defineTask({ name: 'look', module: import.meta.url }, () => {
  context.set('entries', (context.get('entries') ?? 0) + 1)
  return `${context.get('tenant')} ${context.get('entries')} in ${context.run?.name}`
})
