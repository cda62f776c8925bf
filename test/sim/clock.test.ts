import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimClock } from '../../backends/sim/clock.ts';

const step = fc.record({
  kind: fc.constantFrom('rate', 'stop', 'resume', 'pass'),
  gap: fc.nat(5_000_000),
  ppm: fc.integer({ min: -50_000, max: 50_000 }),
});

describe('a simulated clock', () => {
  it('never runs backwards, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = new SimClock();
        clock.start(0, 1_000);
        let now = 0;
        let shown = clock.at(now);
        for (const { kind, gap, ppm } of steps) {
          now += gap;
          if (kind === 'rate') clock.setRate(now, ppm);
          else if (kind === 'stop') clock.stop(now);
          else if (kind === 'resume') clock.resume(now);
          expect(clock.at(now)).toBeGreaterThanOrEqual(shown);
          shown = clock.at(now);
        }
      }),
    );
  });

  it('finds the first moment at which it shows a time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50_000, max: 50_000 }),
        fc.nat(10_000_000),
        fc.nat(10_000_000),
        (ppm, now, ahead) => {
          const clock = new SimClock();
          clock.start(0, 77);
          clock.setRate(0, ppm);
          const wanted = clock.at(now) + ahead;
          const found = clock.when(now, wanted);
          expect(clock.at(found)).toBeGreaterThanOrEqual(wanted);
          if (found > now) expect(clock.at(found - 1)).toBeLessThan(wanted);
        },
      ),
      // The straight line from what the clock shows, rounded, led one microsecond past it.
      { examples: [[-16_921, 5_958_218, 1_154_120]] },
    );
  });

  it('shows another time in another life', () => {
    const clock = new SimClock();
    clock.start(500, 10);
    expect(clock.at(600)).toBe(110);
    clock.start(700, 3);
    expect(clock.at(700)).toBe(3);
  });
});
