// Builds the page of the inspector, src/page, into dist/page: the files that the server hands out. Does nothing when they are
// current, so whoever needs them just calls it.
//
//   node scripts/build-page.ts [--force]
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'dist/page')
/** Says from which sources it was made. */
const STAMP = '.sources'
const LICENSES = 'licenses.md'
/** What the page is made of. */
const SOURCES = [
  'src/page/**',
  'src/runtime/inspector/messages.ts',
  'scripts/build-page.ts',
  'package-lock.json',
]

if (import.meta.main) await buildPage({ force: process.argv.includes('--force') })

/** Several at once may do it: the last one wins, and each of them is whole. */
export async function buildPage({ force = false } = {}): Promise<void> {
  const sources = hashOfSources()
  if (!force && stampOf(target) === sources) return
  const folder = `${target}.${process.pid}`
  try {
    await build({
      configFile: false,
      root: join(root, 'src/page'),
      base: './',
      logLevel: 'warn',
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: {
        outDir: folder,
        emptyOutDir: true,
        target: 'es2023',
        // Its server forbids whatever does not come from itself, `data:` too.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
        license: { fileName: LICENSES },
      },
    })
    appendFileSync(join(folder, LICENSES), moreLicenses())
    writeFileSync(join(folder, STAMP), sources)
    rmSync(target, { recursive: true, force: true })
    mkdirSync(join(root, 'dist'), { recursive: true })
    renameSync(folder, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of what is no module: the letters. And where the sources are that a licence speaks of. */
function moreLicenses(): string {
  const inter = readFileSync(join(root, 'node_modules/@fontsource-variable/inter/LICENSE'), 'utf8')
  return `\n## Inter (OFL-1.1)\n\n${inter}\n## Sources\n\nelkjs: https://github.com/kieler/elkjs, as published, unchanged.\n`
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  for (const path of globSync(SOURCES, { cwd: root }).sort()) {
    const file = join(root, path)
    if (statSync(file).isFile()) hash.update(path).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function stampOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, STAMP), 'utf8')
  } catch {
    return undefined
  }
}
