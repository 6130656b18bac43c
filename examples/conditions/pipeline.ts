import { after, createSupervisor } from '../../src/index.ts'
import { download, load } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

supervisor.workers.event({ name: 'loader', task: load, when: after(download) })
await supervisor.submit(download).result
await supervisor.idle() // → loads [ 'a.csv', 'b.csv' ]
