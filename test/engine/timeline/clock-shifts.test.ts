import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockBounds } from '../../../engine/timeline/clock-shifts.ts';

interface Crossing {
  readonly from: number;
  readonly to: number;
  readonly sent: number;
  readonly took: number;
}

/** Causes that cross between clocks wrong by `errors`, with a delay that is never negative. */
const world = (clocks: number) =>
  fc.record({
    errors: fc.array(fc.integer({ min: -20_000_000, max: 20_000_000 }), {
      minLength: clocks,
      maxLength: clocks,
    }),
    crossings: fc.array(
      fc.record({
        from: fc.nat(clocks - 1),
        to: fc.nat(clocks - 1),
        sent: fc.nat(60_000_000),
        took: fc.nat(5_000),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  });

function boundsOf(errors: readonly number[], crossings: readonly Crossing[]): ClockBounds {
  const bounds = new ClockBounds(errors.length);
  for (const { from, to, sent, took } of crossings) {
    const [there, here] = [errors[from] ?? 0, errors[to] ?? 0];
    bounds.caused(from, sent + there, to, sent + took + here);
  }
  return bounds;
}

describe('shifts of clocks', () => {
  it('never leave an effect before its cause, however wrong the clocks are', () => {
    const run = fc.property(world(4), ({ errors, crossings }) => {
      const shifts = boundsOf(errors, crossings).settle();
      for (const { from, to, sent, took } of crossings) {
        if (from === to) continue;
        const cause = sent + (errors[from] ?? 0) + (shifts[from]?.shift ?? 0);
        const effect = sent + took + (errors[to] ?? 0) + (shifts[to]?.shift ?? 0);
        expect(cause).toBeLessThanOrEqual(effect);
      }
    });
    fc.assert(run, { numRuns: 300 });
  });

  it('say bounds that hold the truth, and shift within them', () => {
    const run = fc.property(world(2), ({ errors, crossings }) => {
      const shifts = boundsOf(errors, crossings).settle();
      const first = errors[0] ?? 0;
      const second = errors[1] ?? 0;
      expect(shifts[0]).toEqual({ shift: 0, least: null, most: null, sound: true });
      const { shift, least, most } = shifts[1] ?? { shift: 0, least: null, most: null };
      if (least !== null) expect(Math.min(first - second, shift)).toBeGreaterThanOrEqual(least);
      if (most !== null) expect(Math.max(first - second, shift)).toBeLessThanOrEqual(most);
    });
    fc.assert(run, { numRuns: 300 });
  });

  it('leave clocks alone that no cause contradicts', () => {
    const run = fc.property(world(5), ({ crossings }) => {
      for (const { shift, sound } of boundsOf([0, 0, 0, 0, 0], crossings).settle()) {
        expect([shift, sound]).toEqual([0, true]);
      }
    });
    fc.assert(run);
  });

  it('move the one clock that disagrees with all others, not the others', () => {
    const crossings = [0, 1, 2].flatMap((from) =>
      [0, 1, 2].flatMap((to) => (from === to ? [] : [{ from, to, sent: 1000, took: 200 }])),
    );
    for (const wrong of [0, 1, 2]) {
      const errors = [0, 0, 0];
      errors[wrong] = 7_000_000;
      const shifts = boundsOf(errors, crossings).settle();
      expect(shifts.map(({ shift }) => shift !== 0)).toEqual([0, 1, 2].map((at) => at === wrong));
      expect(Math.abs((shifts[wrong]?.shift ?? 0) + 7_000_000)).toBeLessThanOrEqual(200);
    }
  });

  it('say so when clocks drifted apart within the journals, and meet in the middle', () => {
    const bounds = new ClockBounds(2);
    bounds.caused(0, 1_000_000, 1, 990_000);
    bounds.caused(1, 1_000_000, 0, 996_000);
    const shifts = bounds.settle();
    expect(shifts.map(({ sound }) => sound)).toEqual([false, false]);
    expect((shifts[1]?.shift ?? 0) - (shifts[0]?.shift ?? 0)).toBe(3_000);
  });

  it('leave every clock alone when bounds contradict each other in a ring', () => {
    const bounds = new ClockBounds(3);
    for (const from of [0, 1, 2]) bounds.caused(from, 10_000, (from + 1) % 3, 0);
    expect(bounds.settle()).toEqual(
      Array.from({ length: 3 }, () => ({ shift: 0, least: null, most: null, sound: false })),
    );
  });
});
