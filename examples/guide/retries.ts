import { createSupervisor, defineTask } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const fetchPrice = defineTask(
  {
    name: 'fetchPrice',
    retry: {
      attempts: 3,
      backoff: { kind: 'exponential', initialMs: 5, jitter: 'none' },
      retryIf: (error) => (error as Error).message !== 'unknown item',
    },
  },
  (item: string, ctx) => {
    if (item === '') throw new Error('unknown item')
    if (ctx.attempt < 3) throw new Error('503')
    return 42
  },
)

supervisor.on('task.retrying', ({ attempt, delayMs }) => console.log(attempt, delayMs))
const price = supervisor.submit(fetchPrice, 'tea')
// → 1 5
// → 2 10
console.log(await price.result, price.attempt) // → 42 3
const unknown = supervisor.submit(fetchPrice, '')
console.log(await unknown.result.catch((error) => error.attempts)) // → 1

const save = defineTask({ name: 'save' }, (text: string) => `saved ${text}`)
let ready = false
const load = defineTask({ name: 'load' }, (id: number, ctx) => {
  if (id === 0) return ctx.skip('no such document')
  if (!ready) {
    ready = true
    return ctx.snooze(10)
  }
  return ctx.next(save.call(`document ${id}`))
})

const skipped = supervisor.submit(load, 0)
console.log(await skipped.result, skipped.skipped, skipped.state) // → undefined true finished
const moved = supervisor.submit(load, 7)
console.log(await moved.result, moved.name, moved.attempt) // → saved document 7 save 1
