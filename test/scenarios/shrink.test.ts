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
    expect(runs).toBeGreaterThan(5);
  });
});
