/** Spare blocks in the pair harness: where a block stands on a host's disk, and what it shows. */
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import {
  chooseSuperblock,
  decodeSuperblock,
  metadataLayout,
} from '../../engine/mirror/metadata.ts';
import { deviceBytes } from '../../engine/mirror/page.ts';
import { placesIn, type SpareLayout, spareLayout } from '../../engine/mirror/spare-table.ts';

const SECTOR = 512;
const BLOCK_SECTORS = BLOCK_BYTES / SECTOR;

/** What of a host is asked for. */
interface Disk {
  readonly sectors: number;
  readonly meta: Map<number, Uint8Array>;
}

const NONE = new Uint8Array();
/** Tables that were read, by their first page: most are asked for again and again. */
const KNOWN = new WeakMap<
  Uint8Array,
  { readonly pages: readonly Uint8Array[]; readonly moved: Map<number, number> }
>();

export function spareOf(config: MirrorConfig): SpareLayout {
  return spareLayout(config, metadataLayout(config).pages);
}

/** Where byte `offset` of the volume stands, as a sector of the disk; its spare area is behind. */
export function sectorAt(config: MirrorConfig, disk: Disk, offset: number, page: number): number {
  if (page === 0) return offset / SECTOR;
  const spare = page - spareOf(config).first;
  return disk.sectors + spare * BLOCK_SECTORS + (offset % BLOCK_BYTES) / SECTOR;
}

/** The page in which each block stands that is not in its place, by the durable table. */
export function durablyMoved(config: MirrorConfig, disk: Disk): Map<number, number> {
  const layout = spareOf(config);
  const pages = [layout.copyA, layout.copyB].flatMap((copy) =>
    Array.from({ length: layout.tablePages }, (_, n) => disk.meta.get(copy + n) ?? NONE),
  );
  const key = pages[0] as Uint8Array;
  const known = KNOWN.get(key);
  if (known?.pages.every((page, i) => page === pages[i])) return known.moved;
  const { device } = replicaOf(config, disk.meta);
  const moved = placesIn(layout, device, (at) => disk.meta.get(at) ?? NONE);
  KNOWN.set(key, { pages, moved });
  return moved;
}

/** The volume's sectors, each from where its block stands. */
export function shown(config: MirrorConfig, disk: Disk, sectors: Uint32Array): Uint32Array {
  const volume = sectors.slice(0, disk.sectors);
  for (const [block, page] of durablyMoved(config, disk)) {
    const from = sectorAt(config, disk, block * BLOCK_BYTES, page);
    volume.set(sectors.subarray(from, from + BLOCK_SECTORS), block * BLOCK_SECTORS);
  }
  return volume;
}

/** Node and identity of the replica whose metadata this is. */
export function replicaOf(
  config: MirrorConfig,
  meta: Map<number, Uint8Array>,
): { readonly node: number; readonly device: Uint8Array } {
  const { slotA, slotB } = metadataLayout(config);
  for (const node of config.nodes) {
    const [a, b] = [slotA, slotB].map((page) =>
      decodeSuperblock(config, node, page, meta.get(page) as Uint8Array),
    );
    if (a === undefined || b === undefined) continue;
    const chosen = chooseSuperblock(a, b);
    if (chosen.ok) return { node, device: deviceBytes(chosen.block.device) };
  }
  throw new Error('neither superblock can be read');
}
