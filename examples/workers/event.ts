import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const changed: string[] = []
const done = Promise.withResolvers<void>()
const index = supervisor.workers.event({
  name: 'index',
  whileBusy: 'once',
  handler: async () => {
    const files = changed.splice(0)
    console.log('indexed', files.join(' '))
    if (files.includes('c')) done.resolve()
  },
})

// Triggers before its handler has begun mean one run.
for (const file of ['a', 'b', 'c']) {
  changed.push(file)
  index.trigger()
}
await done.promise // → indexed a b c
console.log(index.kind, index.info().skipped) // → event 2
