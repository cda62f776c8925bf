/**
 * The clock port of a real host: microseconds that monitor, core, data Workers and guardian share,
 * and that count the time a host slept. The addon has such a clock; Node alone has not. A witness
 * may have to do without the addon: it shares its clock with nobody, and {@link SuspendWatch} tells
 * it when its machine slept, for then it must not believe in any promise of its own.
 */
import { uptime } from 'node:os';
import type { NodeConfig } from '../../engine/core/config.ts';
import type { Micros } from '../../engine/core/units.ts';
import { hasNative, loadNative } from './native.ts';

/** The clock of this host's processes. Throws NativeError where a host lacks the addon. */
export function openClock({ witness }: NodeConfig): () => Micros {
  return witness && !hasNative() ? monotonicMicros : loadNative().nowMicros;
}

/** CLOCK_MONOTONIC: stands still while the machine sleeps. */
function monotonicMicros(): Micros {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
}

/** Longest time that two clock readings may lie apart before it counts as sleep. */
const SUSPEND_TOLERANCE: Micros = 500_000;

/** Compares the clock that counts sleep with the one that does not. */
export class SuspendWatch {
  #offset: number;
  #sleepClock: () => Micros;
  #clock: () => Micros;

  /** `sleepClock` counts suspended time; os.uptime() does, in steps of 10 ms. */
  constructor(
    sleepClock: () => Micros = () => Math.floor(uptime() * 1_000_000),
    clock: () => Micros = monotonicMicros,
  ) {
    this.#sleepClock = sleepClock;
    this.#clock = clock;
    this.#offset = this.#measure();
  }

  /** How long the machine slept since the last call, 0 when it did not. */
  slept(): Micros {
    const offset = this.#measure();
    const gap = offset - this.#offset;
    if (gap <= SUSPEND_TOLERANCE) return 0;
    this.#offset = offset;
    return gap;
  }

  /** The smallest of three: this thread may be set aside between the two readings. */
  #measure(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (let attempt = 0; attempt < 3; attempt++) {
      const mono = this.#clock();
      least = Math.min(least, this.#sleepClock() - mono);
    }
    return least;
  }
}
