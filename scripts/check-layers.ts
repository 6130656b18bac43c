// Holds src/ against the rules of its layers that the linter cannot see, because they need resolved paths:
//
// - runtime → actors → machines, never upward: imports, type imports, `import()`, `import('…')` types and
//   `new URL('./x.ts', import.meta.url)` alike;
// - src/machines imports `xstate` and its own files, nothing else;
// - src/page, which runs in a browser, imports its own files, the messages of the feed and its few packages, and nobody imports it;
// - only the entry points re-export;
// - a library with one owner is imported by one file;
// - no file is longer than 400 lines.
//
//   node scripts/check-layers.ts [source folder]
import { globSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import ts from 'typescript'

const LAYERS = ['machines', 'actors', 'runtime']
const MACHINE_PACKAGES = ['xstate']
const PAGE_PACKAGES = ['preact', '@preact/signals', 'uplot', 'elkjs']
/** What the page and the rest of the project share: the messages of the feed, and the charts in them. */
const PAGE_SHARES = ['runtime/inspector/messages.ts', 'machines/chart.ts']
const ENTRY_POINTS = [
  'index.ts',
  'task.ts',
  'machines/index.ts',
  'runtime/durable/index.ts',
  'runtime/metrics/index.ts',
  'runtime/http/index.ts',
  'runtime/testing/index.ts',
  'runtime/tracing/index.ts',
]
const SINGLE_OWNER_PACKAGES = [
  'piscina',
  'mitt',
  'tinyexec',
  'croner',
  'rrule-temporal',
  'node:sqlite',
  'pg',
  'pg-boss',
  '@prometheus-io/client',
  'hono',
  '@hono/node-server',
]
const MAX_LINES = 400

type Reference = { specifier: string; line: number }
type SourceFile = { path: string; lines: number; references: Reference[]; reExports: number[] }

const root = resolve(process.argv[2] ?? 'src')
const files = globSync('**/*.{ts,tsx}', { cwd: root }).sort().map(readSource)
const problems = [
  ...files.flatMap(upwardImports),
  ...files.flatMap(impureImports),
  ...files.flatMap(pageImports),
  ...files.flatMap(barrels),
  ...files.flatMap(tooLong),
  ...SINGLE_OWNER_PACKAGES.flatMap(sharedPackage),
]

for (const problem of problems) console.error(problem)
console.log(`layers: ${files.length} files, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0

function upwardImports(file: SourceFile): string[] {
  return file.references
    .filter(({ specifier }) => isRelative(specifier) && rank(target(file, specifier)) > rank(file.path))
    .map(({ specifier, line }) => at(file, line, `${specifier} is in a higher layer`))
}

function impureImports(file: SourceFile): string[] {
  if (layerOf(file.path) !== 'machines') return []
  return file.references
    .filter(({ specifier }) => !isRelative(specifier) && !MACHINE_PACKAGES.includes(specifier))
    .map(({ specifier, line }) => at(file, line, `machines import xstate and each other, not ${specifier}`))
}

function pageImports(file: SourceFile): string[] {
  const ownPage = layerOf(file.path) === 'page'
  return file.references
    .filter(({ specifier }) => {
      if (!isRelative(specifier)) return ownPage && !PAGE_PACKAGES.includes(packageOf(specifier))
      const path = target(file, specifier)
      return ownPage ? layerOf(path) !== 'page' && !PAGE_SHARES.includes(path) : layerOf(path) === 'page'
    })
    .map(({ specifier, line }) => at(file, line, `${specifier} is on the other side of the feed`))
}

/** The name of a package, without what is in it. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function barrels(file: SourceFile): string[] {
  if (ENTRY_POINTS.includes(file.path)) return []
  return file.reExports.map((line) => at(file, line, 're-export outside the entry points'))
}

function tooLong(file: SourceFile): string[] {
  return file.lines > MAX_LINES ? [at(file, file.lines, `${file.lines} lines, at most ${MAX_LINES}`)] : []
}

function sharedPackage(name: string): string[] {
  const owners = files.filter(({ references }) => references.some(({ specifier }) => specifier === name))
  return owners.length > 1
    ? owners.map((file) => at(file, 1, `${name} has more than one owner; wrap it in one file`))
    : []
}

/** Folders of src/ that are no layer, and src/index.ts, stand above all layers. */
function rank(path: string): number {
  const index = LAYERS.indexOf(layerOf(path))
  return index < 0 ? LAYERS.length : index
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function target(file: SourceFile, specifier: string): string {
  return posix(relative(root, resolve(root, dirname(file.path), specifier)))
}

function isRelative(specifier: string): boolean {
  return /^\.\.?(\/|$)/.test(specifier)
}

function at(file: SourceFile, line: number, text: string): string {
  return `${posix(relative('.', resolve(root, file.path)))}:${line} ${text}`
}

function posix(path: string): string {
  return path.replaceAll(sep, '/')
}

function readSource(nativePath: string): SourceFile {
  const path = posix(nativePath)
  const text = readFileSync(resolve(root, nativePath), 'utf8')
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const references: Reference[] = []
  const reExports: number[] = []
  const imported = new Set<string>()
  const lineOf = (node: ts.Node) => tree.getLineAndCharacterOfPosition(node.getStart()).line + 1

  const visit = (node: ts.Node): void => {
    const specifier = referencedModule(node)
    if (specifier !== undefined) references.push({ specifier, line: lineOf(node) })
    if (ts.isImportSpecifier(node) || ts.isImportClause(node) || ts.isNamespaceImport(node)) {
      if (node.name) imported.add(node.name.text)
    }
    if (ts.isExportDeclaration(node) && (node.moduleSpecifier || exportsImported(node, imported))) {
      reExports.push(lineOf(node))
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return { path, lines: text.trimEnd().split('\n').length, references, reExports }
}

function exportsImported(node: ts.ExportDeclaration, imported: Set<string>): boolean {
  if (!node.exportClause || !ts.isNamedExports(node.exportClause)) return false
  return node.exportClause.elements.some(({ propertyName, name }) =>
    imported.has((propertyName ?? name).text),
  )
}

function referencedModule(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier)
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal) : undefined
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0])
  }
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'URL') {
    const specifier = literal(node.arguments?.[0])
    return specifier && isRelative(specifier) ? specifier : undefined
  }
  return undefined
}

function literal(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined
}
