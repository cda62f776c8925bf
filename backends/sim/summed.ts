/**
 * Which blocks of a disk an engine with checksums must know the checksum of: those that the present
 * life of its core has written last, whole, with what they ought to hold. Of all others it may have
 * no opinion. Knows nothing of how the engine keeps them.
 */
import { BLOCK_BYTES, SECTOR_BYTES } from '../../engine/core/units.ts';

const SECTORS = BLOCK_BYTES / SECTOR_BYTES;
/** In place of a life. */
const NOBODY = -1;

/** The disk on which an operation has landed. */
interface Landed {
  sectorOf(op: number): number;
  countOf(op: number): number;
  statusOf(op: number): number;
  guardOf(op: number): number;
}

export class SummedBlocks {
  /** The life of the core that wrote each block last, or NOBODY. */
  readonly #life: Int32Array;
  /** Of each operation under way, a bit for each block that it brings whole and unspoiled. */
  readonly #whole: Map<number, number> = new Map();

  readonly #present: () => number;

  /** `present` is the number of the core's present life. */
  constructor(sectors: number, present: () => number) {
    this.#present = present;
    this.#life = new Int32Array(sectors / SECTORS).fill(NOBODY);
  }

  /** Operation `op` is to write `count` stamps from `at` on. */
  submitted(op: number, sector: number, count: number, stamps: Int32Array, at: number): void {
    let whole = 0;
    const first = Math.floor(sector / SECTORS);
    for (let block = first; block * SECTORS < sector + count; block += 1) {
      const from = block * SECTORS;
      let good = from >= sector && from + SECTORS <= sector + count;
      for (let i = from; good && i < from + SECTORS; i += 1) {
        good = (stamps[at + i - sector] as number) >= 0;
      }
      if (good) whole |= 1 << (block - first);
    }
    this.#whole.set(op, whole);
  }

  /** It is done, by word of the disk well or not. */
  landed(op: number, disk: Landed): void {
    const [sector, count] = [disk.sectorOf(op), disk.countOf(op)];
    const life = disk.statusOf(op) === 0 ? disk.guardOf(op) : NOBODY;
    const whole = this.#whole.get(op) ?? 0;
    const first = Math.floor(sector / SECTORS);
    for (let block = first; block * SECTORS < sector + count; block += 1) {
      this.#life[block] = ((whole >> (block - first)) & 1) === 1 ? life : NOBODY;
    }
  }

  /** Whether the present life of the core must know what the sector's block is to hold. */
  knows(sector: number): boolean {
    return this.#life[Math.floor(sector / SECTORS)] === this.#present();
  }
}
