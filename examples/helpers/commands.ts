import { CommandError, createSupervisor, defineCommand } from '../../src/index.ts'

const count = defineCommand({
  name: 'count',
  command: ({ file }: { file: string }) => ['wc', '-l', file],
  runTimeoutMs: 10_000,
})
const words = defineCommand({ name: 'words', command: 'tr a-z A-Z | head -n 1', stdin: 'one\ntwo\n' })
const say = defineCommand<{ text: string; loud?: boolean }>({
  name: 'say',
  command: ['echo', 'says:'],
  args: 'long',
})
const broken = defineCommand({ name: 'broken', command: 'echo "no such table" >&2; exit 3' })

await using supervisor = createSupervisor()
await supervisor.start()

const { exitCode, truncated } = await supervisor.submit(count, { file: 'package.json' }).result
console.log(exitCode, truncated) // → 0 false
console.log((await supervisor.submit(words).result).stdout.trim()) // → ONE
console.log((await supervisor.submit(say, { text: 'a b', loud: true }).result).stdout.trim()) // → says: --text a b --loud

try {
  await supervisor.submit(broken).result
} catch (error) {
  const { cause } = error as Error
  if (cause instanceof CommandError) console.log(cause.code, cause.exitCode, cause.stderr.trim())
  // → ERR_COMMAND_FAILED 3 no such table
}
