/**
 * The journal ring, byte for byte, and what it says after a crash. A page names the whole hot set,
 * or as much of it as it has room for and how many pages before it name the rest (naming.ts). It
 * has eight sectors that are each whole by themselves: a write that a crash tore leaves sectors of
 * two writes, every one of them valid, and rot leaves a sector that is not. Reads and writes
 * nothing; store.ts does.
 *
 * Head of a sector, 64 bytes, before 112 extents: magic, version and number of the sector, device,
 * page, extents on the page, sequence, claims (superblock and map), pages before this one that are
 * needed, CRC32C of payload and head. Device and page are the salt, in clear: a sector written
 * elsewhere, or by another replica, is not taken.
 */
import { crc32c, crc32cZeros } from '../core/crc32c.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import {
  type Claims,
  CRC_AT,
  getU32,
  getUint,
  HEAD_BYTES,
  isDevice,
  METADATA_VERSION,
  noClaims,
  putU32,
  putUint,
  raiseClaims,
} from './page.ts';

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;
const SECTORS: number = PAGE_BYTES / SECTOR_BYTES;
const SECTOR_EXTENTS: number = (SECTOR_BYTES - HEAD_BYTES) / 4;
/** Extents that one journal page can name. */
export const HOT_MAX: number = SECTORS * SECTOR_EXTENTS;

const MAGIC = 0x4a595355;
const DEVICE_AT = 8;
const PAGE_AT = 24;
const COUNT_AT = 28;
const SEQ_AT = 32;
const SUPERBLOCK_AT = 40;
const MAP_WRITES_AT = 48;
const BEFORE_AT = 56;
/** Checksum of a sector's payload that names no extent. */
const EMPTY_CRC: number = crc32cZeros(SECTOR_BYTES - HEAD_BYTES, 0);

/**
 * Encodes the page `seq` of a ring, which names `extents[0, count)`: with those of the `window` - 1
 * pages before it all that is hot. Allocates nothing: a write waits for it.
 */
export function encodeJournal(
  device: Uint8Array,
  page: number,
  seq: number,
  claims: Readonly<Claims>,
  extents: Uint32Array,
  count: number,
  window: number,
  into: Uint8Array,
): void {
  into.fill(0);
  putU32(into, 0, MAGIC);
  putU32(into, 4, METADATA_VERSION);
  into.set(device, DEVICE_AT);
  putU32(into, PAGE_AT, page);
  putU32(into, COUNT_AT, count);
  putUint(into, SEQ_AT, seq);
  putUint(into, SUPERBLOCK_AT, claims.superblock);
  putUint(into, MAP_WRITES_AT, claims.mapWrites);
  putU32(into, BEFORE_AT, window - 1);
  let next = 0;
  for (let sector = 0; sector < SECTORS; sector += 1) {
    const start = sector * SECTOR_BYTES;
    if (sector > 0) into.copyWithin(start, 0, CRC_AT);
    into[start + 6] = sector;
    let crc = EMPTY_CRC;
    if (next < count) {
      const last = Math.min(count, next + SECTOR_EXTENTS);
      for (let at = start + HEAD_BYTES; next < last; next += 1, at += 4) {
        putU32(into, at, extents[next] as number);
      }
      crc = crc32c(into, start + HEAD_BYTES, start + SECTOR_BYTES, 0);
    }
    putU32(into, start + CRC_AT, crc32c(into, start, start + CRC_AT, crc));
  }
}

export interface JournalRead {
  readonly seq: number;
  readonly extents: number[];
  /** Pages up to this one, with it, that name all that was hot. */
  readonly window: number;
  readonly claims: Claims;
}

/** What one journal page names, null unless every sector is whole and of the same write. */
export function decodeJournal(
  device: Uint8Array,
  page: number,
  bytes: Uint8Array,
): JournalRead | null {
  if (bytes.length !== PAGE_BYTES) return null;
  for (let sector = 0; sector < SECTORS; sector += 1) {
    if (!isWhole(device, page, bytes, sector)) return null;
    if (sector > 0 && !sameWrite(bytes, 0, sector * SECTOR_BYTES)) return null;
  }
  return readPage(bytes);
}

/** Only for a page whose sectors are whole and of the same write. */
function readPage(bytes: Uint8Array): JournalRead {
  const count = Math.min(getU32(bytes, COUNT_AT), HOT_MAX);
  const extents: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const sector = Math.floor(i / SECTOR_EXTENTS);
    const at = sector * SECTOR_BYTES + HEAD_BYTES + 4 * (i - sector * SECTOR_EXTENTS);
    extents.push(getU32(bytes, at));
  }
  const seq = getUint(bytes, SEQ_AT);
  return { seq, extents, window: getU32(bytes, BEFORE_AT) + 1, claims: claimsOf(bytes, 0) };
}

function claimsOf(bytes: Uint8Array, start: number): Claims {
  return {
    superblock: getUint(bytes, start + SUPERBLOCK_AT),
    journal: 0,
    mapWrites: getUint(bytes, start + MAP_WRITES_AT),
  };
}

/** Whether the sectors that begin at `one` and `other` are of one write: each has its own head. */
function sameWrite(bytes: Uint8Array, one: number, other: number): boolean {
  for (let at = COUNT_AT; at < CRC_AT; at += 1) {
    if (bytes[one + at] !== bytes[other + at]) return false;
  }
  return true;
}

/** Whether a sector is as it was written, for this page of this device. */
function isWhole(device: Uint8Array, page: number, bytes: Uint8Array, sector: number): boolean {
  return isSealed(bytes, sector) && isPlaced(device, page, bytes, sector);
}

function isSealed(bytes: Uint8Array, sector: number): boolean {
  const start = sector * SECTOR_BYTES;
  if (getU32(bytes, start) !== MAGIC) return false;
  const crc = crc32c(bytes, start + HEAD_BYTES, start + SECTOR_BYTES, 0);
  return getU32(bytes, start + CRC_AT) === crc32c(bytes, start, start + CRC_AT, crc);
}

function isPlaced(device: Uint8Array, page: number, bytes: Uint8Array, sector: number): boolean {
  const start = sector * SECTOR_BYTES;
  return (
    getU32(bytes, start + 4) === METADATA_VERSION + sector * 0x10000 &&
    getU32(bytes, start + PAGE_AT) === page &&
    isDevice(bytes, start + DEVICE_AT, device)
  );
}

/** What a ring says. */
export interface RingVerdict {
  /** The newest whole page, -1 for none, and what it and those that it needs name. */
  readonly seq: number;
  readonly extents: readonly number[];
  /** So many pages these are, the newest among them. */
  readonly window: number;
  /** A page may have been complete that cannot be read: what it made hot is not known. */
  readonly lost: boolean;
  /** A write that never completed was dropped. */
  readonly torn: boolean;
  /** Some page holds what no crash leaves: the ring should be written anew. */
  readonly rotten: boolean;
  /** The next page written has the sequence after this. */
  readonly base: number;
  /** Highest claims of every sector that is whole. */
  readonly claims: Claims;
}

/** Guards that planted bugs switch off. */
export interface RingBugs {
  readonly journalTornGuessed: boolean;
  readonly saltIgnored: boolean;
  readonly gapPassed: boolean;
}

/** Gathers the pages of one ring, in any order, and judges it. */
export class RingReader {
  readonly #device: Uint8Array;
  readonly #first: number;
  readonly #pages: number;
  readonly #bugs: RingBugs;
  readonly #claims: Claims = noClaims();
  #newest: JournalRead | null = null;
  /** The whole pages, by their sequence. */
  readonly #whole = new Map<number, JournalRead>();
  #top = -1;
  /** Positions that hold sectors of two writes, and such with a sector that is not whole. */
  readonly #torn = new Set<number>();
  readonly #rotten = new Set<number>();
  /** The lowest sequence among the whole sectors of such a position. */
  readonly #oldest = new Map<number, number>();

  /** A ring of `pages` pages from page `first` on. */
  constructor(device: Uint8Array, first: number, pages: number, bugs: RingBugs) {
    this.#device = device;
    this.#first = first;
    this.#pages = pages;
    this.#bugs = bugs;
  }

  /** Takes in the page at a ring position; null when it could not be read. */
  add(at: number, bytes: Uint8Array | null): void {
    let whole = 0;
    let first = -1;
    let mixed = false;
    let oldest = Number.POSITIVE_INFINITY;
    for (let sector = 0; bytes !== null && sector < SECTORS; sector += 1) {
      if (!this.#takes(at, bytes, sector)) continue;
      const start = sector * SECTOR_BYTES;
      const seq = getUint(bytes, start + SEQ_AT);
      oldest = Math.min(oldest, seq);
      this.#top = Math.max(this.#top, seq);
      raiseClaims(this.#claims, claimsOf(bytes, start));
      if (whole > 0 && !sameWrite(bytes, first, start)) mixed = true;
      if (whole === 0) first = start;
      whole += 1;
    }
    if (bytes !== null && whole === SECTORS && !mixed) {
      const read = readPage(bytes);
      this.#whole.set(read.seq, read);
      if (this.#newest === null || read.seq > this.#newest.seq) this.#newest = read;
      return;
    }
    if (whole < SECTORS) this.#rotten.add(at);
    if (mixed) this.#torn.add(at);
    if (whole > 0) this.#oldest.set(at, oldest);
  }

  /** Judges the ring, in which `least` is known to have been complete. */
  judge(least: number): RingVerdict {
    const seq = this.#newest?.seq ?? -1;
    const next = (seq + 1) % this.#pages;
    const window = this.#newest?.window ?? 1;
    const extents = this.#named(seq, window);
    const old = seq < 0 || least > seq || this.#top > seq + 1 || !this.#isNewest(seq, next);
    const lost = old || extents === null;
    const torn = this.#torn.has(next);
    return {
      seq,
      extents: extents ?? [],
      window,
      lost,
      torn: torn && !lost,
      rotten: this.#rotten.size > 0 || this.#torn.size > (torn ? 1 : 0),
      base: lost ? Math.max(this.#top, seq, least, 0) : seq,
      claims: this.#claims,
    };
  }

  /**
   * What the `window` pages up to `seq` name, in the order in which they do; null where one of them
   * is not there: it was complete, for a later one is, and what it made hot is not known.
   */
  #named(seq: number, window: number): readonly number[] | null {
    if (window === 1) return this.#newest?.extents ?? [];
    const extents = new Set<number>();
    const oldest = Math.max(seq - window + 1, seq - this.#pages, 0);
    for (let at = oldest; at <= seq; at += 1) {
      const read = this.#whole.get(at);
      if (read === undefined && !this.#bugs.gapPassed) return null;
      for (const extent of read?.extents ?? []) extents.add(extent);
    }
    return [...extents];
  }

  /** Whether the write after `seq`, to position `next`, is proved never to have completed. */
  #isNewest(seq: number, next: number): boolean {
    // Sectors of two writes: had the later one completed, none of the earlier would be left.
    if (this.#torn.has(next) || !this.#rotten.has(next)) return true;
    // The same, when the earlier write is known for one of the lap before.
    const oldest = this.#oldest.get(next);
    if (oldest !== undefined && oldest <= seq) return true;
    return this.#bugs.journalTornGuessed;
  }

  #takes(at: number, bytes: Uint8Array, sector: number): boolean {
    if (!isSealed(bytes, sector)) return false;
    if (!this.#bugs.saltIgnored && !isPlaced(this.#device, this.#first + at, bytes, sector)) {
      return false;
    }
    const seq = getUint(bytes, sector * SECTOR_BYTES + SEQ_AT);
    return seq >= 0 && seq % this.#pages === at;
  }
}
