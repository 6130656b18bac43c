import '../support/scratch.ts'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { createMetrics } from '../../src/runtime/metrics/index.ts'
import { greet } from './greet-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
await using supervisor = createSupervisor()
await supervisor.start()
await createDaemon({ queue, supervisor, tasks: [greet] }).start()

const metrics = createMetrics({
  supervisors: { main: supervisor }, // with its daemons, workers and loops
  queues: { tasks: queue },
  taskNames: 50, // a label `task` for the first 50 names; the others share `other`
})

// Any server will do. Where handlers take a Request, mount `metrics.fetch`.
const server = createServer(async (_request, response) => {
  response.setHeader('content-type', metrics.contentType)
  response.end(await metrics.text())
}).listen(0, '127.0.0.1')

const { id } = await queue.enqueue(greet, 'Ada', { priority: 'high' })
await queue.wait(id)
await supervisor.idle()

const { port } = server.address() as AddressInfo
const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
for (const line of scraped.split('\n')) if (/_ended_total{|_due_tasks{.*high/.test(line)) console.log(line)
// → stateward_tasks_ended_total{supervisor="main",outcome="finished",reason="",priority="high",task="greet"} 1
// → stateward_queue_due_tasks{queue="tasks",priority="high"} 0

server.close()
metrics.close()
