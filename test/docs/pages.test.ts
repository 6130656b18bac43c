/**
 * Pages of docs/ that quote programs which run: the blocks of `docs/<page>.md` stand in `examples/<page>/*.ts`,
 * and those print what they say.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = readdirSync(join(ROOT, 'examples')).filter((page) => existsSync(join(ROOT, `docs/${page}.md`)))
/** Quoted, but no programs: what threads and other programs import. */
const MODULE = /^(.*-)?tasks$/
/** Programs that do not exit with 0. */
const EXIT_CODES: Readonly<Record<string, number>> = { 'guide/shutdown': 130 }
/** Unbuilt sources cannot import their package by its name. */
const ENTRIES = {
  '../../src/index.ts': 'stateward',
  '../../src/task.ts': 'stateward/task',
  '../../src/machines/index.ts': 'stateward/machines',
  '../../src/runtime/durable/index.ts': 'stateward/durable',
  '../../src/runtime/metrics/index.ts': 'stateward/metrics',
  '../../src/runtime/http/index.ts': 'stateward/http',
  '../../src/runtime/testing/index.ts': 'stateward/testing',
  '../../src/runtime/tracing/index.ts': 'stateward/tracing',
}

const textOf = (page: string): string => readFileSync(join(ROOT, `docs/${page}.md`), 'utf8')
const blocksOf = (page: string) =>
  [...textOf(page).matchAll(/(?:<!-- (\S+) -->\n)?```ts\n(.*?)^```$/gms)].map(
    ([, path = 'unnamed', code = '']) => ({ path, code, first: code.split('\n')[0] }),
  )
/** Names of the files of a page: `guide/submitting`. */
const filesOf = (page: string): string[] =>
  readdirSync(join(ROOT, 'examples', page))
    .map((file) => `${page}/${file.replace(/\.ts$/, '')}`)
    .filter((name) => name !== `${page}/main`)
const programs = PAGES.flatMap(filesOf).filter((name) => !MODULE.test(name.split('/')[1] as string))

function source(name: string): string {
  return readFileSync(join(ROOT, 'examples', `${name}.ts`), 'utf8')
}

/** The example as its reader has it. */
function published(name: string): string {
  return Object.entries(ENTRIES).reduce(
    (text, [path, entry]) => text.replaceAll(`'${path}'`, `'${entry}'`),
    source(name),
  )
}

/** What the program says that it prints: everything behind an arrow, in order. */
function announced(name: string): string[] {
  return [...source(name).matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line)
}

interface Printed {
  readonly code: unknown
  readonly out: string[]
  readonly err: string
}

/** So many run at once: they tell time, and more than there are cores would slow each other down. */
const AT_ONCE = 2
const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve())
let begun = 0

/** After those that are before it in its lane. */
function run(name: string): Promise<Printed> {
  const lane = begun % AT_ONCE
  begun += 1
  const printed = (lanes[lane] as Promise<unknown>).then(() => start(name))
  lanes[lane] = printed
  return printed
}

function start(name: string): Promise<Printed> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(ROOT, 'examples', `${name}.ts`)],
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, out: stdout.split('\n').slice(0, -1), err: stderr })
      },
    )
  })
}

test('there are pages, and programs to run', () => {
  expect(PAGES).toContain('guide')
  expect(programs.length).toBeGreaterThan(15)
})

describe.each(PAGES)('docs/%s.md', (page) => {
  test.each(blocksOf(page))('quotes $path: $first', ({ path, code }) => {
    const name = /^examples\/([\w-]+\/[\w-]+)\.ts$/.exec(path)?.[1] ?? path
    expect(PAGES.flatMap(filesOf)).toContain(name)
    // Whole lines: a block neither begins nor ends within one.
    expect(`\n${published(name)}`).toContain(`\n${code}`)
  })

  test('quotes every example', () => {
    const quoted = new Set(blocksOf(page).map(({ path }) => path))
    expect(filesOf(page).filter((name) => !quoted.has(`examples/${name}.ts`))).toEqual([])
  })

  test('links to what exists', () => {
    const headings = [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/\s/g, '-'),
    )
    const targets = [...textOf(page).matchAll(/\]\(#([^)]*)\)/g)].map(([, target]) => target)
    expect(targets.filter((target) => !headings.includes(target ?? ''))).toEqual([])
  })
})

describe.concurrent('an example prints what it says', () => {
  // With the turns of others before it.
  test.each(programs)('%s', { timeout: 60_000 }, async (name) => {
    const { code, out, err } = await run(name)
    const said = announced(name)
    expect({ out, err: out.length === said.length ? '' : err }).toEqual({ out: said, err: '' })
    expect(said.length).toBeGreaterThan(0)
    expect(code).toBe(EXIT_CODES[name] ?? 0)
  })
})
