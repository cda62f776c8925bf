/**
 * The spare area of a replica, byte for byte: blocks that stand in for blocks which the medium does
 * not give back, and the table that says which stands for which. Pure; spare.ts decides.
 *
 *     first .. T        one copy of the table
 *     then S pages      the spare blocks, a mebibyte at least: so far apart are the copies
 *     then T            the other copy
 *
 * A page of the table: a head of 64 bytes (magic, version, device, page, number in the table, how
 * often it was written, what of the rest was durable then, CRC32C), then 504 entries of 64 bits: 0
 * never used, 1 given up, else the block that stands there and 2.
 */
import { crc32c } from '../core/crc32c.ts';
import { invariant } from '../core/invariant.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { blockCount, type MirrorConfig } from './config.ts';
import {
  type Claims,
  CRC_AT,
  getU32,
  getUint,
  HEAD_BYTES,
  isDevice,
  METADATA_VERSION,
  putU32,
  putUint,
} from './page.ts';

const MAGIC = 0x54595355;
/** Spare blocks that one page of the table tells of. */
export const TABLE_ENTRIES: number = (PAGE_BYTES - HEAD_BYTES) / 8;
/** One spare block for so many of the volume. */
const BLOCKS_PER_SPARE = 1000;
/** A mebibyte: the smallest disks go bad as well. */
const SPARES_MIN = 256;

/** What stands in an entry that holds no block. */
export const FREE = 0;
export const GIVEN_UP = 1;
const USED = 2;

/** Page numbers of the area, of which the metadata's own come before. */
export interface SpareLayout {
  readonly copyA: number;
  readonly copyB: number;
  /** Pages of one copy of the table. */
  readonly tablePages: number;
  /** The first spare block, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** The page after the last one. */
  readonly end: number;
}

/** The spare area that begins at page `at` of the metadata area. */
export function spareLayout(config: MirrorConfig, at: number): SpareLayout {
  const count = Math.max(SPARES_MIN, Math.ceil(blockCount(config) / BLOCKS_PER_SPARE));
  const tablePages = Math.ceil(count / TABLE_ENTRIES);
  const first = at + tablePages;
  const copyB = first + count;
  return { copyA: at, copyB, tablePages, first, count, end: copyB + tablePages };
}

/** The entry of a spare block in which `block` stands. */
export function usedBy(block: number): number {
  return block + USED;
}

/** The block that stands in a spare block; -1 for none. */
export function standsIn(entry: number): number {
  return entry < USED ? -1 : entry - USED;
}

/** Encodes page `number` of the table, for page `page` of the area; null is all free. */
export function encodeTable(
  device: Uint8Array,
  page: number,
  number: number,
  seq: number,
  claims: Readonly<Claims>,
  entries: Float64Array | null,
  into: Uint8Array,
): void {
  invariant((entries?.length ?? TABLE_ENTRIES) === TABLE_ENTRIES, 'a page has all its entries');
  into.fill(0);
  putU32(into, 0, MAGIC);
  putU32(into, 4, METADATA_VERSION);
  into.set(device, 8);
  putU32(into, 24, page);
  putU32(into, 28, number);
  putUint(into, 32, seq);
  putUint(into, 40, claims.superblock);
  for (let i = 0; entries !== null && i < TABLE_ENTRIES; i += 1) {
    putUint(into, HEAD_BYTES + 8 * i, entries[i] as number);
  }
  putU32(into, CRC_AT, tableCrc(into));
}

export interface TableRead {
  /** How often this page of the table had been written. */
  readonly seq: number;
  readonly claims: Claims;
  /** Null where every entry is free: most pages of most replicas, so they take no memory. */
  readonly entries: Float64Array | null;
}

/** What a page of the table says; null when nothing it says can be believed. */
export function decodeTable(
  device: Uint8Array,
  page: number,
  number: number,
  bytes: Uint8Array,
): TableRead | null {
  if (bytes.length !== PAGE_BYTES || getU32(bytes, 0) !== MAGIC) return null;
  if (getU32(bytes, CRC_AT) !== tableCrc(bytes) || getU32(bytes, 4) !== METADATA_VERSION)
    return null;
  const placed = getU32(bytes, 24) === page && getU32(bytes, 28) === number;
  if (!placed || !isDevice(bytes, 8, device)) return null;
  let entries: Float64Array | null = null;
  for (let i = 0; i < TABLE_ENTRIES; i += 1) {
    const entry = getUint(bytes, HEAD_BYTES + 8 * i);
    if (entry < 0) return null;
    if (entry === FREE) continue;
    entries ??= new Float64Array(TABLE_ENTRIES);
    entries[i] = entry;
  }
  const claims = { superblock: getUint(bytes, 40), journal: 0, mapWrites: 0 };
  return { seq: Math.max(getUint(bytes, 32), 0), claims, entries };
}

/** The newer of two copies, as far as they can be believed. */
export function newerTable(a: TableRead | null, b: TableRead | null): TableRead | null {
  if (a === null || b === null) return a ?? b;
  return b.seq > a.seq ? b : a;
}

/** Where each block stands that is not in its place, by page; the last spare block given to it. */
export function placesOf(
  layout: SpareLayout,
  tables: readonly (TableRead | null)[],
): Map<number, number> {
  const places = new Map<number, number>();
  for (let number = 0; number < tables.length; number += 1) {
    const entries = tables[number]?.entries ?? null;
    for (let i = 0; entries !== null && i < TABLE_ENTRIES; i += 1) {
      const block = standsIn(entries[i] as number);
      const at = number * TABLE_ENTRIES + i;
      if (block >= 0 && at < layout.count) places.set(block, layout.first + at);
    }
  }
  return places;
}

function tableCrc(bytes: Uint8Array): number {
  return crc32c(bytes, HEAD_BYTES, PAGE_BYTES, crc32c(bytes, 0, CRC_AT, 0));
}

/** The same of durable pages; `page` gives the one of that number in the metadata area. */
export function placesIn(
  layout: SpareLayout,
  device: Uint8Array,
  page: (at: number) => Uint8Array,
): Map<number, number> {
  const read = (at: number, number: number) => decodeTable(device, at, number, page(at));
  const tables = Array.from({ length: layout.tablePages }, (_, n) =>
    newerTable(read(layout.copyA + n, n), read(layout.copyB + n, n)),
  );
  return placesOf(layout, tables);
}
