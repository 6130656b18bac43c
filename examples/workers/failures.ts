import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
supervisor.on('worker.failed', ({ worker }) => console.log(worker, 'failed'))
supervisor.on('worker.restarted', ({ worker, lives }) => console.log(worker, 'lives', lives))
await supervisor.start()

let calls = 0
const picky = supervisor.workers.interval({
  name: 'picky',
  intervalMs: 10,
  onFailure: 'fail',
  restart: 'transient',
  handler: () => {
    calls += 1
    if (calls === 1) throw new Error('x')
    return calls < 3
  },
})
console.log(await picky.ended)
// → picky failed
// → picky lives 2
// → { kind: 'done', output: undefined }
