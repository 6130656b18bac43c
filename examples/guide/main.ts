// Runs the examples of docs/guide.md: those that are named, or all.
const EXAMPLES: Readonly<Record<string, () => Promise<unknown>>> = {
  definitions: () => import('./definitions.ts'),
  submitting: () => import('./submitting.ts'),
  results: () => import('./results.ts'),
  admission: () => import('./admission.ts'),
  executions: () => import('./executions.ts'),
  ladder: () => import('./ladder.ts'),
  deadlines: () => import('./deadlines.ts'),
  retries: () => import('./retries.ts'),
  children: () => import('./children.ts'),
  multilaunch: () => import('./multilaunch.ts'),
  external: () => import('./external.ts'),
  'task-log': () => import('./task-log.ts'),
  supervisor: () => import('./supervisor.ts'),
  events: () => import('./events.ts'),
  actors: () => import('./actors.ts'),
  machines: () => import('./machines.ts'),
  testing: () => import('./testing.ts'),
  pools: () => import('./pools.ts'),
  shutdown: () => import('./shutdown.ts'),
}

const named = process.argv.slice(2)
for (const name of named.length > 0 ? named : Object.keys(EXAMPLES)) {
  const example = EXAMPLES[name]
  if (example === undefined) throw new Error(`There is no example "${name}".`)
  if (named.length === 0) console.log(`\n# ${name}`)
  await example()
}
