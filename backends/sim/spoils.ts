/**
 * What a faulty disk holds in place of what it was given. Sectors hold stamps; a spoiled one holds
 * a negative stamp instead, and this table says what is really there and what ought to be. So the
 * truth travels with the data: whoever copies a spoiled sector copies the mark as well, and whoever
 * overwrites it is rid of it. The engine never sees stamps, and knows nothing of this.
 */

/** Content that nobody ever wrote. */
export const GARBAGE = -1;
/** Spoiled stamps begin here and go down; -1 is taken by {@link GARBAGE} and by oracles. */
const FIRST = -2;

/** The spoiled stamps of one volume: its replicas copy from one another. */
export class Spoils {
  readonly #content: number[] = [];
  readonly #ought: number[] = [];

  /** Spoiled sectors so far. */
  get count(): number {
    return this.#content.length;
  }

  /** The stamp for a sector that holds what `actual` holds, where `ought` should be. */
  stamp(actual: number, ought: number): number {
    const content = this.content(actual);
    const truth = this.ought(ought);
    if (content === truth) return truth;
    this.#content.push(content);
    this.#ought.push(truth);
    return FIRST - this.#content.length + 1;
  }

  /** What a disk that keeps its word would hold. */
  ought(stamp: number): number {
    return stamp >= GARBAGE ? stamp : (this.#ought[FIRST - stamp] as number);
  }

  /** What the bytes are. */
  content(stamp: number): number {
    return stamp >= GARBAGE ? stamp : (this.#content[FIRST - stamp] as number);
  }

  /** Whether a sector with this stamp holds something else than it ought to. */
  spoiled(stamp: number): boolean {
    return stamp < GARBAGE;
  }
}
