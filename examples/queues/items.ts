import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const mails = supervisor.workers.queue<string, number>({
  name: 'mails',
  handler: async (address) => address.length,
})

await mails.put('ada@example.org') // accepted
console.log(mails.tryPut('bob@example.org')) // → true
console.log(await mails.putMany(['cyd@example.org', 'dee@example.org'])) // → 2
console.log(await mails.run('eve@example.org')) // → 15
console.log(mails.size, mails.state, mails.info().runs) // → 0 idle 5
