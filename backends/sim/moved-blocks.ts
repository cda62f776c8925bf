/**
 * Where a simulated disk has the blocks of its volume: in their places, or in the spare area, which
 * lies behind them, as the durable metadata say. What the disk shows is what a replica with such
 * metadata would serve. Decides nothing, and moves nothing.
 */
import type { SpareArea } from './actors.ts';

const BLOCK_SECTORS = 8;

export class MovedBlocks {
  readonly #sectors: number;
  readonly #spare: SpareArea;
  readonly #table: number;
  /** Reads the table in the metadata; nothing moves while nobody can. */
  read: (meta: Uint8Array) => ReadonlyMap<number, number> = () => new Map();
  /** Null when the metadata may have changed since they were read. */
  #moved: ReadonlyMap<number, number> | null = new Map();

  /** The table of moved blocks has two copies of `tables` pages, before and behind the area. */
  constructor(sectors: number, spare: SpareArea, tables: number) {
    this.#sectors = sectors;
    this.#spare = spare;
    this.#table = spare.first - tables;
  }

  /** Page `dense` of the metadata has changed. */
  changed(dense: number): void {
    if (this.#spare.count > 0 && dense >= this.#table) this.#moved = null;
  }

  /** The sector that holds sector `sector` of the volume, in page `page` of the metadata area. */
  at(sector: number, page: number): number {
    if (page === 0) return sector;
    const block = page - this.#spare.first;
    return this.#sectors + block * BLOCK_SECTORS + (sector % BLOCK_SECTORS);
  }

  /** Pages of metadata stand without gaps: spare blocks among them are data. */
  dense(page: number): number {
    return page < this.#spare.first ? page : page - this.#spare.count;
  }

  /** The page that stands at place `dense`. */
  page(dense: number): number {
    return dense < this.#spare.first ? dense : dense + this.#spare.count;
  }

  /** What `all` holds of the volume, each block from where it stands. */
  shown(all: Int32Array, meta: Uint8Array): Int32Array {
    this.#moved ??= this.read(meta);
    if (this.#moved.size === 0) return all.subarray(0, this.#sectors);
    const volume = all.slice(0, this.#sectors);
    for (const [block, spare] of this.#moved) {
      const from = this.#sectors + spare * BLOCK_SECTORS;
      volume.set(all.subarray(from, from + BLOCK_SECTORS), block * BLOCK_SECTORS);
    }
    return volume;
  }
}
