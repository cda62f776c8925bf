import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  abiOffsets,
  Decision,
  Event,
  HEADER_BYTES,
  PAGE_BYTES,
  RECORD_BYTES,
  slotCount,
} from '../../../engine/data/abi.ts';

const counts = fc.integer({ min: 1, max: 500 });
const layouts = fc.record({
  events: counts,
  decisions: counts,
  frontSlots: counts,
  peerSlots: counts,
  engineSlots: counts,
  slotBytes: fc.constant(65_536),
  inPages: counts,
  outPages: counts,
});

describe('the record interface', () => {
  it('lays its parts out one after another, none over another', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const at = abiOffsets(layout);
        expect(at.decisions).toBe(at.events + layout.events * RECORD_BYTES);
        expect(at.headers).toBe(at.decisions + layout.decisions * RECORD_BYTES);
        const headersEnd = at.headers + slotCount(layout) * HEADER_BYTES;
        expect(at.inPages).toBeGreaterThanOrEqual(headersEnd);
        expect(at.inPages % PAGE_BYTES).toBe(0);
        expect(at.outPages).toBe(at.inPages + layout.inPages * PAGE_BYTES);
        expect(at.total).toBe(at.outPages + layout.outPages * PAGE_BYTES);
      }),
    );
  });

  it('gives every operation a number of its own', () => {
    for (const table of [Event, Decision]) {
      const numbers: number[] = Object.values(table);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
  });
});
