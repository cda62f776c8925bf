import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../engine/core/rng.ts';

const seeds = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffff));

function draws(rng: Rng, count: number): number[] {
  return Array.from({ length: count }, () => rng.u32());
}

describe('a random stream', () => {
  it('is the same for the same seed and entity, on every runtime', () => {
    expect(draws(new Rng(1, 1), 4)).toEqual([3508518976, 1363462787, 3681022218, 4235858880]);
    fc.assert(
      fc.property(seeds, ([seed, entity]) => {
        expect(draws(new Rng(seed, entity), 8)).toEqual(draws(new Rng(seed, entity), 8));
      }),
    );
  });

  it('differs from that of any other entity', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 1000 }), ([seed, entity], distance) => {
        const one = draws(new Rng(seed, entity), 4);
        const other = draws(new Rng(seed, entity + distance), 4);
        expect(one.join() === other.join()).toBe(false);
      }),
    );
  });

  it('stays within the bounds asked for, and reaches both', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 2 ** 31 }), ([seed, entity], n) => {
        const rng = new Rng(seed, entity);
        for (let i = 0; i < 20; i += 1) {
          const value = rng.below(n);
          expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
        }
      }),
    );
    const rng = new Rng(7, 7);
    const seen = new Set(Array.from({ length: 200 }, () => rng.between(3, 6)));
    expect([...seen].sort((a, b) => a - b)).toEqual([3, 4, 5, 6]);
  });

  it('draws identifiers that are safe integers above zero', () => {
    fc.assert(
      fc.property(seeds, ([seed, entity]) => {
        const id = new Rng(seed, entity).id52();
        expect(Number.isSafeInteger(id) && id > 0).toBe(true);
      }),
    );
  });

  it('draws exponential variates around the mean asked for', () => {
    const rng = new Rng(3, 9);
    let sum = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const value = rng.exponential(1000);
      expect(Number.isInteger(value) && value >= 0 && value <= 16_000).toBe(true);
      sum += value;
    }
    expect(sum / 20_000).toBeGreaterThan(900);
    expect(sum / 20_000).toBeLessThan(1100);
  });
});
