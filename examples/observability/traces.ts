import '../support/scratch.ts'
import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { createTracing } from '../../src/runtime/tracing/index.ts'
import { greet } from './greet-tasks.ts'

// The SDK as you have it. This exporter keeps spans in memory; yours sends them to a collector.
const exporter = new InMemorySpanExporter()
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()

const tracing = createTracing()
await using supervisor = createSupervisor({ tracing })
await supervisor.start()

const tracer = trace.getTracer('my program')
await tracer.startActiveSpan('GET /hello', async (span) => {
  await supervisor.submit(greet, 'Ada').result
  span.end()
})

// The same through a database: the program that enqueues, and the one that runs the daemon.
await using queue = await openQueue({ url: 'sqlite:./tasks.db', tracing })
await createDaemon({ queue, supervisor, tasks: [greet] }).start()
const { id } = await queue.enqueue(greet, 'Bob')
await queue.wait(id)
await supervisor.idle()

const spans = exporter.getFinishedSpans()
function print(above: string | undefined, indent: string): void {
  for (const span of spans) {
    if (span.parentSpanContext?.spanId !== above) continue
    console.log(`${indent}${span.name}`)
    print(span.spanContext().spanId, `${indent}- `)
  }
}
print(undefined, '')
// → GET /hello
// → - submit greet
// → - - run greet
// → - - - attempt greet
// → enqueue greet
// → - run greet
// → - - attempt greet
