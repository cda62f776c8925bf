/** What every superblock has alike, whatever volume, holders or version it is of. */
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { crc32c, crc32cZeros } from '../core/crc32c.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { CRC_AT, getU32, HEAD_BYTES, putU32 } from './page.ts';

export const SUPERBLOCK_MAGIC = 0x53595355;
/** Of what stands in a slot while the area is being laid out anew: a superblock for nobody. */
const VOID_MAGIC = 0x56595355;
const UUID_BYTES = 16;
/** Behind magic, version, volume and number stand three words of features. */
const NUMBER_AT = 8 + UUID_BYTES;

/** Volume, copy, and how often it was written. */
export interface SuperblockHead {
  readonly uuid: string;
  readonly device: string;
  readonly seq: number;
}

/** The head of a superblock, null where page `page` holds none that is whole. */
export function superblockHead(page: number, bytes: Uint8Array): SuperblockHead | null {
  const magics: readonly number[] = [SUPERBLOCK_MAGIC, VOID_MAGIC];
  if (bytes.length !== PAGE_BYTES || !magics.includes(getU32(bytes, 0))) return null;
  if (getU32(bytes, CRC_AT) !== superblockCrc(bytes, page, usedBytes(bytes))) return null;
  const r = new ByteReader(bytes, 8, PAGE_BYTES);
  const uuid = r.hex(UUID_BYTES);
  r.at = NUMBER_AT;
  const seq = r.uint();
  r.at = HEAD_BYTES;
  return { uuid, device: r.hex(UUID_BYTES), seq };
}

/**
 * What takes the place of a superblock while its area is laid out anew: it says of which copy that
 * is, and after which superblock, and is none itself.
 */
export function voidSuperblock(page: number, { uuid, device, seq }: SuperblockHead): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  const w = new ByteWriter(bytes, 0);
  w.u32(VOID_MAGIC);
  w.u32(0);
  w.hex(uuid);
  w.uint(seq);
  w.at = HEAD_BYTES;
  w.hex(device);
  putU32(bytes, CRC_AT, superblockCrc(bytes, page, usedBytes(bytes)));
  return bytes;
}

/**
 * Over the whole page but the checksum itself; the page number is the salt, the uuids are inside.
 * From `used` on the page is known to hold zeroes.
 */
export function superblockCrc(bytes: Uint8Array, page: number, used: number): number {
  const head = crc32c(bytes, 0, CRC_AT, page >>> 0);
  return crc32cZeros(PAGE_BYTES - used, crc32c(bytes, HEAD_BYTES, used, head));
}

/** Where the zeroes begin that fill the rest of a page; exact to eight bytes. */
export function usedBytes(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let end = PAGE_BYTES;
  while (end > HEAD_BYTES && view.getFloat64(end - 8) === 0 && isZero(view, end - 8)) end -= 8;
  return end;
}

/** A float is zero for minus zero as well. */
function isZero(view: DataView, at: number): boolean {
  return view.getUint32(at) === 0 && view.getUint32(at + 4) === 0;
}
