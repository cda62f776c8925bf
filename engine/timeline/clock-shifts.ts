/**
 * How far the clocks of several journals stand from one another, as far as causes tell: an effect
 * never comes before its cause, so each cause that crossed from one clock to another bounds the
 * difference from one side. A clock that agrees with all bounds is left as its host set it; else
 * it is moved to the middle of what the bounds allow. That is an estimate, and is reported as one.
 */
import type { Micros } from '../core/units.ts';

/** What is known of one clock. */
export interface ClockShift {
  /** To be added to the clock's times. */
  readonly shift: Micros;
  /** What messages allow at least and at most against the clocks settled before; null: no bound. */
  readonly least: Micros | null;
  readonly most: Micros | null;
  /** False where the bounds contradict each other: the clocks drifted apart within the journals. */
  readonly sound: boolean;
}

const NONE = Number.NEGATIVE_INFINITY;

export class ClockBounds {
  readonly #count: number;
  /** `least[from][to]`: what `to` must at least be ahead of `from`, after both are shifted. */
  readonly #least: number[][];

  constructor(count: number) {
    this.#count = count;
    this.#least = Array.from({ length: count }, () => new Array<number>(count).fill(NONE));
  }

  /** An event at `at` on clock `to` was caused by one at `since` on clock `from`. */
  caused(from: number, since: Micros, to: number, at: Micros): void {
    const row = this.#least[from];
    if (from === to || row === undefined) return;
    row[to] = Math.max(row[to] ?? NONE, since - at);
  }

  /** A shift for each clock, in the order of the clocks. */
  settle(): readonly ClockShift[] {
    const contradicted = this.#relax();
    const least = closed(this.#least);
    const sound = least.every((row, clock) => (row[clock] ?? NONE) <= 0);
    const shifts: (ClockShift | null)[] = new Array<ClockShift | null>(this.#count).fill(null);
    for (const clock of this.#byTrust(least)) {
      if (!sound) {
        // Rings of bounds that cannot all hold: leave every clock as it is.
        shifts[clock] = { shift: 0, least: null, most: null, sound: false };
        continue;
      }
      let low = NONE;
      let high = Number.POSITIVE_INFINITY;
      for (const [other, settled] of shifts.entries()) {
        if (settled === null) continue;
        low = Math.max(low, settled.shift + (least[other]?.[clock] ?? NONE));
        high = Math.min(high, settled.shift - (least[clock]?.[other] ?? NONE));
      }
      shifts[clock] = {
        shift: nearest(low, high),
        least: low === NONE ? null : low,
        most: high === Number.POSITIVE_INFINITY ? null : high,
        sound: !contradicted.has(clock),
      };
    }
    return shifts.filter((shift) => shift !== null);
  }

  /** Two clocks whose bounds contradict each other meet in the middle. */
  #relax(): ReadonlySet<number> {
    const contradicted = new Set<number>();
    for (let one = 0; one < this.#count; one++) {
      for (let other = 0; other < one; other++) {
        const there = this.#least[one]?.[other] ?? NONE;
        const back = this.#least[other]?.[one] ?? NONE;
        if (there + back <= 0) continue;
        const middle = Math.floor((there - back) / 2);
        (this.#least[one] as number[])[other] = middle;
        (this.#least[other] as number[])[one] = -middle;
        contradicted.add(one).add(other);
      }
    }
    return contradicted;
  }

  /** Clocks that disagree with the fewest others first: a single wrong one is what moves. */
  #byTrust(least: readonly (readonly number[])[]): readonly number[] {
    const conflicts = least.map((row, clock) => {
      return row.filter((there, other) => {
        return other !== clock && (there > 0 || (least[other]?.[clock] ?? NONE) > 0);
      }).length;
    });
    const clocks = conflicts.map((_, clock) => clock);
    return clocks.sort((a, b) => (conflicts[a] ?? 0) - (conflicts[b] ?? 0) || a - b);
  }
}

/** Bounds that follow from bounds: the longest way between every two clocks. */
function closed(bounds: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const least = bounds.map((row) => [...row]);
  for (const [via, onward] of least.entries()) {
    for (const row of least) {
      const first = row[via] ?? NONE;
      if (first === NONE) continue;
      for (const [to, second] of onward.entries()) {
        if (first + second > (row[to] ?? NONE)) row[to] = first + second;
      }
    }
  }
  return least;
}

/** Zero where it is allowed, else the middle, else the only bound there is. */
function nearest(low: number, high: number): Micros {
  if (low <= 0 && high >= 0) return 0;
  if (low === NONE) return high;
  if (high === Number.POSITIVE_INFINITY) return low;
  return Math.floor((low + high) / 2);
}
