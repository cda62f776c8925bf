/**
 * What an undo log would put back, block by block, and which blocks of the image that it keeps may
 * be others than at the last look: an image of thousands of blocks is looked at before each write
 * of metadata, and little of it changes in between.
 */
import type { Kept } from '../actors.ts';

/** In place of the page of a block that held zeroes. */
export const NO_PAGE = -1;

type Runs = Kept['runs'];

export class SavedBlocks {
  /** Blocks of the volume, and of the disk before its side area. */
  readonly #blocks: number;
  readonly #sideBlock: number;
  /** The page of the side area from which each block would come: what was saved first stays. */
  readonly #page = new Map<number, number>();
  /** The block for which each page stands. */
  readonly #block = new Map<number, number>();
  /** A page stands for two blocks, which no engine means. */
  #shared = false;
  #runs: Runs = [];
  #known = 0;

  constructor(blocks: number, sideBlock: number) {
    this.#blocks = blocks;
    this.#sideBlock = sideBlock;
  }

  /** The page from which `block` would come back; undefined if it is in its place. */
  page(block: number): number | undefined {
    return this.#page.get(block);
  }

  /**
   * The log has `runs` now, and `changed` are the blocks of the disk that may be others; null for
   * any. Answers which blocks of the image may be others for it; null for any.
   */
  changed(runs: Runs, changed: readonly number[] | null): readonly number[] | null {
    const blocks: number[] = [];
    const other = this.#known > 0 && (runs !== this.#runs || runs.length < this.#known);
    if (other) this.#forget();
    this.#runs = runs;
    for (; this.#known < runs.length; this.#known += 1) {
      if (!this.#add(runs[this.#known] as Runs[number], blocks)) this.#shared = true;
    }
    if (other || this.#shared || changed === null) return null;
    for (const block of changed) {
      if (block < this.#blocks) blocks.push(block);
      // A spare block stands for another one.
      else if (block < this.#sideBlock) return null;
      else {
        const saved = this.#block.get(block - this.#sideBlock);
        if (saved !== undefined) blocks.push(saved);
      }
    }
    return blocks;
  }

  #forget(): void {
    this.#known = 0;
    this.#shared = false;
    this.#page.clear();
    this.#block.clear();
  }

  /** False when a page stands for two blocks. */
  #add({ block, blocks, page }: Runs[number], added: number[]): boolean {
    let apart = true;
    for (let i = 0; i < blocks; i += 1) {
      added.push(block + i);
      if (this.#page.has(block + i)) continue;
      this.#page.set(block + i, page < 0 ? NO_PAGE : page + i);
      if (page < 0) continue;
      if (this.#block.has(page + i)) apart = false;
      this.#block.set(page + i, block + i);
    }
    return apart;
  }
}
