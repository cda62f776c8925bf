import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { scheduleOf } from '../../scenarios/generate.ts';
import { shrinkSchedule, shrinkSeed } from '../../scenarios/shrink.ts';

describe('shrinking', () => {
  it('leaves only the faults that matter, plain and at round times', () => {
    const noise = (at: number): Fault => ({ ...PLAIN_FAULT, kind: 'loss', at, ppm: 1, for: 777 });
    const cut: Fault = { ...PLAIN_FAULT, kind: 'cut', at: 3_141_592, for: 1_234_567, ways: 'in' };
    const off: Fault = { ...PLAIN_FAULT, kind: 'power-off', at: 7_654_321, cache: 'newest' };
    const fails = (faults: readonly Fault[]): boolean => {
      const first = faults.find(({ kind }) => kind === 'cut');
      const second = faults.find(({ kind }) => kind === 'power-off');
      if (first === undefined || second === undefined) return false;
      return second.at > first.at + 2_000_000 && first.for >= 900_000;
    };
    const shrunk = shrinkSchedule([noise(1), cut, noise(2), noise(3), off, noise(4)], fails);
    expect(shrunk).toEqual([
      { ...cut, ways: 'both', at: 3_000_000, for: 1_000_000 },
      { ...off, cache: 'random', at: 8_000_000 },
    ]);
  });

  it('keeps failing on the way, from a schedule that a seed drew', () => {
    let found = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const fails = (faults: readonly Fault[]): boolean =>
        faults.some(({ kind }) => kind === 'pause-core') &&
        faults.some(({ kind }) => kind === 'cut' || kind === 'kill-core');
      if (!fails(scheduleOf(seed, DEMO_CONFIG))) continue;
      found += 1;
      const { faults, runs } = shrinkSeed(seed, DEMO_CONFIG, fails, 2_000);
      expect(fails(faults)).toBe(true);
      expect(faults).toHaveLength(2);
      expect(runs).toBeLessThanOrEqual(2_001);
    }
    expect(found).toBeGreaterThan(3);
  });

  it('gives up in time, with what it has', () => {
    const { faults, runs } = shrinkSeed(3, DEMO_CONFIG, () => true, 5);
    expect(faults.length).toBeGreaterThan(0);
    expect(runs).toBe(5);
  });

  it('finds the fewest faults that fail, where taking out one set after another does not', () => {
    const at = (ms: number): Fault => ({ ...PLAIN_FAULT, kind: 'cut', at: ms * 1_000 });
    const faults = [1, 2, 3, 4, 5, 6, 7].map(at);
    // Four in the middle, or the first and the last without one of them: halves lead to the four.
    const has = (some: readonly Fault[], ...ms: number[]): boolean =>
      ms.every((one) => some.some((fault) => fault.at === one * 1_000));
    const fails = (some: readonly Fault[]): boolean =>
      has(some, 3, 4, 5, 6) || (has(some, 1, 7) && !has(some, 4));
    expect(shrinkSchedule(faults, fails)).toEqual([at(1), at(7)]);
  });

  it('takes out what a plain value of another fault makes needless', () => {
    const off: Fault = { ...PLAIN_FAULT, kind: 'power-off', at: 1_000_000, cache: 'all' };
    const cut: Fault = { ...PLAIN_FAULT, kind: 'cut', at: 2_000_000 };
    const fails = (some: readonly Fault[]): boolean => {
      const first = some.find(({ kind }) => kind === 'power-off');
      if (first === undefined) return false;
      return first.cache === 'random' || some.some(({ kind }) => kind === 'cut');
    };
    expect(shrinkSchedule([off, cut], fails)).toEqual([{ ...off, cache: 'random' }]);
  });
});
