import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createVitest } from 'vitest/node';
import { LONGEST } from '../../tools/testing/longest-first.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the order of the test files', () => {
  it('is, by the configuration of this project, the longest first, and loses none', async () => {
    const vitest = await createVitest('test', { root, watch: false });
    try {
      const files = await vitest.globTestSpecifications();
      const Sequencer = vitest.config.sequence.sequencer;
      const sorted = await new Sequencer(vitest).sort([...files].reverse());
      const names = sorted.map(({ moduleId }) => relative(root, moduleId));
      // Each of the list is there: one that was renamed would come last again.
      expect(names.slice(0, LONGEST.length)).toEqual(LONGEST);
      expect(new Set(names).size).toBe(files.length);
    } finally {
      await vitest.close();
    }
  });
});
