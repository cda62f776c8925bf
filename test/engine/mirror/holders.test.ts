import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holderNodes, holderWords } from '../../../engine/mirror/holders.ts';

describe('the holders in a superblock', () => {
  it('are found again, whichever nodes they are', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { maxLength: 64 });
    fc.assert(
      fc.property(nodes, (some) => {
        const sorted = [...some].sort((a, b) => a - b);
        expect(holderNodes(holderWords(some))).toEqual(sorted);
      }),
    );
  });

  it('are two words without a sign', () => {
    expect(holderWords([1, 32, 33, 64])).toEqual([0x80000001, 0x80000001]);
    expect(holderWords([])).toEqual([0, 0]);
  });
});
