import { configDefaults, defineConfig } from 'vitest/config';
import { ClosingLine } from './tools/testing/closing-line.ts';
import { LongestFirst } from './tools/testing/longest-first.ts';
import { passedBefore } from './tools/testing/passed-before.ts';

/**
 * Tests are imported by Node.js itself, which tsx has taught TypeScript: through Vite's own runner,
 * where every name of another module is looked up at each use, simulated hosts took twice the time.
 *
 * Three workers for two cores: simulated hosts are bound by the processor, but tests of real ones
 * wait for most of their time. The time limit is for one property with many runs on a slow machine,
 * not for one example.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...passedBefore().map(({ file }) => file)],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    execArgv: ['--import', 'tsx'],
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['default', new ClosingLine()],
    coverage: { provider: 'v8', include: ['engine/**'], reportsDirectory: 'coverage' },
  },
});
