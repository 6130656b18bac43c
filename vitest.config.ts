import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests start hundreds of processes, and each spends most of its start on compiling the same modules.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node-compile')

/** Nothing in these holds for a whole process, so their files share workers: loading xstate is most of their time. */
const SHARING = ['test/{actors,machines,parity,testing}/**/*.test.ts']

const common = {
  environment: 'node',
  setupFiles: ['test/support/leak-check.ts'],
  pool: 'forks' as const,
  // For what hangs only: a machine that is busy may need several times as long as one at rest.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  restoreMocks: true,
}

// Type tests (`test/**/*.test-d.ts`) are held by `npm run check:types`; running the compiler here again
// would only repeat it.
export default defineConfig({
  test: {
    // Of two cores: many files wait for processes and leases most of the time.
    maxWorkers: 3,
    globalSetup: ['test/support/postgres-server.ts', 'test/support/browser-server.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: SHARING,
        },
      },
      { test: { ...common, name: 'sharing', include: SHARING, isolate: false } },
    ],
  },
})
