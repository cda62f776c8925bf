/**
 * How much a resync has in flight. Nobody else there: all that it may. Beside an application a
 * closed loop: halved when requests take longer than they should, larger again when they do not,
 * and never less than one copy within the time that the minimum rate gives it. Copies nothing.
 */
import { MICROS_PER_S, type Micros } from '../core/units.ts';

/** The least that one copy has, where a slot has room for it: less is all overhead. */
const COPY_BYTES_MIN = 65_536;
/** At the floor copies are few, for each costs a disk a seek; one counts as the above at least. */
const FLOOR_BYTES = 4 * COPY_BYTES_MIN;
/** A full window is so many copies: enough to keep two disks and a wire busy at once. */
const COPIES = 8;
/** Verdicts are not given more often than this, ... */
const JUDGE_MIN: Micros = 100_000;
/** ... nor on fewer requests than this, unless no more came in a second. */
const SAMPLES = 16;
/** One request in so many may take as long as it likes. */
const OUTLIERS = 16;
/** Four buckets an octave: a verdict is wrong by a quarter at most. */
const BUCKETS = 128;
const LATENCY_MAX: Micros = 1 << 30;

export interface PaceOptions {
  /** Bytes of one copy at most. */
  readonly copyBytes: number;
  /** Bytes in flight at most. */
  readonly windowBytes: number;
  /** What requests of the application may take. */
  readonly latencyBudget: Micros;
  /** Bytes a second that are copied however long they take. */
  readonly rateMin: number;
}

/** Guards that planted bugs switch off. */
export interface PaceBugs {
  readonly paceDeaf: boolean;
  readonly paceStarved: boolean;
}

export class Pace {
  readonly #o: PaceOptions;
  readonly #bugs: PaceBugs;
  /** The least copy, and the least change of the window. */
  readonly #unit: number;
  readonly #seen = new Uint32Array(BUCKETS);
  #samples = 0;
  #since: Micros = 0;
  /** Whether a second passed in which the application asked for nothing. */
  #quiet = true;
  /** Bytes that may be in flight; 0 at the floor, where single copies keep the minimum rate. */
  window = 0;
  /** At the floor: when the next copy may begin. */
  nextAt: Micros = 0;
  /** What requests may take: the budget, or twice what they take without a copy beside them. */
  #limit: Micros;
  /** Whether a copy is going on, and requests are to be noted. */
  on = false;

  constructor(options: PaceOptions, bugs: PaceBugs) {
    this.#o = options;
    this.#bugs = bugs;
    this.#unit = Math.min(COPY_BYTES_MIN, options.copyBytes);
    this.#limit = options.latencyBudget;
  }

  /** A copy begins; `quiet` when the application asked for nothing in the last second. */
  begin(now: Micros, quiet: boolean): void {
    this.on = true;
    this.#limit = this.#o.latencyBudget;
    this.nextAt = now;
    this.#quiet = quiet;
    this.window = quiet ? this.#o.windowBytes : this.#careful;
    this.#restart(now);
  }

  /** The copy is over, or interrupted. */
  end(): void {
    this.on = false;
  }

  /** A request of the application is done, `micros` after it came. */
  note(micros: number): void {
    const bucket = bucketOf(Math.min(micros, LATENCY_MAX));
    this.#seen[bucket] = (this.#seen[bucket] as number) + 1;
    this.#samples += 1;
  }

  /** Looks at what was noted, when it is time to. */
  judge(now: Micros): void {
    if (this.#quiet && this.#samples > 0) {
      // Somebody came: what is in flight is more than this, and ends by itself.
      this.#quiet = false;
      if (!this.#bugs.paceDeaf) this.window = Math.min(this.window, this.#careful);
    }
    const passed = now - this.#since;
    if (passed < JUDGE_MIN || (this.#samples < SAMPLES && passed < MICROS_PER_S)) return;
    if (this.#samples === 0) this.#quiet = true;
    else if (this.#isSlow() && !this.#bugs.paceDeaf) {
      this.window = this.window >= 2 * this.#unit ? Math.floor(this.window / 2) : 0;
      this.#restart(now);
      return;
    }
    const more = this.#quiet ? this.#o.windowBytes : Math.max(this.#unit, this.window >>> 2);
    this.window = Math.min(this.#o.windowBytes, this.window + more);
    this.#restart(now);
  }

  /** Bytes that a copy may have that begins now beside `flying` bytes; 0 when none may. */
  next(flying: number, now: Micros): number {
    if (this.window === 0) {
      if (this.#bugs.paceStarved) return 0;
      if (flying > 0 || now < this.nextAt) return 0;
      return Math.min(FLOOR_BYTES, this.#o.copyBytes);
    }
    const copies = Math.floor(this.window / COPIES / this.#unit);
    const bytes = Math.min(this.#o.copyBytes, Math.max(1, copies) * this.#unit);
    return flying === 0 || flying + bytes <= this.window ? bytes : 0;
  }

  /** A copy began. */
  took(bytes: number, now: Micros): void {
    const counted = Math.max(bytes, this.#unit);
    this.nextAt = now + Math.floor((counted * MICROS_PER_S) / this.#o.rateMin);
  }

  /** Whether it takes the time {@link Pace.nextAt}, and nothing else, for another copy to begin. */
  waits(now: Micros): boolean {
    return this.window === 0 && this.nextAt > now;
  }

  /** What is begun with when the application is there. */
  get #careful(): number {
    return Math.max(this.#unit, Math.floor(this.#o.windowBytes / COPIES));
  }

  /**
   * Whether requests took too long. At the floor they took what they take without us: a disk that
   * is slow by itself would otherwise never be copied from, or to, at more than the minimum rate.
   */
  #isSlow(): boolean {
    const took = this.#quantile();
    const slow = took > this.#limit;
    const known = this.window === 0 ? 2 * took : Math.min(this.#limit, 2 * took);
    this.#limit = Math.max(this.#o.latencyBudget, known);
    return slow && this.window > 0;
  }

  /** What all requests took at most, but for one in {@link OUTLIERS}. */
  #quantile(): Micros {
    let above = 0;
    for (let bucket = BUCKETS - 1; bucket > 0; bucket -= 1) {
      above += this.#seen[bucket] as number;
      if (above * OUTLIERS > this.#samples) return endOf(bucket);
    }
    return 0;
  }

  #restart(now: Micros): void {
    this.#since = now;
    this.#samples = 0;
    this.#seen.fill(0);
  }
}

/** Single values up to 7, then four buckets an octave. */
function bucketOf(micros: number): number {
  if (micros < 8) return Math.max(0, micros);
  const octave = 31 - Math.clz32(micros);
  return 8 + 4 * (octave - 3) + ((micros >>> (octave - 2)) & 3);
}

/** The largest value in a bucket. */
function endOf(bucket: number): number {
  if (bucket < 8) return bucket;
  const octave = 3 + ((bucket - 8) >>> 2);
  return (5 + ((bucket - 8) & 3)) * (1 << (octave - 2)) - 1;
}
