import { chain, createSupervisor, defineTask } from '../../src/index.ts'
import { all } from '../../src/task.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const fetched = defineTask({ name: 'fetched' }, (page: string) => `${page}!`)
const joined = defineTask({ name: 'joined' }, (pages: readonly string[]) => pages.join(' '))
const cleared = defineTask({ name: 'cleared' }, () => 'cleared')

const both = all([fetched.call('one'), fetched.call('two')], joined)
console.log(await supervisor.submit(both).result) // → one! two!
console.log(await supervisor.submit(chain([both, cleared])).result) // → cleared
