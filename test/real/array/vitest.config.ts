/** Tests that run in a guest: nothing else finds them. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/real/array/*.guest.ts'],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    execArgv: ['--import', 'tsx'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
