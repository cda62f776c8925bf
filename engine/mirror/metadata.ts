/**
 * The metadata area, byte for byte: two superblock slots, the journal ring and the map between
 * them. Pure encoding and decoding; journal.ts has the ring, store.ts decides when what is written.
 *
 *     page 0            superblock slot A
 *     1 .. J            journal ring: a page, or the last few, name the whole hot set
 *     J+1 .. J+M        map towards each other replica: two bits per 4 KiB block
 *     B                 superblock slot B, at least `slotDistance` pages after A
 *     B+1 ..            checksum map, where the volume has one (sum-page.ts)
 *     last              the spare area, where the replica has one (spare-table.ts)
 *
 * A superblock fits one sector, so that a crash leaves it old or new; its head and its checksum,
 * salted with the page number, are the same in every version. Map pages, as the sectors of the
 * journal, carry device and page under their checksum, so that what was written to the wrong place,
 * or by another replica, does not read as valid.
 */
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { crc32c } from '../core/crc32c.ts';
import { invariant } from '../core/invariant.ts';
import type { BootId, Epoch, Generation, NodeId } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from './block-map.ts';
import { blockCount, type MirrorConfig, PARTNERS_MAX } from './config.ts';
import {
  CHECKSUMS,
  Feature,
  type Features,
  INCOMPATIBLE_KNOWN,
  ownFeatures,
  READ_ONLY_COMPATIBLE_KNOWN,
} from './features.ts';
import { type HolderWords, holderWords } from './holders.ts';
import { encodeJournal, SECTOR_BYTES } from './journal.ts';
import {
  type Claims,
  CRC_AT,
  deviceBytes,
  getU32,
  getUint,
  HEAD_BYTES,
  isDevice,
  METADATA_VERSION,
  noClaims,
  putU32,
  putUint,
} from './page.ts';
import { encodeTable, spareLayout } from './spare-table.ts';
import { SUM_BLOCKS } from './sum-page.ts';
import { SUPERBLOCK_MAGIC, superblockCrc, usedBytes } from './superblock-head.ts';

/** Parent generations that a superblock remembers; programs of before remembered more. */
export const PARENTS_MAX = 30;
export const PARENTS_READ = 32;

const MAP_MAGIC = 0x4d595355;
/** Whether the log in the side area is a branch that was given up and is kept, whole. */
export function keepsBranch({ features }: Superblock): boolean {
  return (features.incompatible & Feature.Branch) !== 0;
}

/** What a superblock says of every partner but the first. */
export interface OtherPartner {
  readonly node: NodeId;
  /** As {@link Superblock.peerGeneration}. */
  shared: Generation;
  /** As {@link Superblock.padded}. */
  padded: number;
  /** As {@link Superblock.peerDisk}. */
  disk: number;
}

/** What a new replica says of its partners but the first. */
export function otherPartners(
  config: MirrorConfig,
  node: NodeId,
  generation: Generation,
): OtherPartner[] {
  const partners = config.nodes.filter((each) => each !== node);
  return partners.slice(1).map((each) => ({ node: each, shared: generation, padded: -1, disk: 0 }));
}

/** Bits of {@link Superblock.flags}. */
export const DiskFlag = {
  /** A resync overwrote part of it: no image of any moment. */
  Inconsistent: 1,
  /** A committed record left it out. */
  Outdated: 2,
  /** Its host lost power since it was last known to have every acknowledged write. */
  Rebooted: 4,
  /** In this boot its disk failed to write or to flush: what only its cache had may be gone. */
  Doubted: 8,
  /** And it has led since: what it shows may not all be on it. */
  Unproved: 16,
  /** Its core acknowledges writes that its disk does not have yet: with it they are gone. */
  Received: 32,
  /** An earlier core of this boot died when it did so: some may be gone. */
  Lacking: 64,
  /** An asynchronous replica: the image of one moment of its primary's writes. */
  Point: 128,
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
  /**
   * Dirty blocks that are dirty for a crash only: writes may have been under way there, or a page
   * of the map was lost. At most so many; -1 where nobody counted.
   */
  padded: number;
  /** The disk of the peer that the map towards it is about: {@link diskTag}, 0 where not noted. */
  peerDisk: number;
  /** The same of further partners, in the order of the configuration; none in a pair. */
  readonly others: OtherPartner[];
  /** How often pages of the table of spare blocks were written at least. */
  remaps: number;
  /**
   * The log in the side area that has what a resync overwrote since it began, or the branch that is
   * kept there ({@link keepsBranch}); 0 for none.
   */
  undo: number;
  /**
   * Which agreement on who holds a replica the area is laid out for: {@link MirrorConfig.layout}.
   */
  readonly layout: number;
  features: Features;
}

/** Page numbers of the area. */
export interface MetadataLayout {
  readonly slotA: number;
  readonly journal: number;
  readonly journalPages: number;
  readonly map: number;
  readonly mapPages: number;
  readonly slotB: number;
  /** The checksum map, of no pages where the volume has none. */
  readonly sums: number;
  readonly sumPages: number;
  readonly pages: number;
}

export function metadataLayout(config: MirrorConfig): MetadataLayout {
  // One map for each other replica, one after the other.
  const mapPages = Math.ceil(blockCount(config) / PAGE_BLOCKS) * (config.nodes.length - 1);
  const journal = 1;
  const map = journal + config.journalPages;
  // Far apart, so that one bad area of a disk does not take both.
  const slotB = Math.max(map + mapPages, config.slotDistance);
  const journalPages = config.journalPages;
  const sums = slotB + 1;
  const sumPages = config.checksums ? Math.ceil(blockCount(config) / SUM_BLOCKS) : 0;
  const pages = sums + sumPages;
  return { slotA: 0, journal, journalPages, map, mapPages, slotB, sums, sumPages, pages };
}

/** Pages of 4 KiB that a backend must set aside for the metadata of one replica. */
export function metadataPages(
  config: MirrorConfig,
  features: Features = ownFeatures(config),
): number {
  const { pages } = metadataLayout(config);
  const spare = (features.incompatible & Feature.Spare) !== 0;
  return spare ? spareLayout(config, pages).end : pages;
}

export function encodeSuperblock(
  config: MirrorConfig,
  page: number,
  block: Superblock,
  claims: Readonly<Claims>,
  into: Uint8Array,
): void {
  into.fill(0);
  const w = new ByteWriter(into, 0);
  w.u32(SUPERBLOCK_MAGIC);
  w.u32(METADATA_VERSION);
  w.hex(config.uuid);
  w.uint(block.seq);
  w.u32(block.features.compatible);
  w.u32(block.features.readOnlyCompatible);
  w.u32(block.features.incompatible);
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
  w.u32(metadataLayout(config).slotB);
  w.uint(claims.journal);
  w.uint(claims.mapWrites);
  w.u32(block.parents.length);
  for (const parent of block.parents) w.uint(parent);
  // Programs that did not count left zeroes here.
  w.uint(block.padded + 1);
  if (block.others.length > 0) {
    w.u32(block.others.length);
    for (const other of block.others) {
      w.uint(other.node);
      w.uint(other.shared);
      w.uint(other.padded + 1);
    }
  }
  if ((block.features.incompatible & Feature.Spare) !== 0) w.uint(block.remaps);
  // Programs that kept no log left zeroes here, and leave them again: it is given up with them.
  w.uint(block.undo);
  // Programs that did not note disks left zeroes here, and leave them again.
  for (const disk of [block.peerDisk, ...block.others.map((other) => other.disk)]) w.u32(disk);
  // Programs that knew of no other agreement left zeroes here.
  if (block.layout > 0) {
    w.uint(block.layout);
    for (const word of holderWords(config.nodes)) w.u32(word);
  }
  invariant(w.at <= SECTOR_BYTES, 'a superblock fits what a disk writes whole');
  putU32(into, CRC_AT, superblockCrc(into, page, w.at));
}

/** Why a superblock slot, or the whole area, cannot be used. */
export type MetadataFault =
  | 'unreadable'
  | 'version'
  | 'features'
  | 'read-only-features'
  | 'other-volume'
  | 'other-node'
  | 'other-device'
  | 'size'
  | 'logical-block'
  | 'layout'
  | 'checksums'
  | 'parts'
  | 'stale'
  | 'spare';

export type SuperblockRead =
  | { readonly ok: true; readonly block: Superblock; readonly claims: Claims }
  | {
      readonly ok: false;
      readonly fault: MetadataFault;
      /** What the area was made for, where it tells and that alone is wrong. */
      readonly made?: number;
      readonly holders?: HolderWords;
    };

export function decodeSuperblock(
  config: MirrorConfig,
  node: NodeId,
  page: number,
  bytes: Uint8Array,
): SuperblockRead {
  const no = (fault: MetadataFault): SuperblockRead => ({ ok: false, fault });
  if (bytes.length !== PAGE_BYTES || getU32(bytes, 0) !== SUPERBLOCK_MAGIC) return no('unreadable');
  const used = usedBytes(bytes);
  if (getU32(bytes, CRC_AT) !== superblockCrc(bytes, page, used)) return no('unreadable');
  const r = new ByteReader(bytes, 4, PAGE_BYTES);
  if (r.u32() !== METADATA_VERSION) return no('version');
  const uuid = r.hex(16);
  const seq = r.uint();
  const compatible = r.u32();
  const readOnlyCompatible = r.u32();
  const incompatible = r.u32();
  if ((incompatible & ~INCOMPATIBLE_KNOWN) !== 0) return no('features');
  if (uuid !== config.uuid) return no('other-volume');
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
  const slotB = r.u32();
  const claims: Claims = { superblock: 0, journal: r.uint(), mapWrites: r.uint() };
  const count = r.u32();
  if (!r.ok || count > PARENTS_READ) return no('unreadable');
  const parents: number[] = [];
  for (let i = 0; i < count; i += 1) parents.push(r.uint());
  const padded = r.uint() - 1;
  const several = (incompatible & Feature.Several) !== 0;
  const others = several ? takeOthers(r) : [];
  const remaps = (incompatible & Feature.Spare) !== 0 ? r.uint() : 0;
  const undo = r.uint();
  const peerDisk = r.u32();
  for (const other of others) other.disk = r.u32();
  const made = r.uint();
  const holders: HolderWords | null = made > 0 ? [r.u32(), r.u32()] : null;
  const told = holders === null ? {} : { made, holders };
  const other: SuperblockRead = { ok: false, fault: 'layout', ...told };
  if (!r.ok) return no('unreadable');
  if (owner !== node) return no('other-node');
  if (size !== config.sizeBytes) return no('size');
  if (logicalBlock !== config.logicalBlock) return no('logical-block');
  const layout = metadataLayout(config);
  if (journalPages !== layout.journalPages || slotB !== layout.slotB) return other;
  // A map that nobody keeps true is worse than none, and one that was never there says nothing.
  const summed = (readOnlyCompatible & CHECKSUMS) !== 0;
  if (summed !== config.checksums) return no('checksums');
  if (((incompatible & Feature.Parts) !== 0) !== (config.inParts === true)) return no('parts');
  // A map stands for the replica whose turn it was when the area was made.
  const known = otherPartners(config, node, 0);
  const same = known.length === others.length && known.every((k, i) => k.node === others[i]?.node);
  if (!same) return other;
  // The same number of maps may be towards others: who they are towards counts, not the number of
  // the agreement, for a cluster whose log was lost counts anew. One without data has no map yet.
  const layoutOf = config.layout ?? 0;
  const own = holderWords(config.nodes);
  const fits = holders?.every((word, i) => word === own[i]) ?? layoutOf === 0;
  if (!fits && generation !== 0) return other;
  const features = { compatible, readOnlyCompatible, incompatible };
  const lineage = { boot, epoch, generation, parents, peerGeneration };
  return {
    ok: true,
    block: {
      seq,
      device,
      node,
      ...lineage,
      flags,
      padded,
      peerDisk,
      remaps,
      others,
      undo,
      layout: layoutOf > 0 ? layoutOf : made,
      features,
    },
    claims,
  };
}

function takeOthers(r: ByteReader): OtherPartner[] {
  const count = r.u32();
  const others: OtherPartner[] = [];
  if (count >= PARTNERS_MAX) r.ok = false;
  for (let i = 0; i < count && r.ok; i += 1) {
    others.push({ node: r.uint(), shared: r.uint(), padded: r.uint() - 1, disk: 0 });
  }
  return others;
}

/** Which of the two slots speaks for the replica. */
export type SuperblockChoice =
  | {
      readonly ok: true;
      readonly block: Superblock;
      readonly claims: Claims;
      /** Whether it is that of slot A. */
      readonly isA: boolean;
      /** Slots that cannot be read. */
      readonly damaged: number;
    }
  | { readonly ok: false; readonly fault: MetadataFault };

/** Chooses between the slots as they were read; the newer of two good ones. */
export function chooseSuperblock(a: SuperblockRead, b: SuperblockRead): SuperblockChoice {
  // A slot that is whole but of another volume, size or version: never guess round it.
  for (const slot of [a, b]) if (!slot.ok && slot.fault !== 'unreadable') return slot;
  if (a.ok && b.ok && a.block.device !== b.block.device)
    return { ok: false, fault: 'other-device' };
  if (a.ok && (!b.ok || a.block.seq > b.block.seq)) {
    return { ...a, isA: true, damaged: b.ok ? 0 : 1 };
  }
  if (b.ok) return { ...b, isA: false, damaged: a.ok ? 0 : 1 };
  return b;
}

/** Whether the replica may be read, but not written by this program. */
export function isReadOnly({ features }: Superblock): boolean {
  return (features.readOnlyCompatible & ~READ_ONLY_COMPATIBLE_KNOWN) !== 0;
}

/** Encodes the bitmap `dirty` (PAGE_WORDS words) of a map page, written for the seq-th time. */
export function encodeMapPage(
  device: Uint8Array,
  page: number,
  mapPage: number,
  seq: number,
  claims: Readonly<Claims>,
  dirty: Uint32Array,
  into: Uint8Array,
): void {
  into.fill(0, 0, HEAD_BYTES);
  putU32(into, 0, MAP_MAGIC);
  putU32(into, 4, METADATA_VERSION);
  into.set(device, 8);
  putU32(into, 24, page);
  putU32(into, 28, mapPage);
  putUint(into, 32, seq);
  putUint(into, 40, claims.superblock);
  putUint(into, 48, claims.journal);
  let at = HEAD_BYTES;
  for (let word = 0; word < PAGE_WORDS; word += 1) {
    const bits = dirty[word] as number;
    for (let shift = 0; shift < 32; shift += 4, at += 1) {
      const four = (bits >>> shift) & 15;
      // 1 clean, 2 dirty: clean is 01, so four clean blocks are 0x55 and a dirty one adds 1.
      into[at] = 0x55 + ((four & 1) | ((four & 2) << 1) | ((four & 4) << 2) | ((four & 8) << 3));
    }
  }
  putU32(into, CRC_AT, mapCrc(into));
}

export interface MapRead {
  /** How often the page had been written. */
  readonly seq: number;
  readonly claims: Claims;
}

/** Guards that planted bugs switch off. */
export interface MapBugs {
  readonly trusted: boolean;
  readonly saltIgnored: boolean;
}

const NO_BUGS: MapBugs = { trusted: false, saltIgnored: false };

/** Fills `dirty` from a map page; null when the page is damaged and nothing is known. */
export function decodeMapPage(
  device: Uint8Array,
  page: number,
  mapPage: number,
  bytes: Uint8Array,
  dirty: Uint32Array,
  bugs: MapBugs = NO_BUGS,
): MapRead | null {
  if (bytes.length !== PAGE_BYTES || getU32(bytes, 0) !== MAP_MAGIC) return null;
  if (getU32(bytes, CRC_AT) !== mapCrc(bytes) && !bugs.trusted) return null;
  if (getU32(bytes, 4) !== METADATA_VERSION) return null;
  const placed =
    getU32(bytes, 24) === page && getU32(bytes, 28) === mapPage && isDevice(bytes, 8, device);
  if (!placed && !bugs.saltIgnored) return null;
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
  const claims = { superblock: getUint(bytes, 40), journal: getUint(bytes, 48), mapWrites: 0 };
  return { seq: Math.max(getUint(bytes, 32), 0), claims };
}

function mapCrc(bytes: Uint8Array): number {
  return crc32c(bytes, HEAD_BYTES, PAGE_BYTES, crc32c(bytes, 0, CRC_AT, 0));
}

/** How a replica starts its life. */
export type InitialState =
  /** One of a pair that is equal by construction: both zeroed, or both never written. */
  | 'UpToDate'
  /** A replacement: everything must be copied to it before it is worth anything. */
  | 'Inconsistent';

/**
 * The first content of a new replica's metadata area. `device` is the identity of the copy, 32
 * hexadecimal digits: whoever formats a real one draws it at random; the default serves replicas
 * that never meet another of the same volume and node.
 */
export function formatMetadata(
  config: MirrorConfig,
  node: NodeId,
  generation: Generation,
  state: InitialState,
  device: string = config.uuid.slice(0, 24) + node.toString(16).padStart(8, '0'),
  features: Features = ownFeatures(config),
): { readonly page: number; readonly bytes: Uint8Array }[] {
  const layout = metadataLayout(config);
  const pages: { page: number; bytes: Uint8Array }[] = [];
  const own = deviceBytes(device);
  const claims = noClaims();
  const fresh = state === 'Inconsistent';
  const dirty = new Uint32Array(PAGE_WORDS).fill(fresh ? 0xffffffff : 0);
  for (let i = 0; i < layout.journalPages; i += 1) {
    const bytes = new Uint8Array(PAGE_BYTES);
    // Ring position i holds the sequence that belongs there; the first lap has none.
    const seq = i === 0 ? layout.journalPages : i;
    encodeJournal(own, layout.journal + i, seq, claims, NO_EXTENTS, 0, 1, bytes);
    pages.push({ page: layout.journal + i, bytes });
  }
  for (let i = 0; i < layout.mapPages; i += 1) {
    const bytes = new Uint8Array(PAGE_BYTES);
    encodeMapPage(own, layout.map + i, i, 1, claims, dirty, bytes);
    pages.push({ page: layout.map + i, bytes });
  }
  let remaps = 0;
  if ((features.incompatible & Feature.Spare) !== 0) {
    const { copyA, copyB, tablePages } = spareLayout(config, layout.pages);
    for (const copy of [copyA, copyB]) {
      for (let i = 0; i < tablePages; i += 1) {
        const bytes = new Uint8Array(PAGE_BYTES);
        encodeTable(own, copy + i, i, 1, claims, null, bytes);
        pages.push({ page: copy + i, bytes });
      }
    }
    remaps = tablePages;
  }
  claims.journal = layout.journalPages;
  claims.mapWrites = layout.mapPages;
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
      padded: -1,
      peerDisk: 0,
      others: otherPartners(config, node, fresh ? 0 : generation),
      remaps,
      undo: 0,
      layout: config.layout ?? 0,
      features,
    };
    encodeSuperblock(config, page, block, claims, bytes);
    pages.push({ page, bytes });
  }
  return pages;
}

const NO_EXTENTS = new Uint32Array(0);
