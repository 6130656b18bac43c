import { createSupervisor } from '../../src/index.ts'
import { digest, greet, lines, thumbnail } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

console.log(await supervisor.submit(greet, 'Ada').result) // → hello Ada
console.log(await supervisor.submit(digest, 'Ada').result) // → b2a6b2d5
const run = supervisor.submit(thumbnail, { file: 'a.png' })
console.log(run.name, run.priority, run.description) // → images.thumbnail low thumbnail of a.png
console.log(await run.result) // → a.png@200
console.log(await supervisor.submit(lines, 3).result) // → done

try {
  supervisor.submit(thumbnail, { file: 7 } as never)
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_INPUT_INVALID
}
