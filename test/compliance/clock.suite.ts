/** The promises of engine/ports/clock.ts, asked of every backend. */
import { expect } from 'vitest';
import type { Micros } from '../../engine/core/units.ts';
import type { Define } from './define.ts';

/** A clock and the one timer of an actor. */
export interface ClockDriver {
  now(): Micros;
  /** Arms the timer for `at`, replacing the one before. */
  arm(at: Micros): void;
  /** Waits for the timer; the clock when it was delivered. */
  fired(): Promise<Micros>;
  close(): Promise<void>;
}

/** Defines the tests. */
export function clockSuite(define: Define, make: () => Promise<ClockDriver>): void {
  const test = (name: string, run: (clock: ClockDriver) => Promise<void>): void => {
    define(name, async () => {
      const clock = await make();
      try {
        await run(clock);
      } finally {
        await clock.close();
      }
    });
  };

  test('shows whole microseconds and never runs backwards', async (clock) => {
    let last = 0;
    for (let n = 0; n < 1000; n++) {
      const now = clock.now();
      expect(Number.isSafeInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  test('delivers a timer at or after its time, never before', async (clock) => {
    for (const wait of [1, 700, 5000, 40_000]) {
      const at = clock.now() + wait;
      clock.arm(at);
      expect(await clock.fired()).toBeGreaterThanOrEqual(at);
    }
  });

  test('delivers a time that is past at once', async (clock) => {
    clock.arm(clock.now() + 10);
    await clock.fired();
    const before = clock.now();
    clock.arm(before - 1);
    expect((await clock.fired()) - before).toBeLessThan(1_000_000);
  });

  test('replaces a timer by a later one', async (clock) => {
    const start = clock.now();
    clock.arm(start + 2000);
    clock.arm(start + 60_000);
    expect(await clock.fired()).toBeGreaterThanOrEqual(start + 60_000);
  });
}
