/** docs/http.md: its commands run as they are printed, but for the port; its tables say what there is. */
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PROBLEM_STATUSES } from '../../src/runtime/http/http-problem.ts'
import { openApi } from '../http/http-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = join(ROOT, 'src/runtime/cli/cli-entry.ts')
const PAGE = readFileSync(join(ROOT, 'docs/http.md'), 'utf8')

/** The first cells of the table under a heading. */
function cellsOf(head: string): string[][] {
  const [, rows = ''] = new RegExp(`^\\| ${head} \\|.*\\n\\|[-|]+\\|\\n((?:\\|.*\\n)*)`, 'm').exec(PAGE) ?? []
  return [...rows.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '))
}

test('the table of operations has what is served', async () => {
  const { contract } = await openApi()
  const served = Object.entries(contract.document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `\`${method.toUpperCase()} ${path}\``),
  )
  expect(
    cellsOf('operation')
      .map(([cell]) => cell)
      .sort(),
  ).toEqual(served.sort())
})

test('the table of problems has all codes and their statuses', () => {
  const rows = cellsOf('code').filter(([code]) => !code?.includes('…'))
  const told = rows.map(([code = '', status]) => [code.replaceAll('`', ''), Number(status)])
  expect(Object.fromEntries(told)).toEqual(PROBLEM_STATUSES)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function run(command: string, words: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(command, words, { cwd, env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    )
  })
}

test('the commands run as they are printed', { timeout: 60_000 }, async () => {
  const { error } = spawnSync('curl', ['--version'])
  expect(error, 'curl has to be installed for this page').toBeUndefined()
  const folder = await temporaryFolder()
  const tasks = readFileSync(join(ROOT, 'examples/http/mail-tasks.ts'), 'utf8')
  writeFileSync(join(folder, 'mail-tasks.ts'), tasks.replace('../../src/task.ts', join(ROOT, 'src/task.ts')))
  const port = await freePort()
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(PAGE) ?? []
  const lines = block
    .replaceAll('8080', String(port))
    .split('\n')
    .filter((line) => line !== '')
  const env: NodeJS.ProcessEnv = { ...process.env }
  const answers: string[] = []
  try {
    for (const line of lines) {
      const [command = '', ...words] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? '',
      )
      if (command === 'export') {
        const [name = '', value] = words[0]?.split('=') ?? []
        env[name] = value
        continue
      }
      const isOurs = command === 'stateward'
      const given = isOurs ? [ENTRY, ...words] : words
      const { code, out, err } = await run(isOurs ? process.execPath : command, given, folder, env)
      expect({ line, code, err, out: code === 0 ? '' : out }).toEqual({ line, code: 0, err: '', out: '' })
      answers.push(out)
    }
  } finally {
    await run(process.execPath, [ENTRY, 'daemon', 'stop', '--kill'], folder, env)
  }
  const all = answers.join('\n')
  expect(all).toContain('"result":{"to":"ada@example.org","characters":5}')
  expect(all).toContain('"input":{"to":"ada@example.org","text":"Hello"}')
  expect(all).toContain('{"result":"cancelled"}')
  expect(all).toContain('"openapi":"3.1')
  expect(answers.length).toBeGreaterThan(10)
})
