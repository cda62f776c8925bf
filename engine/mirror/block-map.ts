/**
 * Which tracking blocks may differ from the peer's: one dirty bit per 4 KiB block in memory, in
 * pages as the metadata area has them. A page that is all clean or all dirty costs nothing, so a
 * large volume is cheap. A page remembers whether its copy on disk is older than the memory.
 */
import { invariant } from '../core/invariant.ts';
import { mix32 } from '../core/rng.ts';
import { BLOCK_BYTES } from '../core/units.ts';

/** Blocks that one metadata page covers: 2 bits each in 4032 bytes. 63 extents of 1 MiB. */
export const PAGE_BLOCKS = 16128;
/** 32-bit words of one page's bitmap in memory. */
export const PAGE_WORDS: number = PAGE_BLOCKS / 32;

/** Whoever must know that a block is marked again, though it was dirty already, or cleared. */
export interface MapWatcher {
  again(block: number): void;
}

const ALL_DIRTY: Uint32Array = new Uint32Array(0);
const SOUND = { endNotMapped: false };

export class BlockMap {
  /** Blocks of the volume. */
  readonly blocks: number;
  /** Pages of the map. */
  readonly pages: number;
  readonly #bits: (Uint32Array | null)[];
  readonly #counts: Int32Array;
  /** 1 where the page on disk is older than the memory. */
  readonly #stale: Uint8Array;
  /** The block that is never marked, with a planted bug. */
  readonly #unmapped: number;
  #dirty = 0;
  #staleCount = 0;
  watcher: MapWatcher | null = null;

  constructor(blocks: number, { endNotMapped }: { endNotMapped: boolean } = SOUND) {
    this.blocks = blocks;
    this.#unmapped = endNotMapped ? blocks - 1 : -1;
    this.pages = Math.ceil(blocks / PAGE_BLOCKS);
    this.#bits = new Array<Uint32Array | null>(this.pages).fill(null);
    this.#counts = new Int32Array(this.pages);
    this.#stale = new Uint8Array(this.pages);
  }

  /** Dirty blocks. */
  get dirty(): number {
    return this.#dirty;
  }

  /** Pages whose copy on disk is older than the memory. */
  get staleCount(): number {
    return this.#staleCount;
  }

  isStale(page: number): boolean {
    return this.#stale[page] === 1;
  }

  /** Notes that the page's present content is on its way to the disk. */
  takeStale(page: number): void {
    if (this.#stale[page] === 1) this.#staleCount -= 1;
    this.#stale[page] = 0;
  }

  touchStale(page: number): void {
    if (this.#stale[page] === 0) this.#staleCount += 1;
    this.#stale[page] = 1;
  }

  /** The first stale page from `from` on, -1 for none. */
  nextStale(from: number): number {
    return this.#staleCount === 0 ? -1 : this.#stale.indexOf(1, from);
  }

  /** Blocks of one page; the last page may be short. */
  blocksOf(page: number): number {
    return Math.min(PAGE_BLOCKS, this.blocks - page * PAGE_BLOCKS);
  }

  /** Dirty blocks of one page. */
  dirtyOf(page: number): number {
    return this.#counts[page] as number;
  }

  isDirty(block: number): boolean {
    const page = Math.floor(block / PAGE_BLOCKS);
    const bits = this.#bits[page] as Uint32Array | null;
    if (bits === null) return false;
    if (bits === ALL_DIRTY) return true;
    const at = block - page * PAGE_BLOCKS;
    return (((bits[at >>> 5] as number) >>> (at & 31)) & 1) === 1;
  }

  /** Marks every block that [offset, offset+length) touches. */
  markBytes(offset: number, length: number): void {
    if (length === 0) return;
    const first = Math.floor(offset / BLOCK_BYTES);
    const last = Math.floor((offset + length - 1) / BLOCK_BYTES);
    for (let b = first; b <= last; b += 1) this.mark(b);
  }

  /** Marks one block dirty. */
  mark(block: number): void {
    if (block === this.#unmapped) return;
    if (this.watcher !== null) this.watcher.again(block);
    const page = Math.floor(block / PAGE_BLOCKS);
    let bits = this.#bits[page] as Uint32Array | null;
    if (bits === ALL_DIRTY) return;
    if (bits === null) {
      bits = new Uint32Array(PAGE_WORDS);
      this.#bits[page] = bits;
    }
    const at = block - page * PAGE_BLOCKS;
    const word = at >>> 5;
    const old = bits[word] as number;
    const now = (old | (1 << (at & 31))) >>> 0;
    if (now === old) return;
    bits[word] = now;
    const count = (this.#counts[page] as number) + 1;
    this.#counts[page] = count;
    this.#dirty += 1;
    if (count === this.blocksOf(page)) this.#bits[page] = ALL_DIRTY;
    this.touchStale(page);
  }

  /** Marks every block of a page dirty. */
  markPage(page: number): void {
    const blocks = this.blocksOf(page);
    for (let at = 0; at < blocks && this.watcher !== null; at += 1) {
      this.watcher.again(page * PAGE_BLOCKS + at);
    }
    if (this.#counts[page] === blocks) return;
    this.#dirty += blocks - (this.#counts[page] as number);
    this.#counts[page] = blocks;
    this.#bits[page] = ALL_DIRTY;
    this.touchStale(page);
  }

  /** Clears one block: only on evidence that both replicas have the same bytes. */
  clear(block: number): void {
    if (this.watcher !== null) this.watcher.again(block);
    const page = Math.floor(block / PAGE_BLOCKS);
    let bits = this.#bits[page] as Uint32Array | null;
    if (bits === null) return;
    if (bits === ALL_DIRTY) {
      bits = this.#spread(page);
      this.#bits[page] = bits;
    }
    const at = block - page * PAGE_BLOCKS;
    const word = at >>> 5;
    const old = bits[word] as number;
    const now = (old & ~(1 << (at & 31))) >>> 0;
    if (now === old) return;
    bits[word] = now;
    const count = (this.#counts[page] as number) - 1;
    this.#counts[page] = count;
    this.#dirty -= 1;
    if (count === 0) this.#bits[page] = null;
    this.touchStale(page);
  }

  /** Clears everything: only when this replica has just become a finished copy. */
  clearAll(): void {
    for (let page = 0; page < this.pages; page += 1) {
      if (this.#counts[page] === 0) continue;
      this.#bits[page] = null;
      this.#counts[page] = 0;
      this.touchStale(page);
    }
    this.#dirty = 0;
  }

  /** The first dirty block from `from` on, -1 for none. */
  nextDirty(from: number): number {
    if (this.#dirty === 0) return -1;
    let page = Math.floor(from / PAGE_BLOCKS);
    let at = from - page * PAGE_BLOCKS;
    for (; page < this.pages; page += 1, at = 0) {
      const bits = this.#bits[page] as Uint32Array | null;
      if (bits === null) continue;
      if (bits === ALL_DIRTY) {
        if (at < this.blocksOf(page)) return page * PAGE_BLOCKS + at;
        continue;
      }
      let word = at >>> 5;
      let rest = word < PAGE_WORDS ? ((bits[word] as number) & (-1 << (at & 31))) >>> 0 : 0;
      while (rest === 0 && word + 1 < PAGE_WORDS) {
        word += 1;
        rest = bits[word] as number;
      }
      if (rest !== 0) {
        const bit = 31 - Math.clz32(rest & -rest);
        return page * PAGE_BLOCKS + word * 32 + bit;
      }
    }
    return -1;
  }

  /** The first page from `from` on with a dirty block, -1 for none. */
  nextDirtyPage(from: number): number {
    for (let page = from; page < this.pages; page += 1) {
      if ((this.#counts[page] as number) > 0) return page;
    }
    return -1;
  }

  isFull(page: number): boolean {
    return this.#counts[page] === this.blocksOf(page);
  }

  /** Copies a page's bitmap into `into` (PAGE_WORDS words). */
  copyPage(page: number, into: Uint32Array): void {
    invariant(into.length === PAGE_WORDS, 'a page has its fixed number of words');
    const bits = this.#bits[page] as Uint32Array | null;
    if (bits === null) into.fill(0);
    else into.set(bits === ALL_DIRTY ? this.#spread(page) : bits);
  }

  /** Marks what is set in `from`; bits past the end of the volume are ignored. */
  mergePage(page: number, from: Uint32Array): void {
    const blocks = this.blocksOf(page);
    for (let word = 0; word < PAGE_WORDS; word += 1) {
      let rest = from[word] as number;
      while (rest !== 0) {
        const bit = 31 - Math.clz32(rest & -rest);
        rest = (rest & (rest - 1)) >>> 0;
        const at = word * 32 + bit;
        if (at < blocks) this.mark(page * PAGE_BLOCKS + at);
      }
    }
  }

  /** A number for the whole map: equal maps have the same. It tells of a difference, no more. */
  digest(): number {
    let sum = 0;
    for (let page = this.nextDirtyPage(0); page >= 0; page = this.nextDirtyPage(page + 1)) {
      sum = mix32(sum ^ page);
      const kept = this.#bits[page] as Uint32Array;
      const bits = kept === ALL_DIRTY ? this.#spread(page) : kept;
      for (const word of bits) sum = mix32(sum ^ word);
    }
    return sum >>> 0;
  }

  #spread(page: number): Uint32Array {
    const bits = new Uint32Array(PAGE_WORDS);
    const blocks = this.blocksOf(page);
    for (let word = 0; word * 32 < blocks; word += 1) {
      const left = blocks - word * 32;
      bits[word] = left >= 32 ? 0xffffffff : ((1 << left) - 1) >>> 0;
    }
    return bits;
  }
}
