/** What a simulated disk is told when it is made, and what is told of it. */
import type { VolumeConfig } from '../../engine/core/config.ts';
import { type NodeId, SECTOR_BYTES } from '../../engine/core/units.ts';
import type { Actors, SpareArea } from './actors.ts';

/** Fixed part and mean of the exponential part of each latency, in microseconds. */
export interface DiskLatency {
  readonly read: readonly [fixed: number, mean: number];
  readonly write: readonly [fixed: number, mean: number];
  readonly flush: readonly [fixed: number, mean: number];
  readonly meta: readonly [fixed: number, mean: number];
}

export const DEFAULT_DISK_LATENCY: DiskLatency = {
  read: [60, 40],
  write: [50, 50],
  flush: [300, 200],
  meta: [120, 80],
};

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
}

/**
 * What a failed operation left of a disk's cache: all of it, or less; 'clean' when reads still
 * return what is lost, but no loss of power will leave it.
 */
export type CacheLoss = 'kept' | 'clean' | 'gone';

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
    ...actors.sideArea?.(volume, node),
  };
}
