/** The engine's own actors and metadata format, as a simulated world uses them. */
import { Control } from '../../engine/cluster/control.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { EXTENT_BYTES, type NodeId } from '../../engine/core/units.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import { MirrorActor } from '../../engine/mirror/actor.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from '../../engine/mirror/block-map.ts';
import { alExtentsMax, type MirrorConfig } from '../../engine/mirror/config.ts';
import { recordedMirror } from '../../engine/mirror/flight.ts';
import { APART, diskTag } from '../../engine/mirror/generation.ts';
import { decodeJournal, type JournalRead } from '../../engine/mirror/journal.ts';
import {
  chooseSuperblock,
  decodeMapPage,
  decodeSuperblock,
  formatMetadata,
  metadataLayout,
  metadataPages,
} from '../../engine/mirror/metadata.ts';
import { mirrorOf, sideBytesOf } from '../../engine/mirror/of-volume.ts';
import { deviceBytes } from '../../engine/mirror/page.ts';
import { type PageReader, relayout } from '../../engine/mirror/relayout.ts';
import { placesIn, type SpareLayout, spareLayout } from '../../engine/mirror/spare-table.ts';
import { superblockHead } from '../../engine/mirror/superblock-head.ts';
import { undoLayout } from '../../engine/mirror/undo-log.ts';
import { FlightReel } from '../../engine/timeline/flight.ts';
import type { Actors, MetadataPage, Suspicion } from './actors.ts';
import { SECTOR_BYTES } from './disk.ts';
import type { DiskChanges } from './disk-changes.ts';
import { KeptImage } from './kept-image.ts';
import { SIM_LAYOUT } from './leg-host.ts';

const BLOCKS_PER_EXTENT = EXTENT_BYTES / 4096;
/** Both replicas of a new pair begin with this generation. */
const FIRST_GENERATION = 1;
/** A run commits a few dozen entries: the log is folded so early that absentees need snapshots. */
const COMPACT_AT = 12;

/**
 * The mirror's configuration of a volume on `node`; small rings and windows, so that their ends are
 * met.
 */
export function mirrorConfig(volume: VolumeConfig, node: NodeId): MirrorConfig {
  const journalPages = 8;
  const ringHolds = alExtentsMax({ journalPages });
  return {
    ...mirrorOf(volume, node),
    zeroBytes: SIM_LAYOUT.slotBytes,
    alExtents: Math.min(Math.max(4, volume.activityLogExtents), ringHolds),
    checksumPages: 2,
    journalPages,
    barrierWrites: 256,
    // Long enough for a crash to find something that no barrier has covered yet.
    barrierDelay: 150_000,
  };
}

/** Makers of the engine's actors. One per world: it keeps what it made for each volume. */
export class EngineActors implements Actors {
  readonly #configs = new Map<VolumeConfig, readonly MirrorConfig[]>();
  readonly #kept = new WeakMap<DiskChanges, KeptImage>();
  readonly #formats = new Map<MirrorConfig, Map<number, readonly MetadataPage[]>>();

  /** Where each life of a data actor is recorded, in the order of their starts. */
  readonly #flights: FlightReel[] | null;
  readonly #build: string;
  readonly #segmentBytes: number | undefined;

  /** With `flights` every life of a data actor is recorded there, as made by version `build`. */
  constructor(flights: FlightReel[] | null = null, build = 'dev', segmentBytes?: number) {
    this.#flights = flights;
    this.#build = build;
    this.#segmentBytes = segmentBytes;
  }

  readonly control: Actors['control'] = (ground) =>
    new Control({ ...ground, compactAt: COMPACT_AT });

  readonly data: Actors['data'] = (ground) => {
    const options = { ...ground, config: this.#config(ground.volume, ground.node) };
    if (this.#flights === null) return new MirrorActor(options);
    const reel = new FlightReel(this.#segmentBytes);
    this.#flights.push(reel);
    return recordedMirror(options, reel, this.#build);
  };

  // The spare blocks among them are data.
  readonly metadataPages: Actors['metadataPages'] = (volume) =>
    metadataPages(this.#config(volume)) - this.#spare(volume).count;

  readonly spareArea: Actors['spareArea'] = (volume) => this.#spare(volume);

  readonly moved: Actors['moved'] = (volume, node, meta) =>
    readMoved(this.#config(volume, node), node, meta);

  readonly sideArea: NonNullable<Actors['sideArea']> = (volume, node) => {
    const sideBytes = sideBytesOf(volume, node);
    const sidePages = undoLayout(sideBytes)?.payload ?? 0;
    return { sideSectors: sideBytes / SECTOR_BYTES, sidePages };
  };

  readonly kept: NonNullable<Actors['kept']> = (volume, node, meta, changes = null) => {
    const known = changes === null ? undefined : this.#kept.get(changes);
    if (known !== undefined) return known.read(meta);
    const reader = new KeptImage(this.#config(volume, node), node, changes);
    if (changes !== null) this.#kept.set(changes, reader);
    return reader.read(meta);
  };

  readonly format: Actors['format'] = (volume, node) => {
    const config = this.#config(volume, node);
    let byNode = this.#formats.get(config);
    if (byNode === undefined) {
      byNode = new Map();
      this.#formats.set(config, byNode);
    }
    let pages = byNode.get(node);
    if (pages === undefined) {
      pages = formatMetadata(config, node, FIRST_GENERATION, 'UpToDate');
      byNode.set(node, pages);
    }
    return pages;
  };

  readonly replacement: Actors['replacement'] = (volume, node, serial) => {
    const device = volume.uuid.slice(0, 16) + hex(node) + hex(serial);
    return formatMetadata(this.#config(volume, node), node, 0, 'Inconsistent', device);
  };

  readonly relayout: NonNullable<Actors['relayout']> = (from, to, node, meta, canaries) => {
    const [before, after] = [this.#config(from, node), this.#config(to, node)];
    const relayoutClean = canaries.has('relayout-clean');
    const relayoutUnmarked = canaries.has('relayout-unmarked');
    const bugs = { relayoutClean, relayoutUnmarked };
    const done = relayout(before, after, node, this.#pages(from, meta), bugs);
    if (done.kind !== 'convert') return null;
    return [...done.voided, ...done.marked, ...done.pages];
  };

  readonly tagOf: NonNullable<Actors['tagOf']> = (meta) => {
    const head = superblockHead(0, meta.subarray(0, PAGE_BYTES));
    return head === null ? 0 : diskTag(head.device);
  };

  /** A simulated disk has its metadata apart. */
  #pages(from: VolumeConfig, meta: Uint8Array): PageReader {
    const { copyB, count } = this.#spare(from);
    // The disk has no room for the blocks between the two copies of the table.
    const dense = (page: number): number => (page < copyB ? page : page - count);
    return (page) => meta.subarray(dense(page) * PAGE_BYTES, (dense(page) + 1) * PAGE_BYTES);
  }

  readonly fits: NonNullable<Actors['fits']> = (volume, node, meta) => {
    const config = this.#config(volume, node);
    const { slotA, slotB } = metadataLayout(config);
    const slot = (at: number) => {
      const page = meta.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
      return decodeSuperblock(config, node, at, page);
    };
    return chooseSuperblock(slot(slotA), slot(slotB)).ok;
  };

  readonly suspicion: Actors['suspicion'] = (volume, node, meta, other) =>
    readSuspicion(this.#config(volume, node), node, meta, other);

  #spare(volume: VolumeConfig): SpareLayout {
    const config = this.#config(volume);
    return spareLayout(config, metadataLayout(config).pages);
  }

  /** On `node`; without one what is the same on all. One for all whose side areas are as large. */
  #config(volume: VolumeConfig, node = volume.replicas[0]?.node ?? 0): MirrorConfig {
    const known = this.#configs.get(volume) ?? [];
    const sideBytes = sideBytesOf(volume, node);
    const same = known.find((each) => each.sideBytes === sideBytes);
    if (same !== undefined) return same;
    const made = mirrorConfig(volume, node);
    this.#configs.set(volume, [...known, made]);
    return made;
  }
}

/** As four bytes. */
function hex(value: number): string {
  return value.toString(16).padStart(8, '0').slice(-8);
}

/** Where blocks stand that are not in their place; nowhere else if that cannot be read. */
function readMoved(config: MirrorConfig, node: NodeId, meta: Uint8Array): Map<number, number> {
  const layout = metadataLayout(config);
  const spare = spareLayout(config, layout.pages);
  const { copyB, first, count } = spare;
  const page = (at: number): Uint8Array => meta.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
  const slot = (at: number) => decodeSuperblock(config, node, at, page(at));
  const chosen = chooseSuperblock(slot(layout.slotA), slot(layout.slotB));
  if (!chosen.ok) return new Map();
  // The disk has no room for the blocks between the two copies of the table.
  const dense = (at: number): Uint8Array => page(at < copyB ? at : at - count);
  const places = placesIn(spare, deviceBytes(chosen.block.device), dense);
  for (const [block, at] of places) places.set(block, at - first);
  return places;
}

/** Which blocks the durable metadata of one replica names as dirty or hot. */
function readSuspicion(
  config: MirrorConfig,
  node: NodeId,
  meta: Uint8Array,
  other: NodeId | undefined,
): Suspicion {
  const layout = metadataLayout(config);
  const page = (at: number): Uint8Array => meta.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
  const slot = (at: number) => decodeSuperblock(config, node, at, page(at));
  const chosen = chooseSuperblock(slot(layout.slotA), slot(layout.slotB));
  if (!chosen.ok) return { readable: false, updates: 0, covers: () => true };
  const device = deviceBytes(chosen.block.device);
  const journal = new Map<number, JournalRead>();
  let newest = -1;
  for (let i = 0; i < layout.journalPages; i += 1) {
    const read = decodeJournal(device, layout.journal + i, page(layout.journal + i));
    if (read === null) continue;
    journal.set(read.seq, read);
    newest = Math.max(newest, read.seq);
  }
  const extents = new Set<number>();
  const window = journal.get(newest)?.window ?? 0;
  for (let before = 0; before < window; before += 1) {
    for (const extent of journal.get(newest - before)?.extents ?? []) extents.add(extent);
  }
  const maps: (Uint32Array | null)[] = [];
  for (let i = 0; i < layout.mapPages; i += 1) {
    const words = new Uint32Array(PAGE_WORDS);
    const whole = decodeMapPage(device, layout.map + i, i, page(layout.map + i), words);
    maps.push(whole === null ? null : words);
  }
  const updates = chosen.block.seq;
  const partners = config.nodes.filter((each) => each !== node);
  const pages = layout.mapPages / partners.length;
  const { peerGeneration, others } = chosen.block;
  const shared = [peerGeneration, ...others.map((each) => each.shared)];
  return {
    readable: newest >= 0,
    updates,
    covers: (block) => {
      if (newest < 0 || extents.has(Math.floor(block / BLOCKS_PER_EXTENT))) return true;
      const bit = block % PAGE_BLOCKS;
      return partners.some((partner, index) => {
        if (other !== undefined && partner !== other) return false;
        // They have nothing in common that is known: whatever the map says, all is copied.
        if (shared[index] === APART) return true;
        const words = maps[index * pages + Math.floor(block / PAGE_BLOCKS)];
        if (words === null || words === undefined) return true;
        return (((words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;
      });
    },
  };
}
