import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { deviceBytes } from '../../../engine/mirror/page.ts';
import {
  BATCH_RUNS,
  decodeUndoBatch,
  decodeUndoHead,
  encodeUndoBatch,
  encodeUndoHead,
  layoutOfLog,
  UNDO_PAGES_MIN,
  type UndoLayout,
  type UndoRun,
  undoLayout,
  ZEROES,
} from '../../../engine/mirror/undo-log.ts';

const device = deviceBytes('0123456789abcdef'.repeat(2));
const other = deviceBytes('1123456789abcdef'.repeat(2));
const page = (): Uint8Array => new Uint8Array(PAGE_BYTES);
const run: fc.Arbitrary<UndoRun> = fc.record({
  block: fc.nat(2 ** 34),
  blocks: fc.integer({ min: 1, max: 256 }),
  page: fc.oneof(fc.nat(2 ** 28), fc.constant(ZEROES)),
});

describe('the undo log byte for byte', () => {
  it('gives back a batch to the place, log and replica it was written for', () => {
    const batch = fc.array(run, { maxLength: BATCH_RUNS });
    fc.assert(
      fc.property(batch, fc.nat(1000), fc.integer({ min: 1 }), (runs, number, log) => {
        const bytes = page();
        encodeUndoBatch(device, 7, log, number, runs, bytes);
        expect(decodeUndoBatch(device, 7, log, number, bytes)).toEqual(runs);
        expect(decodeUndoBatch(device, 8, log, number, bytes)).toBeNull();
        expect(decodeUndoBatch(device, 7, log + 1, number, bytes)).toBeNull();
        expect(decodeUndoBatch(device, 7, log, number + 1, bytes)).toBeNull();
        expect(decodeUndoBatch(other, 7, log, number, bytes)).toBeNull();
        expect(decodeUndoHead(device, 7, bytes)).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  it('takes no page in which any bit is another', () => {
    const bytes = page();
    encodeUndoHead(device, 3, { log: 9, generation: 4, epoch: 5, pages: 64, given: null }, bytes);
    expect(decodeUndoHead(device, 3, bytes)).toEqual({
      log: 9,
      generation: 4,
      epoch: 5,
      pages: 64,
      given: null,
    });
    fc.assert(
      fc.property(fc.nat(PAGE_BYTES - 1), fc.nat(7), (at, bit) => {
        const bad = bytes.slice();
        bad[at] = (bad[at] as number) ^ (1 << bit);
        expect(decodeUndoHead(device, 3, bad)).toBeNull();
      }),
    );
  });

  it('has its parts apart, within any area that is large enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: UNDO_PAGES_MIN, max: 2 ** 28 }), (pages) => {
        const layout = undoLayout(pages * PAGE_BYTES);
        if (layout === null) throw new Error('large enough');
        const { copies, batches, payload } = layout;
        expect(copies[0]).toBe(0);
        expect(copies[1]).toBe(batches + 1);
        expect(payload).toBe(2 * (batches + 1));
        expect(batches).toBeGreaterThan(0);
        expect(layout.pages - payload).toBeGreaterThan(pages / 2);
      }),
    );
    expect(undoLayout((UNDO_PAGES_MIN - 1) * PAGE_BYTES)).toBeNull();
    expect(undoLayout(0)).toBeNull();
  });
});

describe('a log in an area that has another size than when it began', () => {
  const head = { log: 9, generation: 4, epoch: 5, given: null };
  const area = (pages: number) => undoLayout(pages * PAGE_BYTES) as UndoLayout;

  it('has its batches where they were, and takes what was added for what blocks held', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: UNDO_PAGES_MIN, max: 100_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        (pages, more) => {
          const layout = layoutOfLog({ ...head, pages }, area(pages + more));
          expect(layout).toEqual({ ...area(pages), pages: pages + more });
        },
      ),
    );
  });

  it('is not all there in a smaller one', () => {
    expect(layoutOfLog({ ...head, pages: 128 }, area(127))).toBeNull();
  });

  it('is taken for one of that size where a program of before did not say', () => {
    expect(layoutOfLog({ ...head, pages: 0 }, area(127))).toEqual(area(127));
  });
});
