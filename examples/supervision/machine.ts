import { waitFor } from 'xstate'
import { archive, supervisor } from './archive-tasks.ts'

const child = supervisor.spawn(archive, { id: 'archive', shutdownMs: 2_000 })
console.log(child.state) // → waiting
await supervisor.start()
console.log(child.state, child.actor?.getSnapshot().value) // → running idle

const first = child.actor
first?.send({ type: 'archive.add', text: 'a text' })
if (first) await waitFor(first, ({ context }) => context.digests.length === 1)
console.log(first?.getSnapshot().context.digests) // → [ '734194ed' ]

const restarted = new Promise((resolve) => supervisor.on('child.restarted', resolve))
supervisor.on('child.failed', ({ child, error }) =>
  console.log(child, 'failed:', String((error as Error).cause)),
)
first?.send({ type: 'archive.add', text: '' })
await restarted
// → archive failed: Error: nothing to digest
console.log(child.restarts, child.state, child.actor === first) // → 1 running false

child.actor?.send({ type: 'archive.add', text: 'the last one' })
const report = await supervisor.stop()
console.log(report.children.map(({ id, step }) => `${id}: ${step}`)) // → [ 'archive: none' ]
console.log(await child.ended) // → { kind: 'done', output: [ 'bf439c48' ] }
