/**
 * What a program pays before its first task: the import of the package, in a fresh process each time,
 * beside the imports of its dependencies; and the first result of a task for which the thread or process
 * must be made first. The sources run unbuilt here, so the import includes taking their types away; the
 * built package is measured too when `dist/` is there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createSupervisor } from '../src/index.ts'
import { echoTask } from './fixtures/tasks.ts'
import { RawProcesses, rawThreads } from './harness/peers.ts'
import { at, type Row, type Scale, type Table } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { Samples } from './harness/samples.ts'

export const description = 'What does a program pay before its first task'

const urlOf = (path: string): string => new URL(path, import.meta.url).href
const packages = ['xstate', 'piscina', 'pino', 'p-queue']

export async function run(scale: Scale): Promise<Table[]> {
  return [await imports(scale), await firstResults(scale)]
}

async function imports(scale: Scale): Promise<Table> {
  const built = '../dist/index.js'
  const sides: [name: string, specifiers: string[]][] = [
    ['stateward, sources', [urlOf('../src/index.ts')]],
    ...(existsSync(new URL(built, import.meta.url))
      ? [['stateward, built', [urlOf(built)]] as [string, string[]]]
      : []),
    ['xstate + piscina + pino', packages.slice(0, 3)],
    ...packages.map((name): [string, string[]] => [name, [name]]),
  ]
  const measured = await takeTurns(
    sides.map(([name, specifiers]) => ({ name, round: () => importMs(specifiers) })),
    {
      rounds: at(scale, { full: 7, quick: 3, smoke: 1 }),
      warmUps: at(scale, { full: 1, quick: 1, smoke: 0 }),
    },
  )
  return {
    title: 'Import, in a fresh process',
    columns: ['what', 'ms'],
    rows: sides.map(([name], i) => ({ cells: [name, new Samples(measured[i] as number[]).toString()] })),
  }
}

function importMs(specifiers: readonly string[]): number {
  const imports = specifiers.map((specifier) => `await import(${JSON.stringify(specifier)});`).join('')
  const program = `const t = performance.now(); ${imports} console.log(performance.now() - t)`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return Number(stdout)
}

async function firstResults(scale: Scale): Promise<Table> {
  const rows: Row[] = []
  for (const [execution, peer, theirs] of [
    ['thread', 'piscina', coldPiscina],
    ['process', 'fork', coldFork],
  ] as const) {
    const [ours = [], raw = []] = await takeTurns(
      [
        { name: 'stateward', round: () => coldTask(execution) },
        { name: peer, round: theirs },
      ],
      {
        rounds: at(scale, { full: 7, quick: 3, smoke: 1 }),
        warmUps: at(scale, { full: 1, quick: 1, smoke: 0 }),
      },
    )
    rows.push({ cells: [execution, new Samples(ours).toString(), peer, new Samples(raw).toString()] })
  }
  return {
    title: 'First result, from nothing: the thread or process is made for it',
    note: "Stateward's side loads the task's module, which imports the package; the raw side a bare function.",
    columns: ['execution', 'stateward, ms', 'peer', 'peer, ms'],
    rows,
  }
}

async function coldTask(execution: 'thread' | 'process'): Promise<number> {
  const startedAt = performance.now()
  const supervisor = createSupervisor()
  await supervisor.start()
  await supervisor.submit(echoTask, 1, { execution }).result
  const elapsed = performance.now() - startedAt
  await supervisor.stop()
  return elapsed
}

async function coldPiscina(): Promise<number> {
  const startedAt = performance.now()
  const piscina = rawThreads(1)
  await piscina.run(1, { name: 'echo' })
  const elapsed = performance.now() - startedAt
  await piscina.destroy()
  return elapsed
}

async function coldFork(): Promise<number> {
  const startedAt = performance.now()
  const children = new RawProcesses(1)
  await children.run('echo', 1)
  const elapsed = performance.now() - startedAt
  await children.close()
  return elapsed
}
