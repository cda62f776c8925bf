/** What the watchdog of this host is really doing, as the page of its guardian shows it. */
import type { Micros } from '../../engine/core/units.ts';
import type { GuardianState } from './native.ts';

/** A guardian looks ten times a second; one that was not seen for this long is not there. */
const FRESH = 1_000_000;

export interface GuardState {
  /**
   * `none`: no watchdog is configured. `idle`: nothing to guard, device closed. `armed`: it counts
   * down, and is fast enough. `slow`: the device confirmed more than the configuration reckons
   * with. `absent`: there ought to be one, and none is in force.
   */
  readonly state: 'none' | 'idle' | 'armed' | 'slow' | 'absent';
  /** What the device confirmed in milliseconds, 0 while it is closed. */
  readonly timeoutMillis: number;
}

/** `watchdog` is the configured device, `longest` the time that the arithmetic of leases allows. */
export function judgeGuard(
  page: ReturnType<GuardianState['read']> | null,
  { watchdog, longest, now }: { watchdog: string; longest: Micros; now: Micros },
): GuardState {
  if (watchdog === 'none' || page === null) return { state: 'none', timeoutMillis: 0 };
  const { armed, running, seenMicros, timeoutMillis } = page;
  if (page.pid === 0 || now - seenMicros > FRESH) return { state: 'absent', timeoutMillis };
  if (!armed) return { state: 'idle', timeoutMillis };
  if (!running || timeoutMillis === 0) return { state: 'absent', timeoutMillis };
  return { state: timeoutMillis * 1000 <= longest ? 'armed' : 'slow', timeoutMillis };
}
