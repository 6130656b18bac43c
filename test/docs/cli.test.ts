/** docs/cli.md: the help of every command as it is printed, and commands that the parser takes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { EXIT } from '../../src/runtime/cli/exit-codes.ts'
import { makeProgram } from '../../src/runtime/cli/program.ts'
import { Screen } from '../cli/cli-kit.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')

function programOf(): Command {
  const io = {
    stdin: (async function* () {})(),
    stdout: new Screen(),
    stderr: new Screen(),
    interruptible: () => new AbortController().signal,
  }
  return makeProgram({ io, exitCode: EXIT.ok })
}

/** Commands that do something, with their full names. */
function leaves(command: Command, path: string): [string, Command][] {
  if (command.commands.length === 0) return [[path, command]]
  return command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`))
}

const commands = leaves(programOf(), 'stateward')
const sections = new Map(
  [...PAGE.matchAll(/^### `(stateward [^`]+)`\n[\s\S]*?```text\n([\s\S]*?)```/gm)].map(
    ([, name = '', text = '']) => [name, text],
  ),
)

test('there is a section for each command, and none for another', () => {
  expect([...sections.keys()].sort()).toEqual(commands.map(([name]) => name).sort())
})

test.each(commands)('%s is shown as its help prints it', (name, command) => {
  expect(sections.get(name)).toBe(command.helpInformation())
})

test('every exit code is there', () => {
  for (const code of Object.values(EXIT)) expect(PAGE).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
})

const examples = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, text = '']) => text.split('\n'))
  .filter((line) => line.startsWith('stateward '))

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(8)
})

test.each(examples)('the parser takes: %s', async (line) => {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const program = programOf()
  const called: string[] = []
  for (const [name, command] of leaves(program, 'stateward')) command.action(() => void called.push(name))
  await program.parseAsync(words.slice(1), { from: 'user' })
  expect(called).toHaveLength(1)
})
