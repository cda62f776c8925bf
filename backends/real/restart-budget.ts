/** When a process that keeps dying may be started again. Pure. */

/** At most this many starts in {@link WINDOW_MS}; then the lease is left to lapse. */
export const STARTS_MAX = 5;
export const WINDOW_MS = 60_000;
/** First pause; each further start within the window doubles it. */
const FIRST_PAUSE_MS = 100;

/** The starts of one process. */
export class RestartBudget {
  #starts: number[] = [];

  /** Counts a start at `now` (ms). */
  started(now: number): void {
    this.#forget(now);
    this.#starts.push(now);
  }

  /** How long to wait before the next start: back-off, or until the window has room again. */
  pause(now: number): number {
    this.#forget(now);
    const [oldest] = this.#starts;
    if (oldest === undefined) return 0;
    if (this.#starts.length >= STARTS_MAX) return oldest + WINDOW_MS - now;
    return FIRST_PAUSE_MS * 2 ** (this.#starts.length - 1);
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
