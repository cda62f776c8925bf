/**
 * What of a disk with a side area has changed since somebody looked: whoever holds an image against
 * it at every write of metadata need not go over all of it each time. It may name more than has
 * changed, never less.
 */

const BLOCK_SECTORS = 8;

export class DiskChanges {
  /** Blocks that may have changed, each once. */
  #blocks: number[] = [];
  readonly #named: Uint8Array;
  /** Anything may have changed. */
  #any = true;
  /** How often each page of the metadata may have changed. */
  readonly #pages: Uint32Array;

  constructor(sectors: number, pages: number) {
    this.#named = new Uint8Array(Math.ceil(sectors / BLOCK_SECTORS));
    this.#pages = new Uint32Array(pages);
  }

  /** Some of `count` sectors from `sector` on are others, on the medium or in what reads return. */
  sectors(sector: number, count: number): void {
    const last = Math.floor((sector + count - 1) / BLOCK_SECTORS);
    for (let block = Math.floor(sector / BLOCK_SECTORS); block <= last; block += 1) {
      if (this.#named[block] !== 0) continue;
      this.#named[block] = 1;
      this.#blocks.push(block);
    }
  }

  /** Any sector may be another, or in another place. */
  anySector(): void {
    this.#any = true;
  }

  page(page: number): void {
    this.#pages[page] = (this.#pages[page] as number) + 1;
  }

  anyPage(): void {
    for (let page = 0; page < this.#pages.length; page += 1) this.page(page);
  }

  /** While it stays the same, so does what page `page` ought to hold. */
  version(page: number): number {
    return this.#pages[page] as number;
  }

  /** The blocks, of all that the disk holds, that may differ from the last look; null for any. */
  take(): readonly number[] | null {
    const blocks = this.#blocks;
    for (const block of blocks) this.#named[block] = 0;
    this.#blocks = [];
    const any = this.#any;
    this.#any = false;
    return any ? null : blocks;
  }
}
