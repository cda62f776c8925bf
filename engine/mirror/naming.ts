/**
 * Which hot extents a journal page names, where there are more of them than one has room for. A
 * page names what became hot since the page before it, and then whatever was named longest ago: so
 * the last few pages name all of them, and each says how many those are. Who reads them takes all
 * that they name for hot: of what went cold meanwhile too much is copied, never too little.
 */
import { invariant } from '../core/invariant.ts';

/** Not named by any page yet. */
const NEVER: number = Number.POSITIVE_INFINITY;

/** Guards that planted bugs switch off. */
export interface NamingBugs {
  readonly namingForgets: boolean;
  readonly namingCrowded: boolean;
  readonly windowShort: boolean;
}

/** Most extents of a hot set whose pages, of `perPage` extents each, a ring of `pages` can hold. */
export function namedMax(perPage: number, pages: number): number {
  return Math.max(perPage, (pages - 1) * Math.floor(perPage / 2));
}

export class Naming {
  readonly #bugs: NamingBugs;
  readonly #perPage: number;
  /** New extents that a page has room for in any case; as many old ones, so that a lap ends. */
  readonly #share: number;
  /** The sequence of the page that named each extent last. */
  readonly #named: Float64Array;
  /** By place, what was named later and what earlier; new extents stand behind all others. */
  readonly #later: Int32Array;
  readonly #earlier: Int32Array;
  #first = -1;
  #last = -1;
  /** The first that was never named, and how many there are of them. */
  #fresh = -1;
  #waiting = 0;
  /** The last page that named all. */
  #whole = 0;

  /** For extents at `places` places, in pages that name `perPage` each. */
  constructor(places: number, perPage: number, bugs: NamingBugs) {
    this.#bugs = bugs;
    this.#perPage = perPage;
    this.#share = Math.floor(perPage / 2);
    this.#named = new Float64Array(places).fill(NEVER);
    this.#later = new Int32Array(places).fill(-1);
    this.#earlier = new Int32Array(places).fill(-1);
  }

  /** A new extent stands at `place`. Returns how many pages from now one is sure to name it. */
  add(place: number): number {
    this.#named[place] = NEVER;
    this.#earlier[place] = this.#last;
    this.#later[place] = -1;
    if (this.#last >= 0) this.#later[this.#last] = place;
    else this.#first = place;
    this.#last = place;
    if (this.#fresh < 0) this.#fresh = place;
    const pages = this.#bugs.namingCrowded ? 0 : Math.floor(this.#waiting / this.#share);
    this.#waiting += 1;
    return pages + 1;
  }

  /** The extent at `place` is hot no more. */
  remove(place: number): void {
    const earlier = this.#earlier[place] as number;
    const later = this.#later[place] as number;
    if (this.#named[place] === NEVER) this.#waiting -= 1;
    if (this.#fresh === place) this.#fresh = later;
    if (earlier >= 0) this.#later[earlier] = later;
    else this.#first = later;
    if (later >= 0) this.#earlier[later] = earlier;
    else this.#last = earlier;
  }

  /** Page `seq` names all. */
  all(seq: number): void {
    for (let at = this.#fresh; at >= 0; at = this.#later[at] as number) this.#named[at] = seq;
    this.#fresh = -1;
    this.#waiting = 0;
    this.#whole = seq;
  }

  /** Page `seq` names as many as it has room for: `extents` of those places, placed in `into`. */
  some(seq: number, extents: Uint32Array, into: Uint32Array): number {
    let count = this.#nameFresh(seq, this.#share, 0, extents, into);
    // What was named longest ago; all of it stands before what was new.
    const head = this.#first;
    let tail = -1;
    for (let at = head; at >= 0 && count < this.#perPage; at = this.#later[at] as number) {
      if ((this.#named[at] as number) >= seq) break;
      // A planted bug passes over the first, as if it had just been named.
      if (!this.#bugs.namingForgets || at !== head) {
        into[count] = extents[at] as number;
        count += 1;
      }
      this.#named[at] = seq;
      tail = at;
    }
    if (tail >= 0) this.#moveBack(head, tail);
    return this.#nameFresh(seq, this.#perPage - count, count, extents, into);
  }

  /** Pages up to `seq`, with it, that name all that were named at all. */
  window(seq: number): number {
    if (this.#first < 0 || this.#first === this.#fresh) return 1;
    const window = seq - Math.max(this.#named[this.#first] as number, this.#whole) + 1;
    invariant(window >= 1, 'no page comes before what it names');
    return this.#bugs.windowShort && window > 1 ? window - 1 : window;
  }

  #nameFresh(
    seq: number,
    most: number,
    from: number,
    extents: Uint32Array,
    into: Uint32Array,
  ): number {
    let count = from;
    let at = this.#fresh;
    for (; at >= 0 && count < from + most; at = this.#later[at] as number) {
      this.#named[at] = seq;
      into[count] = extents[at] as number;
      count += 1;
    }
    this.#fresh = at;
    this.#waiting -= count - from;
    return count;
  }

  /** Moves the run from the first to `tail` behind all that were named: before what never was. */
  #moveBack(head: number, tail: number): void {
    const rest = this.#later[tail] as number;
    // Nothing that was named stands behind them.
    if (rest < 0 || rest === this.#fresh) return;
    const before = this.#fresh < 0 ? this.#last : (this.#earlier[this.#fresh] as number);
    this.#first = rest;
    this.#earlier[rest] = -1;
    this.#later[before] = head;
    this.#earlier[head] = before;
    this.#later[tail] = this.#fresh;
    if (this.#fresh < 0) this.#last = tail;
    else this.#earlier[this.#fresh] = tail;
  }
}
