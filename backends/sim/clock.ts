/**
 * A host's monotonic clock: local time is an integer function of world time, with an adjustable
 * rate. It never runs backwards, and it starts somewhere else in every life of the host, as real
 * monotonic clocks do, so that comparing times of two lives is a mistake that shows.
 */

const MILLION = 1_000_000;

/** One host's clock. */
export class SimClock {
  /** World time and local time at the last change of rate. */
  #anchor = 0;
  #local = 0;
  /** Rate error in parts per million. */
  #ppm = 0;
  /** World time since when the clock stands still, or -1. */
  #stoppedAt = -1;

  get ppm(): number {
    return this.#ppm;
  }

  /** Starts a new life at world time `now` showing `local`; the rate stays. */
  start(now: number, local: number): void {
    this.#anchor = now;
    this.#local = local;
    this.#stoppedAt = -1;
  }

  /** From now on the clock gains `ppm` microseconds per second. */
  setRate(now: number, ppm: number): void {
    this.#local = this.at(now);
    this.#anchor = this.#stoppedAt >= 0 ? this.#stoppedAt : now;
    this.#ppm = ppm;
  }

  /** The clock stands still until {@link resume}. */
  stop(now: number): void {
    if (this.#stoppedAt < 0) this.#stoppedAt = now;
  }

  resume(now: number): void {
    if (this.#stoppedAt < 0) return;
    const local = this.at(now);
    this.#stoppedAt = -1;
    this.#anchor = now;
    this.#local = local;
  }

  /** Local time at world time `now`. */
  at(now: number): number {
    const until = this.#stoppedAt >= 0 ? this.#stoppedAt : now;
    const elapsed = until - this.#anchor;
    if (this.#ppm === 0) return this.#local + elapsed;
    return this.#local + elapsed + Math.floor((elapsed * this.#ppm) / MILLION);
  }

  /**
   * The earliest world time ≥ `now` at which the clock shows at least `local`; of a clock that
   * stands still, if it went on now.
   */
  when(now: number, local: number): number {
    const ahead = local - this.at(now);
    if (ahead <= 0) return now;
    if (this.#ppm === 0) return now + ahead;
    const until = this.#stoppedAt >= 0 ? this.#stoppedAt : now;
    const needed = local - this.#local;
    const behind = until - this.#anchor;
    // What the clock shows is rounded down, so the straight line may lead past the first moment.
    const line = Math.floor((ahead * MILLION) / (MILLION + this.#ppm)) - 2;
    let elapsed = behind + Math.max(0, line);
    while (elapsed + Math.floor((elapsed * this.#ppm) / MILLION) < needed) elapsed += 1;
    return now + (elapsed - behind);
  }
}
