import { createSupervisor, defineTask } from '../../src/index.ts'

const greet = defineTask(
  { name: 'greet', parameters: { greeting: 'Hello', host: 'definition' } },
  (name: string, ctx) => {
    const { greeting, host, token } = ctx.parameters
    return `${greeting} ${name} on ${host}, ${token}`
  },
)

await using supervisor = createSupervisor({
  defaults: { parameters: { host: 'supervisor', token: () => process.env.TOKEN ?? 'no token' } },
})
await supervisor.start()

console.log(await supervisor.submit(greet, 'you').result) // → Hello you on definition, no token
process.env.TOKEN = 'a token'
const run = supervisor.submit(greet, 'you', { parameters: { greeting: 'Bye' } })
console.log(await run.result) // → Bye you on definition, a token
