import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../engine/core/rng.ts';
import { Pace } from '../../../engine/mirror/pace.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';
import {
  course,
  drawPlant,
  PACE_OPTIONS,
  pacedAtFloor,
  pacedBeside,
  pacedBesideSlow,
  SECOND,
} from '../../support/resync-pace.ts';

const { windowBytes, latencyBudget, rateMin } = PACE_OPTIONS;
const NONE = canarySwitches(new Set());

function begun(quiet = false): Pace {
  const pace = new Pace(PACE_OPTIONS, NONE);
  pace.begin(0, quiet);
  return pace;
}

/** Notes requests of `micros` each until `pace` gave so many verdicts; returns the time. */
function noted(pace: Pace, micros: number, verdicts: number, from = 0): number {
  let now = from;
  for (let i = 0; i < verdicts; i += 1) {
    for (let n = 0; n < 20; n += 1) pace.note(micros);
    now += 100_000;
    pace.judge(now);
  }
  return now;
}

describe('the pace of a resync', () => {
  it('yields to an application, and never stops', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      expect([seed, ...pacedBeside(seed, []).violations]).toEqual([seed]);
      expect([seed, ...pacedBesideSlow(seed, []).violations]).toEqual([seed]);
      expect([seed, ...pacedAtFloor(seed, []).violations]).toEqual([seed]);
    }
  });

  it('begins a copy within the time of the minimum rate, whatever requests take', () => {
    const step = fc.record({
      wait: fc.integer({ min: 1, max: 400_000 }),
      requests: fc.array(fc.integer({ min: 0, max: 60_000_000 }), { maxLength: 40 }),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 120 }), (quiet, steps) => {
        const pace = begun(quiet);
        let now = 0;
        let flying = 0;
        for (const { wait, requests, ends } of steps) {
          now += wait;
          for (const micros of requests) pace.note(micros);
          if (ends) flying = 0;
          pace.judge(now);
          const idle = flying === 0 && now >= pace.nextAt;
          const bytes = pace.next(flying, now);
          if (idle) expect(bytes).toBeGreaterThan(0);
          expect(flying + bytes).toBeLessThanOrEqual(windowBytes);
          expect(bytes % 4096).toBe(0);
          if (bytes === 0) continue;
          pace.took(bytes, now);
          expect(pace.nextAt - now).toBeLessThanOrEqual((bytes * SECOND) / rateMin);
          flying += bytes;
        }
      }),
    );
  });

  it('takes all there is where nobody else is', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const plant = drawPlant(new Rng(seed, 1), 0);
      const { copied } = course(begun(), plant);
      for (const bytes of copied.slice(1)) {
        expect(bytes).toBeGreaterThan(plant.rate - 2 * 1024 * 1024);
      }
    }
  });

  it('begins with little when somebody comes to a resync that had it all', () => {
    const pace = begun(true);
    expect(pace.window).toBe(windowBytes);
    pace.note(10);
    pace.judge(1);
    expect(pace.window).toBe(windowBytes / 8);
  });

  it('halves when requests are late, and grows when they are not', () => {
    const pace = begun();
    const first = pace.window;
    noted(pace, latencyBudget * 2, 1);
    expect(pace.window).toBe(first / 2);
    noted(pace, 100, 4, 100_000);
    expect(pace.window).toBeGreaterThan(first / 2);
  });

  it('lets one request in sixteen be late, and not two', () => {
    for (const [late, yields] of [
      [1, false],
      [3, true],
    ] as const) {
      const pace = begun();
      const before = pace.window;
      for (let n = 0; n < 32; n += 1) pace.note(n < late ? 10 * latencyBudget : 100);
      pace.judge(100_000);
      expect(pace.window < before).toBe(yields);
    }
  });

  it('gives no verdict on a few requests before a second is over', () => {
    const pace = begun();
    const before = pace.window;
    pace.note(10 * latencyBudget);
    pace.judge(900_000);
    expect(pace.window).toBe(before);
    pace.judge(SECOND);
    expect(pace.window).toBe(before / 2);
  });

  it('may double what requests take by themselves, where that is more than the budget', () => {
    const pace = begun();
    let now = noted(pace, 100_000, 8);
    expect(pace.window).toBeGreaterThan(0);
    // Not slower than twice that: it may go on.
    const before = pace.window;
    now = noted(pace, 150_000, 4, now);
    expect(pace.window).toBeGreaterThan(before);
    // Quick again by themselves: what they took for a while is no excuse any more.
    now = noted(pace, 1000, 1, now);
    const high = pace.window;
    noted(pace, 100_000, 1, now);
    expect(pace.window).toBe(Math.floor(high / 2));
  });

  it('notes nothing when no copy is going on', () => {
    const pace = begun();
    expect(pace.on).toBe(true);
    pace.end();
    expect(pace.on).toBe(false);
  });
});
