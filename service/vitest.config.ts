import { defineConfig } from 'vitest/config';

/** unit needs nothing; integration opens real sockets; process spawns the built program. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts'] } },
      { extends: true, test: { name: 'integration', include: ['test/integration/**/*.test.ts'], maxWorkers: 2 } },
      { extends: true, test: { name: 'process', include: ['test/process/**/*.test.ts'], maxWorkers: 2 } },
    ],
  },
});
