import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const storm = process.env.HOLDFAST_STORM === '1';

export default defineConfig({
  // Node and every dependency load graphql's CommonJS build; vite would take the other one, and two do not mix.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    // chdb allows one data folder per process, so files must not share a process through threads.
    pool: 'forks',
    maxWorkers: Math.min(4, availableParallelism()),
    include: storm ? ['test/storm/**/*.test.ts'] : ['src/**/*.test.ts', 'modules/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['node_modules/**', ...(storm ? [] : ['test/storm/**'])],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/leaks.ts', 'test/support/seed.ts'],
    // A storm test kills and restarts servers dozens of times; an ordinary one should answer within seconds, but on a
    // busy machine with two cores the engines themselves may take a while to start.
    testTimeout: storm ? 1_200_000 : 60_000,
    hookTimeout: storm ? 300_000 : 120_000,
    teardownTimeout: 30_000,
    // The order of files must not matter.
    sequence: { hooks: 'stack' },
    allowOnly: false,
    passWithNoTests: false,
  },
});
