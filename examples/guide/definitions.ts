import { createSupervisor } from '../../src/index.ts'
import { countdown, digest, greet, thumbnail } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

console.log(await supervisor.submit(greet, 'Ada').result) // → hello Ada
console.log(await supervisor.submit(digest, 'Ada').result) // → 99a563ab
const run = supervisor.submit(thumbnail, { file: 'a.png' })
console.log(run.name, run.priority, await run.result) // → images.thumbnail low a.png@200
console.log(await supervisor.submit(countdown, 3).result) // → lift-off

try {
  supervisor.submit(thumbnail, { file: 7 } as never)
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_INPUT_INVALID
}
