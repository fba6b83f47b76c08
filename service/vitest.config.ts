import { defineConfig } from 'vitest/config';

/**
 * unit needs nothing; integration opens real sockets; process spawns the built program; chart renders the Helm chart.
 * One kind after the other.
 */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // They share no state, so files share a process: a third of the time.
          isolate: false,
          include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'integration', include: ['test/integration/**/*.test.ts'], sequence: { groupOrder: 1 } },
      },
      { extends: true, test: { name: 'process', include: ['test/process/**/*.test.ts'], sequence: { groupOrder: 2 } } },
      {
        extends: true,
        // Each test starts Helm, some of them thirty times.
        test: { name: 'chart', include: ['test/chart/**/*.test.ts'], testTimeout: 60_000, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
