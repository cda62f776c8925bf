/**
 * Whose replica stands on a disk that is to become one. Other volumes have other layouts: what ends
 * one kind of disk stands where another kind begins, so every place is looked at with the eyes of
 * all of them. Reads only.
 */
import { readSync } from 'node:fs';
import { HostError, systemCode } from '../backends/real/failure.ts';
import { mirrorConfig } from '../backends/real/mirror-config.ts';
import { LABEL_BYTES } from '../backends/real/replica-parts.ts';
import type { VolumeConfig } from '../engine/core/config.ts';
import type { NodeId } from '../engine/core/units.ts';
import { PAGE_BYTES } from '../engine/data/abi.ts';
import { decodeSuperblock, keepsBranch, metadataLayout } from '../engine/mirror/metadata.ts';
import { decodeLabel } from '../engine/mirror/part-label.ts';

/** A file or device that is open for reading; a device may tell no size: then it is endless. */
export interface OpenDisk {
  readonly fd: number;
  readonly path: string;
  readonly bytes: number;
}

/** Whose replica is asked after. */
export interface Owned {
  readonly volume: VolumeConfig;
  readonly node: NodeId;
}

/** Of this volume and node, of another volume or node, or of none that can be told. */
export type Owner = 'nobody' | 'this' | 'another';

/** Where a superblock says whose volume it is, in every version. */
const UUID_AT = 8;
const UUID_BYTES = 16;

/**
 * Whose replica is on a disk with `dataBytes` of data, be it the only one of a volume or one of
 * several, with its metadata behind the data, behind a label or at its very beginning. Throws
 * HostError where it cannot be read.
 */
export function ownerOfDisk(disk: OpenDisk, dataBytes: number, owned: Owned): Owner {
  const end = endOf(dataBytes);
  const found = basesOf(dataBytes).map((base) => {
    return ownerOfMetadata(disk, base, owned, dataBytes);
  });
  for (let at = end; at < end + LABEL_BYTES; at += PAGE_BYTES) {
    found.push(ownerOfLabel(disk, at, owned));
  }
  return oneOf(found);
}

/**
 * Whether a replica of this volume and node, wherever on the disk its metadata stand, says that it
 * keeps a branch that was given up. One superblock that says so is enough. Throws HostError.
 */
export function keepsBranchThere(
  disk: OpenDisk,
  dataBytes: number,
  { volume, node }: Owned,
): boolean {
  const config = mirrorConfig(volume);
  const { slotA, slotB } = metadataLayout(config);
  return basesOf(dataBytes).some((base) => {
    return [slotA, slotB].some((slot) => {
      const page = pageAt(disk, base + slot * PAGE_BYTES);
      const read = page === null ? null : decodeSuperblock(config, node, slot, page);
      return read?.ok === true && keepsBranch(read.block);
    });
  });
}

/** Where metadata may begin on a disk with so many bytes of data. */
function basesOf(dataBytes: number): readonly number[] {
  const end = endOf(dataBytes);
  return [0, end, end + LABEL_BYTES];
}

function endOf(dataBytes: number): number {
  return Math.ceil(dataBytes / PAGE_BYTES) * PAGE_BYTES;
}

/**
 * Whose metadata begin at `base`: this volume's layout is looked for, and that of a volume that is
 * one disk of `alone` bytes. Throws HostError where it cannot be read.
 */
export function ownerOfMetadata(
  disk: OpenDisk,
  base: number,
  { volume, node }: Owned,
  alone: number = volume.sizeBytes,
): Owner {
  const config = mirrorConfig(volume);
  const own = metadataLayout(config);
  const { slotB } = metadataLayout({ ...config, sizeBytes: alone });
  const found = [...new Set([own.slotA, own.slotB, slotB])].map((slot): Owner => {
    const page = pageAt(disk, base + slot * PAGE_BYTES);
    if (page === null) return 'nobody';
    const read = decodeSuperblock(config, node, slot, page);
    if (read.ok) return 'this';
    switch (read.fault) {
      case 'unreadable':
        return 'nobody';
      case 'other-node':
      case 'other-volume':
        return 'another';
      default:
        return uuidOf(page) === volume.uuid ? 'this' : 'another';
    }
  });
  return oneOf(found);
}

function ownerOfLabel(disk: OpenDisk, at: number, { volume, node }: Owned): Owner {
  const page = pageAt(disk, at);
  if (page === null) return 'nobody';
  const read = decodeLabel(page);
  if (!read.ok) return read.fault === 'none' ? 'nobody' : 'another';
  return read.label.uuid === volume.uuid && read.label.node === node ? 'this' : 'another';
}

function oneOf(found: readonly Owner[]): Owner {
  if (found.includes('another')) return 'another';
  return found.includes('this') ? 'this' : 'nobody';
}

function uuidOf(page: Uint8Array): string {
  return Buffer.from(page.subarray(UUID_AT, UUID_AT + UUID_BYTES)).toString('hex');
}

/** The page at `at`; null where the disk ends before it does. */
function pageAt({ fd, path, bytes }: OpenDisk, at: number): Uint8Array | null {
  if (bytes < at + PAGE_BYTES) return null;
  const page = new Uint8Array(PAGE_BYTES);
  try {
    return readSync(fd, page, 0, PAGE_BYTES, at) < PAGE_BYTES ? null : page;
  } catch (error) {
    throw new HostError(
      `${path} cannot be read at byte ${at} (${systemCode(error)})`,
      'look after its disk; nothing was changed',
    );
  }
}
