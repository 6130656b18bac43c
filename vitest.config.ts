import { defineConfig } from 'vitest/config'

// Type tests (`test/**/*.test-d.ts`) are held by `npm run check:types`; running the compiler here again
// would only repeat it.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres-server.ts', 'test/support/browser-server.ts'],
    setupFiles: ['test/support/leak-check.ts'],
    pool: 'forks',
    // Of two cores: many files wait for processes and leases most of the time.
    maxWorkers: 3,
    fileParallelism: true,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    restoreMocks: true,
  },
})
