import { defineConfig } from 'vitest/config';

/**
 * `pure` needs nothing but Node. `integration` needs root, network namespaces, FRR and the lab's
 * programs (prepared by `npm test`); `e2e` runs on one shared full-level lab.
 */
export default defineConfig({
  test: {
    passWithNoTests: false,
    // CommonJS packages look as they do in Node: nothing is unwrapped.
    deps: { interopDefault: false },
    projects: [
      {
        test: {
          name: 'pure',
          include: ['tests/{unit,property,golden,lint,contract}/**/*.test.ts'],
          exclude: ['tests/contract/**/*.real.test.ts'],
          pool: 'threads',
          // Generous: the machine may be busy with other work.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts', 'tests/contract/**/*.real.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
