import { createSupervisor, defineTask } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()
supervisor.on('task.retrying', ({ attempt, delayMs }) => console.log(attempt, delayMs))

const retryIf = (error: unknown) => (error as Error).message !== 'unknown item'
const price = defineTask(
  { name: 'price', retry: { attempts: 3, backoff: { initialMs: 5, jitter: 'none' }, retryIf } },
  (item: string, ctx) => {
    if (item === '') throw new Error('unknown item')
    if (ctx.attempt < 3) throw new Error('503')
    return 42
  },
)
console.log(await supervisor.submit(price, 'tea').result)
// → 1 5
// → 2 10
// → 42
console.log(await supervisor.submit(price, '').result.catch((error) => error.attempts)) // → 1

const saved = defineTask({ name: 'saved' }, (text: string) => `saved ${text}`)
let ready = false
const load = defineTask({ name: 'load' }, (id: number, ctx) => {
  if (id === 0) return ctx.skip('no such document')
  if (ready) return ctx.next(saved.call(`document ${id}`))
  ready = true
  return ctx.snooze(10)
})

const skipped = supervisor.submit(load, 0)
console.log(await skipped.result, skipped.skipped, skipped.state) // → undefined true finished
const moved = supervisor.submit(load, 7)
console.log(await moved.result, '-', moved.name, moved.attempt) // → saved document 7 - saved 1
