/**
 * Lays the metadata of a replica out anew for another set of holders: what it knows of those that
 * stay is kept, page by page, and of who is new nothing is known to be equal. Pure: whoever carries
 * it out writes all pages or, as far as anybody can tell later, none.
 */
import type { NodeId } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from './block-map.ts';
import { blockCount, type MirrorConfig, PARTNERS_MAX } from './config.ts';
import { Feature, ownFeatures } from './features.ts';
import { APART, boundedParents, NO_DISK } from './generation.ts';
import { holderNodes } from './holders.ts';
import { RingReader } from './journal.ts';
import {
  chooseSuperblock,
  decodeMapPage,
  decodeSuperblock,
  encodeMapPage,
  encodeSuperblock,
  isReadOnly,
  type MetadataFault,
  metadataLayout,
  metadataPages,
  type Superblock,
} from './metadata.ts';
import { type Claims, deviceBytes, noClaims, raiseClaims } from './page.ts';
import { decodeTable, encodeTable, newerTable, placesOf, spareLayout } from './spare-table.ts';
import { voidSuperblock } from './superblock-head.ts';
import type { CanarySwitches } from './switches.ts';

/** A page of the metadata area, by number; null where it cannot be read. */
export type PageReader = (page: number) => Uint8Array | null;

/** Why a replica cannot be laid out anew. */
export type RelayoutFault = MetadataFault | 'moved-blocks' | 'not-plain';

/** What can be said without looking at the maps. */
export type RelayoutOutlook =
  /** It is laid out as it should be, or it is none of these two: nothing is to be done here. */
  | { readonly kind: 'none' }
  /** The area is so many pages long then. */
  | { readonly kind: 'possible'; readonly area: number }
  | { readonly kind: 'refused'; readonly reason: RelayoutFault };

interface Page {
  readonly page: number;
  readonly bytes: Uint8Array;
}

export type Relayout =
  | Exclude<RelayoutOutlook, { readonly kind: 'possible' }>
  /**
   * First of all `voided` and `marked` are written, and stable: what stands meanwhile in the slots
   * of superblocks, where they are and where they are to be. Then all of `pages`, the last two of
   * them, superblocks, when all others are stable. In between the area is no replica for anybody,
   * and so never one whose maps are of two layouts. It is `area` pages long then.
   */
  | {
      readonly kind: 'convert';
      readonly voided: readonly Page[];
      readonly marked: readonly Page[];
      readonly pages: readonly Page[];
      readonly area: number;
    };

const HOLDERS_MAX = PARTNERS_MAX + 1;
/** Superblocks at the end of what is written. */
export const SLOTS = 2;
const SOUND = { relayoutClean: false, relayoutUnmarked: false };
type Bugs = Pick<CanarySwitches, 'relayoutClean' | 'relayoutUnmarked'>;

/**
 * What the area was made for: by its own word, or else `from`. A host that has lost what it took
 * into use may be mistaken.
 */
function madeFor(
  from: MirrorConfig,
  to: MirrorConfig,
  node: NodeId,
  read: PageReader,
): MirrorConfig {
  const { slotA } = metadataLayout(to);
  const bytes = read(slotA);
  const slot = bytes === null ? null : decodeSuperblock(to, node, slotA, bytes);
  if (slot?.ok === true) return to;
  if (slot === null) return from;
  const { made = 0, holders = [0, 0] } = slot;
  const nodes = holderNodes(holders);
  const plausible = nodes.includes(node) && nodes.length >= 2 && nodes.length <= HOLDERS_MAX;
  return plausible ? { ...from, nodes, layout: made } : from;
}

/** Whether a replica that was made for `from` has to be laid out anew for `to`, and can be. */
export function relayoutOutlook(
  said: MirrorConfig,
  to: MirrorConfig,
  node: NodeId,
  read: PageReader,
): RelayoutOutlook {
  const from = madeFor(said, to, node, read);
  if (chosenOf(to, node, read).ok) return { kind: 'none' };
  const chosen = chosenOf(from, node, read);
  if (!chosen.ok) return { kind: 'none' };
  const { block } = chosen;
  const no = (reason: RelayoutFault): RelayoutOutlook => ({ kind: 'refused', reason });
  if (isReadOnly(block)) return no('read-only-features');
  const more = [from, to].some(({ checksums, sideBytes, inParts }) => {
    return checksums || sideBytes > 0 || inParts === true;
  });
  if (more) return no('not-plain');
  if (isSpared(block)) {
    const moved = movedBlocks(from, block, read);
    if (moved !== 0) return no(moved < 0 ? 'spare' : 'moved-blocks');
  }
  return { kind: 'possible', area: metadataPages(to, featuresFor(to, block)) };
}

/** What must be done with a replica that was made for `from` before `to` can use it. */
export function relayout(
  said: MirrorConfig,
  to: MirrorConfig,
  node: NodeId,
  read: PageReader,
  bugs: Bugs = SOUND,
): Relayout {
  const from = madeFor(said, to, node, read);
  const outlook = relayoutOutlook(from, to, node, read);
  const chosen = chosenOf(from, node, read);
  if (outlook.kind !== 'possible') return outlook;
  if (!chosen.ok) return { kind: 'none' };
  const { block, claims } = chosen;
  const known = knownOf(from, block, claims, read);
  if (known.claims.superblock > block.seq) return { kind: 'refused', reason: 'stale' };
  const [voided, marked] = bugs.relayoutUnmarked
    ? [[], []]
    : [voids(from, block), voids(to, block)];
  const pages = [...ring(to, read), ...maps(from, to, node, block, known, bugs)];
  if (isSpared(block)) pages.push(...emptyTables(to, block));
  pages.push(...superblocks(from, to, node, block, known));
  return { kind: 'convert', voided, marked, pages, area: outlook.area };
}

/** What stands in the slots of an area meanwhile. */
function voids(config: MirrorConfig, { device, seq }: Superblock): readonly Page[] {
  const { slotA, slotB } = metadataLayout(config);
  const { uuid } = config;
  return [slotA, slotB].map((page) => ({
    page,
    bytes: voidSuperblock(page, { uuid, device, seq }),
  }));
}

function isSpared({ features }: Superblock): boolean {
  return (features.incompatible & Feature.Spare) !== 0;
}

/** Its own features, but for how many maps there are. */
function featuresFor(config: MirrorConfig, { features }: Superblock): Superblock['features'] {
  const own = ownFeatures(config).incompatible & (Feature.Several | Feature.Agreed);
  return { ...features, incompatible: (features.incompatible & ~Feature.Several) | own };
}

function chosenOf(config: MirrorConfig, node: NodeId, read: PageReader) {
  const { slotA, slotB } = metadataLayout(config);
  const slot = (page: number) => {
    const bytes = read(page);
    if (bytes === null) return { ok: false, fault: 'unreadable' } as const;
    return decodeSuperblock(config, node, page, bytes);
  };
  return chooseSuperblock(slot(slotA), slot(slotB));
}

/** Blocks that stand in the spare area; -1 where its table cannot be read. */
function movedBlocks(config: MirrorConfig, block: Superblock, read: PageReader): number {
  const layout = spareLayout(config, metadataLayout(config).pages);
  const device = deviceBytes(block.device);
  const table = (page: number, number: number) => {
    const bytes = read(page);
    return bytes === null ? null : decodeTable(device, page, number, bytes);
  };
  const tables = Array.from({ length: layout.tablePages }, (_, n) => {
    return newerTable(table(layout.copyA + n, n), table(layout.copyB + n, n));
  });
  return tables.includes(null) ? -1 : placesOf(layout, tables).size;
}

/** What the area says beside its superblock. */
interface Known {
  /** Words of every map page, in the order of the partners; null where all counts as dirty. */
  readonly maps: readonly (Uint32Array | null)[];
  /** Writes of map pages, as far as anybody claims. */
  readonly writes: number;
  readonly claims: Claims;
}

function knownOf(config: MirrorConfig, block: Superblock, own: Claims, read: PageReader): Known {
  const layout = metadataLayout(config);
  const device = deviceBytes(block.device);
  const claims = noClaims();
  raiseClaims(claims, own);
  const sound = { journalTornGuessed: false, saltIgnored: false, gapPassed: false };
  const reader = new RingReader(device, layout.journal, layout.journalPages, sound);
  for (let at = 0; at < layout.journalPages; at += 1) reader.add(at, read(layout.journal + at));
  const maps: (Uint32Array | null)[] = [];
  let sum = 0;
  for (let at = 0; at < layout.mapPages; at += 1) {
    const words = new Uint32Array(PAGE_WORDS);
    const bytes = read(layout.map + at);
    const page = bytes === null ? null : decodeMapPage(device, layout.map + at, at, bytes, words);
    maps.push(page === null ? null : words);
    if (page === null) continue;
    sum += page.seq;
    raiseClaims(claims, page.claims);
  }
  // As an attach judges it: a ring in which something was lost, or a map that lacks a write.
  const verdict = reader.judge(claims.journal);
  raiseClaims(claims, verdict.claims);
  const unknown = verdict.lost || (sum < claims.mapWrites && !maps.includes(null));
  const writes = Math.max(sum, claims.mapWrites) + 1;
  return { maps: unknown ? maps.map(() => null) : maps, writes, claims };
}

/** The journal stands where it stood, byte for byte. */
function ring(config: MirrorConfig, read: PageReader): { page: number; bytes: Uint8Array }[] {
  const { journal, journalPages } = metadataLayout(config);
  const pages: { page: number; bytes: Uint8Array }[] = [];
  for (let page = journal; page < journal + journalPages; page += 1) {
    // A page that cannot be read is none in the new place either.
    pages.push({ page, bytes: read(page)?.slice() ?? new Uint8Array(PAGE_BYTES) });
  }
  return pages;
}

const ALL = new Uint32Array(PAGE_WORDS).fill(0xffffffff);
const NONE = new Uint32Array(PAGE_WORDS);

function maps(
  from: MirrorConfig,
  to: MirrorConfig,
  node: NodeId,
  block: Superblock,
  known: Known,
  { relayoutClean }: Bugs,
): { page: number; bytes: Uint8Array }[] {
  const { map } = metadataLayout(to);
  const device = deviceBytes(block.device);
  const each = Math.ceil(blockCount(to) / PAGE_BLOCKS);
  const before = othersOf(from, node);
  // What the pages rely on is durable whichever of the two areas is there.
  const claims = { ...noClaims(), superblock: block.seq };
  const pages: { page: number; bytes: Uint8Array }[] = [];
  for (const [index, partner] of othersOf(to, node).entries()) {
    const was = before.indexOf(partner);
    for (let i = 0; i < each; i += 1) {
      const at = index * each + i;
      const words = was < 0 ? null : (known.maps[was * each + i] ?? null);
      const bytes = new Uint8Array(PAGE_BYTES);
      // The first one stands for all writes that there were: nobody claims more.
      const seq = at === 0 ? known.writes : 1;
      const dirty = relayoutClean && was >= 0 ? NONE : (words ?? ALL);
      encodeMapPage(device, map + at, at, seq, claims, dirty, bytes);
      pages.push({ page: map + at, bytes });
    }
  }
  return pages;
}

function emptyTables(
  config: MirrorConfig,
  block: Superblock,
): { page: number; bytes: Uint8Array }[] {
  const device = deviceBytes(block.device);
  const { copyA, copyB, tablePages } = spareLayout(config, metadataLayout(config).pages);
  const pages: { page: number; bytes: Uint8Array }[] = [];
  for (const copy of [copyA, copyB]) {
    for (let i = 0; i < tablePages; i += 1) {
      const bytes = new Uint8Array(PAGE_BYTES);
      encodeTable(device, copy + i, i, 1, noClaims(), null, bytes);
      pages.push({ page: copy + i, bytes });
    }
  }
  return pages;
}

/** What is known towards one partner: the disk that its map is about, and what they shared. */
type Told = Pick<Superblock['others'][number], 'shared' | 'padded' | 'disk'>;

/** Both slots, last: with neither of them written the area is still the one of before. */
function superblocks(
  from: MirrorConfig,
  to: MirrorConfig,
  node: NodeId,
  block: Superblock,
  known: Known,
): { page: number; bytes: Uint8Array }[] {
  const layout = metadataLayout(to);
  const before = othersOf(from, node);
  const toldOf = (partner: NodeId): Told => {
    const was = before.indexOf(partner);
    if (was < 0) return { shared: APART, padded: -1, disk: NO_DISK };
    const { peerGeneration, peerDisk } = block;
    const first = { shared: peerGeneration, padded: block.padded, disk: peerDisk };
    return was === 0 ? first : (block.others[was - 1] as Told);
  };
  const partners = othersOf(to, node).map((partner) => ({ node: partner, ...toldOf(partner) }));
  const [first, ...others] = partners as [(typeof partners)[number], ...typeof partners];
  const features = featuresFor(to, block);
  const remaps = isSpared(block) ? spareLayout(to, layout.pages).tablePages : 0;
  const writes = known.writes + layout.mapPages - 1;
  const claims: Claims = { superblock: 0, journal: known.claims.journal, mapWrites: writes };
  return [layout.slotA, layout.slotB].map((page, i) => {
    const bytes = new Uint8Array(PAGE_BYTES);
    const next: Superblock = {
      ...block,
      seq: block.seq + 1 + i,
      peerGeneration: first.shared,
      padded: first.padded,
      peerDisk: first.disk,
      others,
      remaps,
      features,
      layout: to.layout ?? 0,
    };
    // Programs of before remembered more than has room beside the names of the holders.
    next.parents = boundedParents(next.parents, next);
    encodeSuperblock(to, page, next, claims, bytes);
    return { page, bytes };
  });
}

function othersOf(config: MirrorConfig, node: NodeId): readonly NodeId[] {
  return config.nodes.filter((each) => each !== node);
}
