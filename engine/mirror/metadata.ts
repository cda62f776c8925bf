/**
 * The metadata area, byte for byte: two superblock slots, the journal ring between them, and the
 * map pages. Pure encoding and decoding; store.ts decides when what is written.
 *
 *     page 0            superblock slot A
 *     1 .. J            journal ring: each page holds the whole hot set
 *     J+1 .. J+M        map: two bits per 4 KiB block
 *     J+M+1             superblock slot B
 *
 * Every page ends its first 64 bytes with a CRC32C, salted with the page number and the volume's
 * uuid, so that a page written to the wrong place does not read as valid.
 */
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { crc32c, crc32cZeros } from '../core/crc32c.ts';
import type { BootId, Epoch, Generation, NodeId } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from './block-map.ts';
import { blockCount, type MirrorConfig } from './config.ts';

/** Version of the format; another one is refused. */
export const METADATA_VERSION = 1;
/** Parent generations that a superblock remembers. */
export const PARENTS_MAX = 32;
/** Extents that one journal page can name. */
export const HOT_MAX = 896;

const SUPERBLOCK_MAGIC = 0x53595355;
const JOURNAL_MAGIC = 0x4a595355;
const MAP_MAGIC = 0x4d595355;
const HEAD_BYTES = 64;
const CRC_AT = 60;

/** Feature flags that this program knows. An unknown incompatible one is refused. */
export const INCOMPATIBLE_KNOWN = 0;
export const READ_ONLY_COMPATIBLE_KNOWN = 0;

/** Bits of {@link Superblock.flags}. */
export const DiskFlag = {
  /** A resync overwrote part of it: no image of any moment. */
  Inconsistent: 1,
  /** A committed record left it out. */
  Outdated: 2,
  /** Its host lost power since it was last known to have every acknowledged write. */
  Rebooted: 4,
} as const;

export interface Superblock {
  /** Counts updates; the slot with the lower one is overwritten next. */
  seq: number;
  /** Identity of this copy, 32 hexadecimal digits; the same replica keeps it for life. */
  device: string;
  readonly node: NodeId;
  /** The host's boot at the last attach. */
  boot: BootId;
  /** Highest epoch seen. */
  epoch: Epoch;
  /** 0 on a replica that never had data. */
  generation: Generation;
  /** Youngest first. */
  parents: Generation[];
  /** The generation that the peer last shared with us: never dropped from `parents`. */
  peerGeneration: Generation;
  flags: number;
}

/** Page numbers of the area. */
export interface MetadataLayout {
  readonly slotA: number;
  readonly journal: number;
  readonly journalPages: number;
  readonly map: number;
  readonly mapPages: number;
  readonly slotB: number;
  readonly pages: number;
}

export function metadataLayout(config: MirrorConfig): MetadataLayout {
  const mapPages = Math.ceil(blockCount(config) / PAGE_BLOCKS);
  const journal = 1;
  const map = journal + config.journalPages;
  const slotB = map + mapPages;
  const journalPages = config.journalPages;
  return { slotA: 0, journal, journalPages, map, mapPages, slotB, pages: slotB + 1 };
}

/** Pages of 4 KiB that a backend must set aside for the metadata of one replica. */
export function metadataPages(config: MirrorConfig): number {
  return metadataLayout(config).pages;
}

export function encodeSuperblock(
  config: MirrorConfig,
  page: number,
  block: Superblock,
  into: Uint8Array,
): void {
  const w = startPage(into, SUPERBLOCK_MAGIC, config.uuid, block.seq);
  w.u32(0); // compatible features
  w.u32(READ_ONLY_COMPATIBLE_KNOWN);
  w.u32(INCOMPATIBLE_KNOWN);
  w.at = HEAD_BYTES;
  w.hex(block.device);
  w.uint(block.node);
  w.uint(block.boot);
  w.uint(block.epoch);
  w.uint(block.generation);
  w.uint(block.peerGeneration);
  w.u32(block.flags);
  w.uint(config.sizeBytes);
  w.u32(config.logicalBlock);
  w.u32(config.journalPages);
  w.u32(block.parents.length);
  for (const parent of block.parents) w.uint(parent);
  seal(into, page, w.at);
}

/** Why a superblock slot, or the whole area, cannot be used. */
export type MetadataFault =
  | 'unreadable'
  | 'version'
  | 'features'
  | 'other-volume'
  | 'other-node'
  | 'size'
  | 'logical-block'
  | 'layout';

export type SuperblockRead =
  | { readonly ok: true; readonly block: Superblock }
  | { readonly ok: false; readonly fault: MetadataFault };

export function decodeSuperblock(
  config: MirrorConfig,
  node: NodeId,
  page: number,
  bytes: Uint8Array,
): SuperblockRead {
  const head = openPage(bytes, page, SUPERBLOCK_MAGIC);
  if (head === null) return { ok: false, fault: 'unreadable' };
  if (head.version !== METADATA_VERSION) return { ok: false, fault: 'version' };
  const r = head.reader;
  r.u32();
  r.u32();
  if ((r.u32() & ~INCOMPATIBLE_KNOWN) !== 0) return { ok: false, fault: 'features' };
  if (head.uuid !== config.uuid) return { ok: false, fault: 'other-volume' };
  r.at = HEAD_BYTES;
  const device = r.hex(16);
  const owner = r.uint();
  const boot = r.uint();
  const epoch = r.uint();
  const generation = r.uint();
  const peerGeneration = r.uint();
  const flags = r.u32();
  const size = r.uint();
  const logicalBlock = r.u32();
  const journalPages = r.u32();
  const count = r.u32();
  if (!r.ok || count > PARENTS_MAX) return { ok: false, fault: 'unreadable' };
  const parents: number[] = [];
  for (let i = 0; i < count; i += 1) parents.push(r.uint());
  if (!r.ok) return { ok: false, fault: 'unreadable' };
  if (owner !== node) return { ok: false, fault: 'other-node' };
  if (size !== config.sizeBytes) return { ok: false, fault: 'size' };
  if (logicalBlock !== config.logicalBlock) return { ok: false, fault: 'logical-block' };
  if (journalPages !== config.journalPages) return { ok: false, fault: 'layout' };
  const seq = head.seq;
  return {
    ok: true,
    block: { seq, device, node, boot, epoch, generation, parents, peerGeneration, flags },
  };
}

/** Encodes the whole hot set: `extents[0, count)`. */
export function encodeJournal(
  config: MirrorConfig,
  page: number,
  seq: number,
  extents: Uint32Array,
  count: number,
  into: Uint8Array,
): void {
  const w = startPage(into, JOURNAL_MAGIC, config.uuid, seq);
  w.u32(count);
  w.at = HEAD_BYTES;
  for (let i = 0; i < count; i += 1) w.u32(extents[i] as number);
  seal(into, page, w.at);
}

export interface JournalRead {
  readonly seq: number;
  readonly extents: number[];
}

/** The hot set of one journal page, null when the page is damaged. */
export function decodeJournal(
  config: MirrorConfig,
  page: number,
  bytes: Uint8Array,
): JournalRead | null {
  const head = openPage(bytes, page, JOURNAL_MAGIC);
  if (head === null || head.uuid !== config.uuid || head.version !== METADATA_VERSION) return null;
  const r = head.reader;
  const count = r.u32();
  if (count > HOT_MAX) return null;
  r.at = HEAD_BYTES;
  const extents: number[] = [];
  for (let i = 0; i < count; i += 1) extents.push(r.u32());
  return r.ok ? { seq: head.seq, extents } : null;
}

/** Encodes the bitmap `dirty` (PAGE_WORDS words) of map page `mapPage`. */
export function encodeMapPage(
  config: MirrorConfig,
  page: number,
  mapPage: number,
  seq: number,
  dirty: Uint32Array,
  into: Uint8Array,
): void {
  const w = startPage(into, MAP_MAGIC, config.uuid, seq);
  w.u32(mapPage);
  let at = HEAD_BYTES;
  for (let word = 0; word < PAGE_WORDS; word += 1) {
    const bits = dirty[word] as number;
    for (let shift = 0; shift < 32; shift += 4, at += 1) {
      const four = (bits >>> shift) & 15;
      // 1 clean, 2 dirty: clean is 01, so four clean blocks are 0x55 and a dirty one adds 1.
      into[at] = 0x55 + ((four & 1) | ((four & 2) << 1) | ((four & 4) << 2) | ((four & 8) << 3));
    }
  }
  seal(into, page, PAGE_BYTES);
}

/** Fills `dirty` from a map page; false when the page is damaged and nothing is known. */
export function decodeMapPage(
  config: MirrorConfig,
  page: number,
  mapPage: number,
  bytes: Uint8Array,
  dirty: Uint32Array,
): boolean {
  const head = openPage(bytes, page, MAP_MAGIC);
  if (head === null || head.uuid !== config.uuid || head.version !== METADATA_VERSION) return false;
  if (head.reader.u32() !== mapPage) return false;
  let at = HEAD_BYTES;
  for (let word = 0; word < PAGE_WORDS; word += 1) {
    let bits = 0;
    for (let shift = 0; shift < 32; shift += 4, at += 1) {
      const byte = bytes[at] as number;
      // 0 unwritten and 1 clean do not differ from the peer; 2 dirty and 3 (never written) do.
      const high = byte & 0xaa;
      if (high === 0) continue;
      const four = ((high >> 1) & 1) | ((high >> 2) & 2) | ((high >> 3) & 4) | ((high >> 4) & 8);
      bits |= four << shift;
    }
    dirty[word] = bits >>> 0;
  }
  return true;
}

/** How a replica starts its life. */
export type InitialState =
  /** One of a pair that is equal by construction: both zeroed, or both never written. */
  | 'UpToDate'
  /** A replacement: everything must be copied to it before it is worth anything. */
  | 'Inconsistent';

/** The first content of a new replica's metadata area. */
export function formatMetadata(
  config: MirrorConfig,
  node: NodeId,
  generation: Generation,
  state: InitialState,
  device: string = '0'.repeat(32),
): { readonly page: number; readonly bytes: Uint8Array }[] {
  const layout = metadataLayout(config);
  const pages: { page: number; bytes: Uint8Array }[] = [];
  const fresh = state === 'Inconsistent';
  const dirty = new Uint32Array(PAGE_WORDS).fill(fresh ? 0xffffffff : 0);
  for (let i = 0; i < layout.journalPages; i += 1) {
    const bytes = new Uint8Array(PAGE_BYTES);
    // Ring position i holds the sequence that belongs there; the first lap has none.
    const seq = i === 0 ? layout.journalPages : i;
    encodeJournal(config, layout.journal + i, seq, NO_EXTENTS, 0, bytes);
    pages.push({ page: layout.journal + i, bytes });
  }
  for (let i = 0; i < layout.mapPages; i += 1) {
    const bytes = new Uint8Array(PAGE_BYTES);
    encodeMapPage(config, layout.map + i, i, 1, dirty, bytes);
    pages.push({ page: layout.map + i, bytes });
  }
  for (const page of [layout.slotA, layout.slotB]) {
    const bytes = new Uint8Array(PAGE_BYTES);
    const block: Superblock = {
      seq: page === layout.slotA ? 1 : 2,
      device,
      node,
      boot: 0,
      epoch: 0,
      generation: fresh ? 0 : generation,
      parents: [],
      peerGeneration: fresh ? 0 : generation,
      flags: fresh ? DiskFlag.Inconsistent : 0,
    };
    encodeSuperblock(config, page, block, bytes);
    pages.push({ page, bytes });
  }
  return pages;
}

const NO_EXTENTS = new Uint32Array(0);

interface PageHead {
  readonly version: number;
  readonly uuid: string;
  readonly seq: number;
  /** Stands behind the common fields, at byte 32. */
  readonly reader: ByteReader;
}

function startPage(into: Uint8Array, magic: number, uuid: string, seq: number): ByteWriter {
  into.fill(0);
  const w = new ByteWriter(into, 0);
  w.u32(magic);
  w.u32(METADATA_VERSION);
  w.hex(uuid);
  w.uint(seq);
  return w;
}

function seal(into: Uint8Array, page: number, used: number): void {
  new ByteWriter(into, CRC_AT).u32(pageCrc(into, page, used));
}

function openPage(bytes: Uint8Array, page: number, magic: number): PageHead | null {
  if (bytes.length !== PAGE_BYTES) return null;
  const reader = new ByteReader(bytes, 0, PAGE_BYTES);
  if (reader.u32() !== magic) return null;
  reader.at = CRC_AT;
  if (reader.u32() !== pageCrc(bytes, page, usedBytes(bytes))) return null;
  reader.at = 4;
  const version = reader.u32();
  const uuid = reader.hex(16);
  const seq = reader.uint();
  return reader.ok ? { version, uuid, seq, reader } : null;
}

/**
 * Over the whole page but the checksum itself; the page number is the salt, the uuid is inside.
 * From `used` on the page is known to hold zeroes.
 */
function pageCrc(bytes: Uint8Array, page: number, used: number): number {
  const head = crc32c(bytes, 0, CRC_AT, page >>> 0);
  return crc32cZeros(PAGE_BYTES - used, crc32c(bytes, HEAD_BYTES, used, head));
}

/** Where the zeroes begin that fill the rest of a page; exact to eight bytes. */
function usedBytes(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let end = PAGE_BYTES;
  while (end > HEAD_BYTES && view.getFloat64(end - 8) === 0 && isZero(view, end - 8)) end -= 8;
  return end;
}

/** A float is zero for minus zero as well. */
function isZero(view: DataView, at: number): boolean {
  return view.getUint32(at) === 0 && view.getUint32(at + 4) === 0;
}
