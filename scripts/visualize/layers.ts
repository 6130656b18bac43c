/** The layers of src/ and what they import, as Mermaid and as lists. */

export interface Source {
  /** Relative to src/. */
  readonly path: string
  /** Files of src/ by their paths, packages by their names. */
  readonly imports: readonly string[]
}

const LAYERS = ['runtime', 'actors', 'machines'] as const

/** A diagram, then a list per layer. */
export function drawLayers(sources: readonly Source[]): string[] {
  const entry = sources.filter(({ path }) => layerOf(path) === 'index')
  const layers = [...(entry.length > 0 ? ['index'] : []), ...LAYERS]
  const lines = ['flowchart TD']
  for (const layer of layers) {
    const files = sources.filter(({ path }) => layerOf(path) === layer)
    const name = layer === 'index' ? 'src/index.ts' : `src/${layer}`
    lines.push(`  ${layer}["${name}<br/>${files.length} ${files.length === 1 ? 'file' : 'files'}"]`)
  }
  for (const from of layers) {
    for (const to of layers) {
      if (from === to) continue
      const files = sources.filter(({ path, imports }) => {
        const paths = new Set(sources.map((source) => source.path))
        return layerOf(path) === from && imports.some((one) => paths.has(one) && layerOf(one) === to)
      })
      if (files.length > 0) lines.push(`  ${from} -->|${files.length}| ${to}`)
    }
  }
  const packages = LAYERS.map((layer) => {
    const used = new Map<string, number>()
    for (const { path, imports } of sources) {
      if (layerOf(path) !== layer) continue
      const names = imports.filter((one) => !one.endsWith('.ts') && !one.startsWith('node:')).map(packageOf)
      for (const name of new Set(names)) used.set(name, (used.get(name) ?? 0) + 1)
    }
    const list = [...used].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, files]) => `${name} (${files})`)
    return `- \`${layer}\`: ${list.join(', ') || 'none'}`
  })
  return [lines.join('\n'), '## Packages, and how many files import them', packages.join('\n')]
}

function layerOf(path: string): string {
  const [first = ''] = path.split('/')
  return first === path ? first.replace(/\.ts$/, '') : first
}

function packageOf(specifier: string): string {
  const [scope, name] = specifier.split('/')
  return specifier.startsWith('@') ? `${scope}/${name}` : (scope as string)
}
