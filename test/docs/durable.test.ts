/** docs/durable.md: its commands run as they are printed, one after the other, with the tasks that it shows. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../store/store-kit.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = join(ROOT, 'src/runtime/cli/cli-entry.ts')
const PAGE = readFileSync(join(ROOT, 'docs/durable.md'), 'utf8')

/** What needs a server is shown elsewhere: test/durable/daemon-postgres.test.ts. */
const blocks = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)].filter(([block]) => !block.includes('postgres://'))
const lines = blocks.flatMap(([, text = '']) => text.split('\n').filter((line) => line !== ''))

function run(words: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [ENTRY, ...words], { cwd, env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    )
  })
}

test('the commands run as they are printed', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder()
  const tasks = readFileSync(join(ROOT, 'examples/durable/mail-tasks.ts'), 'utf8')
  writeFileSync(join(folder, 'mail-tasks.ts'), tasks.replace('../../src/task.ts', join(ROOT, 'src/task.ts')))
  const env: NodeJS.ProcessEnv = { ...process.env }
  const answers: string[] = []
  try {
    for (const line of lines) {
      const [command, ...words] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? '',
      )
      if (command === 'export') {
        const [name = '', value] = words[0]?.split('=') ?? []
        env[name] = value
        continue
      }
      expect([line, command]).toEqual([line, 'stateward'])
      const { code, out, err } = await run(words, folder, env)
      expect({ line, code, err }).toEqual({ line, code: 0, err: '' })
      answers.push(out)
    }
  } finally {
    await run(['daemon', 'stop', '--kill'], folder, env)
  }
  expect(answers.join('')).toContain('{"to":"ada@example.org","characters":5}')
  expect(answers.length).toBeGreaterThan(5)
})
