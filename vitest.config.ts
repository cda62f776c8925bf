import { configDefaults, defineConfig } from 'vitest/config';
import { ClosingLine } from './tools/testing/closing-line.ts';
import { LongestFirst } from './tools/testing/longest-first.ts';
import { passedBefore } from './tools/testing/passed-before.ts';

/**
 * Two workers, because the machines that run this suite have two cores and simulated hosts are
 * bound by the processor. The time limit is for one property with many runs, not for one example.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...passedBefore().map(({ file }) => file)],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', new ClosingLine()],
    coverage: { provider: 'v8', include: ['engine/**'], reportsDirectory: 'coverage' },
  },
});
