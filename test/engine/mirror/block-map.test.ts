import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockMap, PAGE_BLOCKS, PAGE_WORDS } from '../../../engine/mirror/block-map.ts';

/** Two pages, the last one short. */
const BLOCKS = PAGE_BLOCKS + 70;

describe('block map', () => {
  it('knows the same blocks as a plain set, whatever is done to it', () => {
    const block = fc.oneof(
      fc.nat(BLOCKS - 1),
      fc.integer({ min: PAGE_BLOCKS - 3, max: PAGE_BLOCKS + 3 }),
      fc.integer({ min: BLOCKS - 3, max: BLOCKS - 1 }),
    );
    const step = fc.oneof(
      fc.record({ kind: fc.constant('mark' as const), at: block }),
      fc.record({ kind: fc.constant('clear' as const), at: block }),
      fc.record({ kind: fc.constant('page' as const), at: fc.constant(BLOCKS - 1) }),
      fc.record({ kind: fc.constant('bytes' as const), at: fc.nat((BLOCKS - 8) * 4096) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), block, (steps, from) => {
        const map = new BlockMap(BLOCKS);
        const model = new Set<number>();
        for (const { kind, at } of steps) {
          if (kind === 'mark') {
            map.mark(at);
            model.add(at);
          } else if (kind === 'clear') {
            map.clear(at);
            model.delete(at);
          } else if (kind === 'page') {
            map.markPage(1);
            for (let b = PAGE_BLOCKS; b < BLOCKS; b += 1) model.add(b);
          } else {
            map.markBytes(at, 9000);
            const last = Math.floor((at + 8999) / 4096);
            for (let b = Math.floor(at / 4096); b <= last; b += 1) model.add(b);
          }
        }
        expect(map.dirty).toBe(model.size);
        const later = [...model].filter((b) => b >= from);
        expect(map.nextDirty(from)).toBe(later.length === 0 ? -1 : Math.min(...later));
        for (const b of model) expect(map.isDirty(b)).toBe(true);
        const copy = new BlockMap(BLOCKS);
        const words = new Uint32Array(PAGE_WORDS);
        for (let page = 0; page < map.pages; page += 1) {
          map.copyPage(page, words);
          copy.mergePage(page, words);
          expect(copy.dirtyOf(page)).toBe(map.dirtyOf(page));
        }
        expect(copy.dirty).toBe(map.dirty);
        map.clearAll();
        expect(map.dirty).toBe(0);
        expect(map.nextDirty(0)).toBe(-1);
      }),
      { numRuns: 60 },
    );
  });

  it('calls a page stale exactly when it changed after it was last taken', () => {
    const map = new BlockMap(BLOCKS);
    expect(map.nextStale(0)).toBe(-1);
    map.mark(PAGE_BLOCKS);
    expect(map.nextStale(0)).toBe(1);
    map.takeStale(1);
    map.mark(PAGE_BLOCKS);
    expect(map.staleCount).toBe(0);
    map.clear(PAGE_BLOCKS);
    expect(map.nextStale(0)).toBe(1);
  });

  it('holds a dirty volume of 64 TiB in almost no memory', () => {
    const map = new BlockMap(2 ** 34);
    map.markPage(1000);
    expect(map.dirty).toBe(PAGE_BLOCKS);
    expect(map.nextDirty(0)).toBe(1000 * PAGE_BLOCKS);
  });
});
