import { after, createSupervisor, defineTask } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()
const load = defineTask({ name: 'load' }, (rows: number) => rows)
const done = Promise.withResolvers<void>()

// Whenever `load` has succeeded since it last ran itself.
supervisor.workers.event({ name: 'sum up', when: after(load), handler: () => done.resolve() })
await supervisor.submit(load, 100).result
await done.promise
console.log('summed up') // → summed up

// An interval worker lets occurrences go by while its condition does not hold.
let isOpen = false
const seen = Promise.withResolvers<void>()
supervisor.workers.interval({
  name: 'shop',
  intervalMs: 5,
  when: () => isOpen,
  handler: () => seen.resolve(),
})
isOpen = true
await seen.promise
console.log('open') // → open
