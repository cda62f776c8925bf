/**
 * Which pieces of a resync are compared before they are sent: the target says the digest of what it
 * has, and a piece that is equal needs no payload. Comparing costs a read there and a turn of the
 * wire, so by itself (`auto`) it goes on as long as it pays: by how much is equal, and by what the
 * two ways take. Else it looks at one piece in so many whether it would. Nothing is sent here, and
 * nothing decided: what an equal digest means resync-compare.ts says.
 */
import type { Micros } from '../core/units.ts';

/** Whether a resync compares before it sends: `auto` while that pays, always, or never. */
export type SkipEqual = 'auto' | 'on' | 'off';

/** Bytes of a piece that is compared, at most: one block that differs costs all of it. */
export const PIECE_BYTES = 131_072;
/** Pieces that may be compared in vain, one after another, before only samples are. */
const CREDIT_MAX = 16;
/** A piece that was spared pays for so many others, while nobody knows what the two ways take. */
const GAIN = 4;
/** Without credit one piece in so many is compared, to see whether the others should be. */
const SAMPLE = 16;
/** So many pieces are sent first, to see what that takes. */
const PROBE = 16;
/** What is older than so many bytes counts half. */
const LATELY = 16_777_216;

/** How quick one of the two ways is: by the time from one piece's end to the next one's. */
class Rate {
  #bytes = 0;
  #micros = 0;

  add(bytes: number, micros: Micros): void {
    this.#bytes += bytes;
    this.#micros += micros;
    if (this.#bytes < LATELY) return;
    this.#bytes /= 2;
    this.#micros /= 2;
  }

  /** Bytes a microsecond, 0 for not known. */
  get value(): number {
    return this.#bytes === 0 ? 0 : this.#bytes / Math.max(1, this.#micros);
  }
}

export class EqualSkipper {
  readonly #setting: SkipEqual;
  #credit = 0;
  #passed = 0;
  #probe = 0;
  /** Of equal pieces, and of those that are sent; and which of them ended last, and when. */
  #comparing = new Rate();
  #sending = new Rate();
  #last: Rate | null = null;
  #at: Micros = 0;
  /** The peer answers no digests: it was told once, and is asked no more. */
  #refused = false;
  /** Bytes compared, and bytes of those that were equal. */
  compared = 0;
  equal = 0;

  constructor(setting: SkipEqual) {
    this.#setting = setting;
  }

  /**
   * A copy begins; `possible` if its target answers digests, `coarse` if most of what is dirty is
   * nobody's change, as after a crash or where everything is copied.
   */
  begin(possible: boolean, coarse: boolean): void {
    this.#refused = !possible || this.#setting === 'off';
    this.#credit = coarse ? CREDIT_MAX : 0;
    // The first piece of a map of changes is a sample too.
    this.#passed = SAMPLE - 1;
    this.#probe = !this.#refused && this.#setting === 'auto' ? PROBE : 0;
    this.#comparing = new Rate();
    this.#sending = new Rate();
    this.#last = null;
    this.compared = 0;
    this.equal = 0;
  }

  /** Whether the next piece is to be compared; asked once for each. */
  takes(): boolean {
    if (this.#refused) return false;
    if (this.#setting === 'on') return true;
    if (this.#probe > 0) {
      this.#probe -= 1;
      return false;
    }
    if (this.#credit > 0) {
      this.#credit -= 1;
      return true;
    }
    this.#passed += 1;
    if (this.#passed < SAMPLE) return false;
    this.#passed = 0;
    return true;
  }

  /** Whether what is sent is to be no longer than what is compared: then it is a measure. */
  get short(): boolean {
    return this.#probe > 0;
  }

  /** So many bytes are equal on both; zeroes would have cost no payload either. */
  same(bytes: number, now: Micros, zero: boolean): void {
    this.compared += bytes;
    this.equal += bytes;
    if (zero) return;
    this.#ended(this.#comparing, bytes, now);
    const [comparing, sending] = [this.#comparing.value, this.#sending.value];
    const known = comparing > 0 && sending > 0;
    const pays = known ? Math.floor(comparing / sending) : GAIN;
    this.#credit = Math.min(CREDIT_MAX, this.#credit + pays);
  }

  /** So many bytes were sent, and are on both. */
  sent(bytes: number, now: Micros): void {
    this.#ended(this.#sending, bytes, now);
  }

  #ended(way: Rate, bytes: number, now: Micros): void {
    if (way === this.#last) way.add(bytes, now - this.#at);
    this.#last = way;
    this.#at = now;
  }

  /** So many bytes are not. */
  differs(bytes: number): void {
    this.compared += bytes;
  }

  /** The target compares nothing, now or at all. */
  refused(): void {
    this.#refused = true;
    this.#probe = 0;
  }
}
