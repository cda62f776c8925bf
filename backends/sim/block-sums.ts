/**
 * What stands for the CRC32C of simulated blocks: a number that depends on what each of a block's
 * sectors really holds, wherever a faulty disk put it. Blocks of zeroes have the checksum of
 * zeroes, which the engine knows.
 */
import { BLOCK_BYTES, SECTOR_BYTES } from '../../engine/core/units.ts';
import { ZERO_SUM } from '../../engine/mirror/sum-page.ts';
import type { SimDisk } from './disk.ts';
import type { Zeroes } from './zeroes.ts';

const SECTORS = BLOCK_BYTES / SECTOR_BYTES;
const PRIME = 0x9e3779b1;

/** What a block's sectors hold, and what of it is zero. */
interface SummedLeg {
  readonly stamps: Int32Array;
  readonly zeroes: Zeroes;
  readonly disk: Pick<SimDisk, 'spoils'>;
}

/** Where blocks begin and end within [offset, offset+length), in bytes. */
export function wholeBlocks(offset: number, length: number): readonly [first: number, end: number] {
  return [Math.ceil(offset / BLOCK_BYTES), Math.floor((offset + length) / BLOCK_BYTES)];
}

/** The checksums of the whole blocks among `length` bytes at `offset`, held from stamp `at` on. */
export function blockSums(
  { stamps, zeroes, disk: { spoils } }: SummedLeg,
  at: number,
  offset: number,
  length: number,
): number[] {
  const [first, end] = wholeBlocks(offset, length);
  const sums: number[] = [];
  for (let block = first; block < end; block += 1) {
    const from = at + (block * BLOCK_BYTES - offset) / SECTOR_BYTES;
    if (zeroes.all(stamps, from, SECTORS)) {
      sums.push(ZERO_SUM);
      continue;
    }
    let sum = 0x2545f491;
    for (let i = from; i < from + SECTORS; i += 1) {
      const stamp = stamps[i] as number;
      const content = zeroes.are(stamp) ? 0 : spoils.content(stamp);
      sum = Math.imul((sum << 5) ^ (sum >>> 27) ^ content, PRIME);
    }
    sums.push(Math.imul(sum ^ (sum >>> 15), PRIME) >>> 0);
  }
  return sums;
}
