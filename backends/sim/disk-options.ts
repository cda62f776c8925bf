/** What a simulated disk is told when it is made, and what is told of it. */
import type { VolumeConfig } from '../../engine/core/config.ts';
import { type NodeId, SECTOR_BYTES } from '../../engine/core/units.ts';
import type { Actors, SpareArea } from './actors.ts';
import { DiskOp } from './disk-op.ts';

/** Fixed part and mean of the exponential part of each latency, in microseconds. */
export interface DiskLatency {
  readonly read: readonly [fixed: number, mean: number];
  readonly write: readonly [fixed: number, mean: number];
  readonly flush: readonly [fixed: number, mean: number];
  readonly meta: readonly [fixed: number, mean: number];
}

/** That of one kind of operation. */
export function latencyOf(
  latency: DiskLatency,
  kind: number,
): readonly [fixed: number, mean: number] {
  if (kind === DiskOp.Read) return latency.read;
  if (kind === DiskOp.Write) return latency.write;
  return kind === DiskOp.Flush ? latency.flush : latency.meta;
}

export const DEFAULT_DISK_LATENCY: DiskLatency = {
  read: [60, 40],
  write: [50, 50],
  flush: [300, 200],
  meta: [120, 80],
};

/** Sectors of a disk, from the first to before the end. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** All of a disk, its side area with it. */
export const WHOLE: Span = { first: 0, end: 0x7fffffff };
/** In place of a sector: wherever. */
export const ANYWHERE = -1;

/** One of the disks of a volume in parts. */
export interface PartSpan extends Span {
  readonly name: string;
}

/**
 * Sizes of a disk, in sectors and pages; metadata without the spare blocks among them. A side area
 * stands behind all other sectors, and what of it the engine reads itself behind all other pages.
 */
export interface DiskSize {
  readonly sectors: number;
  readonly metaPages: number;
  readonly sideSectors?: number;
  readonly sidePages?: number;
  readonly maxSectors: number;
  readonly spare?: SpareArea;
  /** Of a volume in parts: a disk each, of which each may fail by itself. */
  readonly parts?: readonly PartSpan[];
}

/**
 * What a failed operation left of a disk's cache: all of it, or less; 'clean' when reads still
 * return what is lost, but no loss of power will leave it.
 */
export type CacheLoss = 'kept' | 'clean' | 'gone';

/** Where the parts of a volume stand; none where it has none. */
export function partSpans({ parts = [] }: VolumeConfig): readonly PartSpan[] {
  const spans: PartSpan[] = [];
  let first = 0;
  for (const { name, sizeBytes } of parts) {
    const end = first + sizeBytes / SECTOR_BYTES;
    spans.push({ name, first, end });
    first = end;
  }
  return spans;
}

/** How large the disk of a volume's replica on `node` is; operations have `maxSectors` at most. */
export function diskSize(
  actors: Actors,
  volume: VolumeConfig,
  node: NodeId,
  maxSectors: number,
): DiskSize {
  return {
    sectors: volume.sizeBytes / SECTOR_BYTES,
    metaPages: actors.metadataPages(volume),
    maxSectors,
    spare: actors.spareArea(volume),
    parts: partSpans(volume),
    ...actors.sideArea?.(volume, node),
  };
}
