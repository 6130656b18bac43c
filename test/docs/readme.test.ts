import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const readme = read('README.md')
const embedded = [...readme.matchAll(/<!-- (\S+) -->\n```(\w+)\n([\s\S]*?)```/g)].map(
  ([, path, language, text]) => ({
    path: path as string,
    language: language as string,
    text: text as string,
  }),
)

test('the README shows six things that stand elsewhere', () => {
  expect(embedded.map(({ path }) => path)).toEqual([
    'examples/readme/tasks.ts',
    'examples/readme/main.ts',
    'examples/readme/service.ts',
    'examples/readme/durable.ts',
    'visualizations/task-life-cycle.md',
    'visualizations/supervisor-life-cycle.md',
  ])
})

test.each(embedded)('the README shows $path as it is', ({ path, language, text }) => {
  const source = read(path)
  expect(language === 'mermaid' ? source : `\n${source}`).toContain(
    language === 'mermaid' ? text : `\n${text}`,
  )
  if (language === 'ts') expect(text.length).toBe(source.length)
})

test('every page and file that the README links to is there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path as string)
  expect(links.length).toBeGreaterThan(5)
  for (const path of links) expect(() => read(path), path).not.toThrow()
})
