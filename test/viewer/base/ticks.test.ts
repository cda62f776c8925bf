import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axisTime, bytes, duration, moment } from '../../../viewer/src/base/format.ts';
import { tickStep, ticks } from '../../../viewer/src/base/ticks.ts';

describe('the axis', () => {
  it('has a bounded number of ticks with labels that do not touch, at every zoom', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.integer({ min: 20, max: 2 ** 40 }), (from, length) => {
        const found = ticks(from, from + length, 1000, 96);
        expect(found.length).toBeLessThanOrEqual(70);
        const labels = found.filter((tick) => tick.major);
        for (const [index, { time }] of labels.entries()) {
          const before = labels[index - 1];
          if (before === undefined) continue;
          expect(((time - before.time) / length) * 1000).toBeGreaterThanOrEqual(95);
        }
      }),
    );
  });

  it('steps by 1, 2 or 5 times a power of ten', () => {
    expect([1, 15, 30, 70, 4000].map((perPixel) => tickStep(perPixel, 100))).toEqual([
      100, 2000, 5000, 10_000, 500_000,
    ]);
  });

  it('says times with as many places as the step needs', () => {
    expect(axisTime(12_384_210, 1_000_000)).toBe('12 s');
    expect(axisTime(12_384_210, 1000)).toBe('12.384 s');
    expect(moment(12_384_210)).toBe('12.384210 s');
    expect(moment(3_723_500_000)).toBe('1 h 02 m 3.500 s');
    expect([500, 2500, 5_500_000, 180_000_000].map(duration)).toEqual([
      '500 µs',
      '2.5 ms',
      '5.5 s',
      '3 min',
    ]);
    expect([0, 1310720, 2 ** 40].map(bytes)).toEqual(['0 B', '1.25 MiB', '1 TiB']);
  });
});
