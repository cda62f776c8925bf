/**
 * What a resync leaves out for a while because the source's disk did not give it: a piece that
 * failed is read block by block, and a block that fails alone waits for the next second. It stays
 * dirty: there is no other good copy, and a copy without it is none. What is copied block by block
 * is not compared before.
 */

/** Unreadable blocks that are tried within one second; the others wait for the next. */
const UNREADABLE_MAX = 4096;

export class LeftOut {
  readonly #unreadable: Set<number> = new Set();
  /** Blocks of copies that failed, to be read one by one: most of them are well. */
  readonly #single: Set<number> = new Set();
  /** Unreadable blocks that the timeline names already. */
  readonly #named: Set<number> = new Set();

  /** Another copy begins. */
  forget(): void {
    this.#unreadable.clear();
    this.#single.clear();
    this.#named.clear();
  }

  /** Whether nothing is left out. */
  get none(): boolean {
    return this.#unreadable.size + this.#single.size === 0;
  }

  /** Whether so many blocks wait that nothing more is begun in this second. */
  get full(): boolean {
    return this.#unreadable.size >= UNREADABLE_MAX;
  }

  /** Whether the block waits for the next second. */
  has(block: number): boolean {
    return this.#unreadable.has(block);
  }

  /** Whether the block is copied alone. */
  isSingle(block: number): boolean {
    return this.#single.has(block);
  }

  /** These blocks are not read together any more. */
  split(first: number, count: number): void {
    for (let block = first; block < first + count; block += 1) this.#single.add(block);
  }

  /** The block failed alone; whether that is to be told. */
  add(block: number): boolean {
    this.#unreadable.add(block);
    if (this.#named.has(block) || this.#named.size >= UNREADABLE_MAX) return false;
    this.#named.add(block);
    return true;
  }

  /** These blocks are on both. */
  done(first: number, count: number): void {
    for (let block = first; block < first + count && this.#single.size > 0; block += 1) {
      this.#single.delete(block);
    }
  }

  /** What a client has written since, or what failed for once, can be read now. */
  again(): void {
    for (const block of this.#unreadable) this.#single.add(block);
    this.#unreadable.clear();
  }
}
