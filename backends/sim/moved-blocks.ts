/**
 * Where a simulated disk has the blocks of its volume: in their places, or in the spare area, which
 * lies behind them, as the durable metadata say. What the disk shows is what a replica with such
 * metadata would serve. Behind both, and behind all other pages of metadata, is the side area.
 * Decides nothing, and moves nothing.
 */
import type { SpareArea } from './actors.ts';
import { DiskChanges } from './disk-changes.ts';
import type { DiskSize } from './disk-options.ts';
import type { Spoils } from './spoils.ts';
import { ZeroMarks } from './zero-marks.ts';

const BLOCK_SECTORS = 8;

/** What reads return, and what survives a loss of power. */
interface Shown {
  readonly view: Int32Array;
  readonly media: Int32Array;
}

/** The side area of a disk; if it has one, with what has changed on the disk since a look. */
export interface SideArea extends Shown {
  readonly changes: DiskChanges | null;
  readonly zeroes: ZeroMarks;
}

export class MovedBlocks {
  readonly #sectors: number;
  readonly #spare: SpareArea;
  readonly #table: number;
  readonly #metaPages: number;
  /** Where the second superblock stands. */
  readonly slotB: number;
  /** The first sector of the side area. */
  readonly sideAt: number;
  /** Everything that the disk holds, its side area as well. */
  readonly allSectors: number;
  readonly allPages: number;
  /** Reads the table in the metadata; nothing moves while nobody can. */
  read: (meta: Uint8Array) => ReadonlyMap<number, number> = () => new Map();
  /** What is durable in each place, whatever stands elsewhere. */
  inPlace: Int32Array = new Int32Array(0);
  /** Null when the metadata may have changed since they were read. */
  #moved: ReadonlyMap<number, number> | null = new Map();
  #changes: DiskChanges | null = null;

  constructor(size: DiskSize) {
    const { sectors, metaPages, spare = { first: metaPages, count: 0 } } = size;
    this.#sectors = sectors;
    this.#metaPages = metaPages;
    this.#spare = spare;
    // The table of moved blocks has two copies, before and behind the area.
    this.#table = 2 * spare.first - metaPages;
    this.slotB = this.#table - 1;
    this.sideAt = sectors + spare.count * BLOCK_SECTORS;
    this.allSectors = this.sideAt + (size.sideSectors ?? 0);
    this.allPages = metaPages + (size.sidePages ?? 0);
  }

  /** Page `dense` of the metadata, or of the side area behind it, has changed. */
  changed(dense: number): void {
    this.#changes?.page(dense);
    if (this.#spare.count === 0 || dense < this.#table || dense >= this.#metaPages) return;
    this.#moved = null;
    this.#changes?.anySector();
  }

  /** Any page has changed. */
  replaced(): void {
    this.#changes?.anyPage();
    this.#changes?.anySector();
    if (this.#spare.count > 0) this.#moved = null;
  }

  /** The sector that holds sector `sector` of the side area. */
  sideSector(sector: number): number {
    return this.sideAt + sector;
  }

  /** The number of page `page` of the side area among all pages. */
  sidePage(page: number): number {
    return this.#metaPages + this.#spare.count + page;
  }

  /** What of a disk is its side area; from now on its cache says what changes, if it has one. */
  aside(cache: Shown & { changes: DiskChanges | null }, spoils: Spoils): SideArea {
    const { view, media } = cache;
    this.inPlace = media;
    if (this.sideAt < this.allSectors) {
      this.#changes = new DiskChanges(this.allSectors, this.allPages);
      cache.changes = this.#changes;
    }
    return {
      view: view.subarray(this.sideAt),
      media: media.subarray(this.sideAt),
      changes: this.#changes,
      zeroes: new ZeroMarks(spoils),
    };
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

  /** The page that stands at place `dense`, of the side area if that is behind all others. */
  page(dense: number): number {
    if (dense >= this.#metaPages) return dense - this.#metaPages;
    return dense < this.#spare.first ? dense : dense + this.#spare.count;
  }

  /** Where in all that the disk holds sector `sector` of the volume stands. */
  where(sector: number, meta: Uint8Array): number {
    this.#moved ??= this.read(meta);
    if (this.#moved.size === 0) return sector;
    const spare = this.#moved.get(Math.floor(sector / BLOCK_SECTORS));
    if (spare === undefined) return sector;
    return this.#sectors + spare * BLOCK_SECTORS + (sector % BLOCK_SECTORS);
  }

  /**
   * What `all` holds of the volume, each block from where it stands: a copy where any is elsewhere,
   * so whoever looks at one sector asks {@link where}.
   */
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
