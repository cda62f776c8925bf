/** When a process that keeps dying may be started again. Pure. */

/** At most this many starts in {@link WINDOW_MS}; then the lease is left to lapse. */
export const STARTS_MAX = 5;
export const WINDOW_MS = 60_000;
/** First pause; each further death after a short life doubles it. */
const FIRST_PAUSE_MS = 100;
/** One that lived this long did not die of its start: the next one comes at once. */
export const LONG_LIFE_MS = 10_000;

/** The starts of one process. */
export class RestartBudget {
  #starts: number[] = [];

  /** Counts a start at `now` (ms). */
  started(now: number): void {
    this.#forget(now);
    this.#starts.push(now);
  }

  /**
   * How long to wait before the next start: back-off, or until the window has room again. The first
   * restart is immediate: a core that died by accident must be back before its lease runs out.
   */
  pause(now: number): number {
    this.#forget(now);
    const [oldest] = this.#starts;
    if (oldest === undefined) return 0;
    if (this.#starts.length >= STARTS_MAX) return oldest + WINDOW_MS - now;
    if (now - (this.#starts.at(-1) as number) >= LONG_LIFE_MS) return 0;
    const short = this.#shortLives();
    return short === 0 ? 0 : FIRST_PAUSE_MS * 2 ** (short - 1);
  }

  /** Starts in a row, before the last one, that did not last. */
  #shortLives(): number {
    let count = 0;
    for (let n = this.#starts.length - 1; n > 0; n--) {
      const [start, before] = [this.#starts[n] as number, this.#starts[n - 1] as number];
      if (start - before >= LONG_LIFE_MS) break;
      count += 1;
    }
    return count;
  }

  /** Whether the next start has to wait for the window. */
  exhausted(now: number): boolean {
    this.#forget(now);
    return this.#starts.length >= STARTS_MAX;
  }

  #forget(now: number): void {
    this.#starts = this.#starts.filter((start) => now - start < WINDOW_MS);
  }
}
