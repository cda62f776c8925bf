import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clampWindow, WINDOW_MIN, zoomed } from '../../../viewer/src/model/window.ts';

const span = fc.integer({ min: 1, max: 1_000_000_000 });

describe('the window', () => {
  it('keeps the moment that is zoomed about where it is on the screen', () => {
    fc.assert(
      fc.property(span, span, fc.integer({ min: 1, max: 40 }), (from, width, tenths) => {
        const about = from + width / 3;
        const next = zoomed({ from, to: from + width }, tenths / 10, about);
        expect((about - next.from) / (next.to - next.from)).toBeCloseTo(1 / 3, 6);
      }),
    );
  });

  it('never leaves the run and never gets too narrow, whatever is asked', () => {
    fc.assert(
      fc.property(span, span, span, (end, from, width) => {
        const next = clampWindow({ from: from - width, to: from + width }, 0, end);
        expect(next.to - next.from).toBeGreaterThanOrEqual(WINDOW_MIN * 0.999);
        expect(next.from).toBeLessThanOrEqual(end);
        expect(next.to).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
