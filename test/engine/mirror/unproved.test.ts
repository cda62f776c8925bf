import { describe, expect, it } from 'vitest';
import { BlockMap } from '../../../engine/mirror/block-map.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { Unproved } from '../../../engine/mirror/unproved.ts';

const BLOCK = 4096;

/** Two partners with these dirty blocks. */
function ground(first: readonly number[], second: readonly number[], trusted = false): Unproved {
  const all = [first, second].map((blocks) => {
    const map = new BlockMap(100_000);
    for (const block of blocks) map.mark(block);
    return { map };
  });
  const dirty = first.length + second.length;
  const parts = { partners: { all, first: all[0], dirty }, canary: { unprovedTrusted: trusted } };
  return new Unproved(parts as unknown as Parts);
}

describe('what a disk that has failed shows', () => {
  it('is in doubt where any map names it, until it is written anew', () => {
    const unproved = ground([3, 70_000], [5]);
    expect(unproved.covers(0, 10 * BLOCK)).toBe(false);
    unproved.suspect();
    for (const block of [3, 5, 70_000]) {
      expect(unproved.covers(block * BLOCK, BLOCK)).toBe(true);
      expect(unproved.covers((block - 1) * BLOCK, BLOCK)).toBe(false);
    }
    expect(unproved.covers(0, 4 * BLOCK)).toBe(true);
    unproved.written(2 * BLOCK, 4 * BLOCK);
    expect(unproved.covers(0, 100 * BLOCK)).toBe(false);
    expect(unproved.covers(70_000 * BLOCK, BLOCK)).toBe(true);
    unproved.written(70_000 * BLOCK, BLOCK);
    expect(unproved.covers(0, 100_000 * BLOCK)).toBe(false);
  });

  it('is not looked at again while some of it is in doubt yet', () => {
    const unproved = ground([3, 4], []);
    unproved.suspect();
    unproved.written(3 * BLOCK, BLOCK);
    unproved.suspect();
    expect(unproved.covers(3 * BLOCK, BLOCK)).toBe(false);
    expect(unproved.covers(4 * BLOCK, BLOCK)).toBe(true);
  });

  it('is believed with the planted bug', () => {
    const unproved = ground([3], [], true);
    unproved.suspect();
    expect(unproved.covers(3 * BLOCK, BLOCK)).toBe(false);
  });
});
