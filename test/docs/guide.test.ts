/** docs/guide.md quotes programs that run: its blocks stand in them, and they print what they say. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLES = join(ROOT, 'examples/guide')
/** Quoted, but no programs. */
const MODULES = ['tasks', 'thread-tasks']
/** Programs that do not exit with 0. */
const EXIT_CODES: Readonly<Record<string, number>> = { shutdown: 130 }
/** Unbuilt sources cannot import their package by its name. */
const ENTRIES = {
  '../../src/index.ts': 'stateward',
  '../../src/task.ts': 'stateward/task',
  '../../src/machines/index.ts': 'stateward/machines',
  '../../src/runtime/testing/index.ts': 'stateward/testing',
}

const guide = readFileSync(join(ROOT, 'docs/guide.md'), 'utf8')
const blocks = [...guide.matchAll(/(?:<!-- (\S+) -->\n)?```ts\n(.*?)^```$/gms)].map(
  ([, path = 'unnamed', code = '']) => ({ path, code, first: code.split('\n')[0] }),
)
const files = readdirSync(EXAMPLES).map((file) => file.replace(/\.ts$/, ''))
const programs = files.filter((name) => name !== 'main' && !MODULES.includes(name))

function source(name: string): string {
  return readFileSync(join(EXAMPLES, `${name}.ts`), 'utf8')
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

function run(name: string): Promise<{ code: unknown; out: string[]; err: string }> {
  return new Promise((resolve) => {
    const args = [join(EXAMPLES, 'main.ts'), name]
    const child = execFile(process.execPath, args, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, out: stdout.split('\n').slice(0, -1), err: stderr })
    })
  })
}

describe('the guide', () => {
  test.each(blocks)('quotes $path: $first', ({ path, code }) => {
    expect(path).toMatch(/^examples\/guide\/[\w-]+\.ts$/)
    const name = path.slice('examples/guide/'.length, -'.ts'.length)
    // Whole lines: a block neither begins nor ends within one.
    expect(`\n${published(name)}`).toContain(`\n${code}`)
  })

  test('quotes every example', () => {
    const quoted = new Set(blocks.map(({ path }) => path))
    expect(files.filter((name) => name !== 'main' && !quoted.has(`examples/guide/${name}.ts`))).toEqual([])
  })

  test('links to what exists', () => {
    const headings = [...guide.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/\s/g, '-'),
    )
    const targets = [...guide.matchAll(/\]\(#([^)]*)\)/g)].map(([, target]) => target)
    expect(targets.filter((target) => !headings.includes(target ?? ''))).toEqual([])
  })
})

describe.concurrent('an example prints what it says', () => {
  test.each(programs)('%s', async (name) => {
    const { code, out, err } = await run(name)
    const said = announced(name)
    expect({ out, err: out.length === said.length ? '' : err }).toEqual({ out: said, err: '' })
    expect(said.length).toBeGreaterThan(0)
    expect(code).toBe(EXIT_CODES[name] ?? 0)
  })
})
