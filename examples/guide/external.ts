import { collection, createSupervisor } from '../../src/index.ts'
import { greet, thumbnail } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const upload = supervisor.submitExternal<string>({
  name: 'upload',
  runTimeoutMs: 60_000,
  start: (ctx) => console.log('ask the other service to begin', ctx.name), // → ask the other service to begin upload
})
await new Promise(setImmediate)
supervisor.complete(upload.id, 'stored as 17')
console.log(await upload.result) // → stored as 17
try {
  supervisor.fail(upload.id, new Error('too late'))
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_EXTERNAL_UNKNOWN
}

const all = collection([
  greet.call('Ada'),
  greet.call('Bob', { priority: 'high' }),
  thumbnail.call({ file: 7 } as never),
])
const { ok, results, errors } = await all.run(supervisor)
console.log(ok, results) // → false [ 'hello Ada', 'hello Bob', undefined ]
console.log([...errors.keys()]) // → [ 2 ]
