/**
 * The checksum map, byte for byte: one CRC32C per 4 KiB block, in pages of three extents behind the
 * second superblock slot. A page that is *open* on the disk says nothing of its blocks: writes may
 * be under way there. Neither does one that is not whole, or another replica's: so nothing has to
 * be written to it when a replica is made. Pure encoding and decoding; sums.ts decides when.
 */
import { crc32c, crc32cZeros } from '../core/crc32c.ts';
import { BLOCK_BYTES } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { CRC_AT, getU32, HEAD_BYTES, isDevice, METADATA_VERSION, putU32 } from './page.ts';

/** Blocks that one page covers: three extents of 1 MiB. */
export const SUM_BLOCKS = 768;
/** Says nothing of its block. */
export const NO_OPINION = 0;
/** Contradicts whatever is read: what the block held is lost, and what is there is not it. */
export const LOST = 0xffffffff;

const SUM_MAGIC = 0x43595355;
const OPEN = 1;
const OPEN_AT = 32;

/** A block's checksum as the map has it: two values stand for something else. */
export function keptSum(crc: number): number {
  if (crc === NO_OPINION) return 1;
  return crc === LOST ? LOST - 1 : crc;
}

/** What the map has of a block of zeroes. */
export const ZERO_SUM: number = keptSum(crc32cZeros(BLOCK_BYTES, 0));

/** Encodes the sums of SUM_BLOCKS blocks: page `index` of the map, at `page` of the area. */
export function encodeSumPage(
  device: Uint8Array,
  page: number,
  index: number,
  open: boolean,
  sums: Uint32Array,
  into: Uint8Array,
): void {
  into.fill(0);
  putU32(into, 0, SUM_MAGIC);
  putU32(into, 4, METADATA_VERSION);
  into.set(device, 8);
  putU32(into, 24, page);
  putU32(into, 28, index);
  putU32(into, OPEN_AT, open ? OPEN : 0);
  for (let i = 0; i < SUM_BLOCKS; i += 1) putU32(into, HEAD_BYTES + 4 * i, sums[i] as number);
  putU32(into, CRC_AT, sumPageCrc(into));
}

/** What a page of the map turned out to be; of all but the first two nothing is known. */
export type SumPageRead = 'closed' | 'open' | 'blank' | 'bad';

/** Fills `sums` from a page as it was read, and says what it is. `openTrusted` is a planted bug. */
export function decodeSumPage(
  device: Uint8Array,
  page: number,
  index: number,
  bytes: Uint8Array,
  sums: Uint32Array,
  openTrusted = false,
): SumPageRead {
  sums.fill(NO_OPINION);
  if (getU32(bytes, 0) !== SUM_MAGIC || !isDevice(bytes, 8, device)) return 'blank';
  const placed = getU32(bytes, 24) === page && getU32(bytes, 28) === index;
  if (!placed || getU32(bytes, CRC_AT) !== sumPageCrc(bytes)) return 'bad';
  if (getU32(bytes, 4) !== METADATA_VERSION) return 'bad';
  const open = (getU32(bytes, OPEN_AT) & OPEN) !== 0;
  if (open && !openTrusted) return 'open';
  for (let i = 0; i < SUM_BLOCKS; i += 1) sums[i] = getU32(bytes, HEAD_BYTES + 4 * i);
  return open ? 'open' : 'closed';
}

function sumPageCrc(bytes: Uint8Array): number {
  return crc32c(bytes, HEAD_BYTES, PAGE_BYTES, crc32c(bytes, 0, CRC_AT, 0));
}
