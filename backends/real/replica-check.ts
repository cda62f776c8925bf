/**
 * What can be said about a replica before anything opens it for writing: is it there, is it this
 * volume's and this node's, is its metadata readable. Reads only.
 */
import { closeSync, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import type { ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import { ownFeatures } from '../../engine/mirror/features.ts';
import {
  chooseSuperblock,
  decodeSuperblock,
  isReadOnly,
  type MetadataFault,
  metadataLayout,
  metadataPages,
  type Superblock,
  type SuperblockChoice,
  type SuperblockRead,
} from '../../engine/mirror/metadata.ts';
import type { LabelVerdict } from '../../engine/mirror/part-label.ts';
import { systemCode } from './failure.ts';
import { mirrorConfig } from './mirror-config.ts';
import {
  type DamagedLabel,
  dataEnd,
  judgeParts,
  LABEL_BYTES,
  refuseParts,
  replicaParts,
  wholePage,
} from './replica-parts.ts';
import { ReplicaError, troubleOf } from './replica-path.ts';
import { deviceBytes, type PageRead, readPage } from './replica-read.ts';

/** What is there twice, and once only now. */
export interface ReplicaFinding {
  /** Superblock slots that cannot be read; the engine writes such a slot from the other one. */
  readonly damagedSlots: number;
  /** Labels of parts that cannot be read; whoever opens the replica writes them anew. */
  readonly damagedLabels: readonly DamagedLabel[];
}

/** Throws ReplicaError when the replica cannot be used. */
export function checkReplica(volume: VolumeConfig, replica: ReplicaConfig): ReplicaFinding {
  // Disks that are exchanged have other sizes, too: what they are themselves says it better.
  judged(volume, replica, '', ['none'], false);
  const { chosen, metaBytes } = look(volume, replica);
  const { side = '', sideBytes = 0 } = replica;
  // A replica that was made before it was given a side area lacks exactly that.
  const added = side === '' ? sideBytes : 0;
  const behind = replica.meta === '';
  const ownBytes = metaBytes + added;
  const parts = replicaParts(volume, replica);
  for (const part of parts?.slice(0, -1) ?? []) {
    checkSize(part.path, part.sizeBytes + LABEL_BYTES, volume.name);
  }
  if (behind) checkSize(replica.path, dataEnd(volume) + ownBytes, volume.name, added);
  else {
    checkSize(replica.path, parts === null ? volume.sizeBytes : dataEnd(volume), volume.name);
    checkSize(replica.meta, ownBytes, volume.name, added);
  }
  if (side !== '') checkSize(side, sideBytes, volume.name, sideBytes);
  judged(volume, replica, '', [], chosen.ok || chosen.fault !== 'unreadable');
  const path = behind ? replica.path : replica.meta;
  if (!chosen.ok) throw refusal(path, volume, chosen.fault);
  if (isReadOnly(chosen.block)) throw refusal(path, volume, 'read-only-features');
  const damagedLabels = judged(volume, replica, chosen.block.device, [], true);
  return { damagedSlots: chosen.damaged, damagedLabels };
}

/**
 * Throws unless each disk of a replica in parts is what it should be, or of the `excused`; returns
 * what is damaged all the same. `isMade` says whether the replica has metadata.
 */
function judged(
  volume: VolumeConfig,
  replica: ReplicaConfig,
  device: string,
  excused: readonly LabelVerdict[],
  isMade: boolean,
): readonly DamagedLabel[] {
  for (const { path } of replicaParts(volume, replica) ?? []) checkThere(path, volume.name);
  const findings = judgeParts(volume, replica, device);
  for (const { path, verdict, failed } of findings) {
    // One copy that is whole is enough. Else nobody knows what is in the one that cannot be read.
    if (verdict === 'none' && failed !== '') throw missing(path, volume.name, failed, 0);
  }
  const told = findings.map(({ verdict }) => (excused.includes(verdict) ? 'ok' : verdict));
  refuseParts(volume, replica, told, isMade);
  return findings.flatMap(({ damaged }) => damaged);
}

/** Pages of metadata that the replica has: by what it was made with, not by what is made today. */
export function replicaPages(volume: VolumeConfig, replica: ReplicaConfig): number {
  return look(volume, replica).metaBytes / PAGE_BYTES;
}

/** Throws ReplicaError unless the replica was made and never had anything since. */
export function checkNew(volume: VolumeConfig, replica: ReplicaConfig): void {
  const { block } = replicaSide(volume, replica);
  if (block.generation === 0) return;
  throw new ReplicaError(
    'wrong',
    `the replica ${replica.path} of volume "${volume.name}" is not new: it has data of its own`,
    'make an empty one there: understudy replica new, with --overwrite',
  );
}

/** What its superblocks say, and where its side area is. Throws ReplicaError when none speaks. */
export function replicaSide(
  volume: VolumeConfig,
  replica: ReplicaConfig,
): { readonly block: Superblock; readonly path: string; readonly base: number } {
  const { path, meta, side = '' } = replica;
  const { chosen, metaBytes } = look(volume, replica);
  const from = meta === '' ? path : meta;
  if (!chosen.ok) throw refusal(from, volume, chosen.fault);
  const { block } = chosen;
  if (side !== '') return { block, path: side, base: 0 };
  return { block, path: from, base: (meta === '' ? dataEnd(volume) : 0) + metaBytes };
}

/** What its superblocks say, as far as they can be read. */
function look(
  volume: VolumeConfig,
  { node, path, meta }: ReplicaConfig,
): { readonly chosen: SuperblockChoice; readonly metaBytes: number } {
  const config = mirrorConfig(volume);
  const { slotA, slotB } = metadataLayout(config);
  const [from, base] = meta === '' ? [path, dataEnd(volume)] : [meta, 0];
  checkThere(from, volume.name);
  const [a, b] = [slotA, slotB].map((page) => {
    return readPage(from, base + page * PAGE_BYTES);
  }) as [PageRead, PageRead];
  const slot = (page: number, read: PageRead): SuperblockRead => {
    if (!read.ok) return { ok: false, fault: 'unreadable' };
    return decodeSuperblock(config, node, page, wholePage(read));
  };
  const chosen = chooseSuperblock(slot(slotA, a), slot(slotB, b));
  // One that is whole is enough, as it is for the engine. Else nobody knows what is in the other.
  const failed = a.ok ? b : a;
  if (!chosen.ok && chosen.fault === 'unreadable' && !failed.ok) {
    throw missing(from, volume.name, failed.code, 0);
  }
  const pages = metadataPages(config, chosen.ok ? chosen.block.features : ownFeatures(config));
  return { chosen, metaBytes: pages * PAGE_BYTES };
}

/** A device whose path is lost may still have its name, and be nothing behind it. */
function checkThere(path: string, volume: string): void {
  let status: Stats;
  try {
    status = statSync(path);
  } catch (error) {
    throw missing(path, volume, systemCode(error), 0);
  }
  if (!status.isFile() && !status.isBlockDevice()) throw neither(path, volume);
  if (status.isBlockDevice() && deviceBytes(status.rdev) === 0) {
    throw new ReplicaError(
      'unreachable',
      `the replica ${path} of volume "${volume}" is a device of no size`,
      'connect its disk',
    );
  }
}

/** A socket or a terminal is no device that is away for now, whatever opening it says. */
function neither(path: string, volume: string): ReplicaError {
  return new ReplicaError(
    'wrong',
    `the replica ${path} of volume "${volume}" is neither a file nor a block device`,
    'correct path: in the configuration',
  );
}

/** `added` is how much of it may have been asked for since the file was made. */
function checkSize(path: string, wanted: number, volume: string, added = 0): void {
  let status: Stats;
  try {
    const file = openSync(path, 'r');
    status = fstatSync(file);
    closeSync(file);
  } catch (error) {
    throw missing(path, volume, systemCode(error), added === wanted ? wanted : 0);
  }
  const place = `the replica ${path} of volume "${volume}"`;
  if (status.isFile()) {
    if (status.size === wanted) return;
    if (added > 0 && status.size === wanted - added) {
      throw new ReplicaError(
        'wrong',
        `${place} has no side area yet: ${status.size} bytes, not ${wanted}`,
        `make room for it: truncate -s ${wanted} ${path}`,
      );
    }
    throw new ReplicaError(
      'wrong',
      `${place} has ${status.size} bytes, not ${wanted}`,
      'correct size: or path: in the configuration, or make a new one (understudy replica new)',
    );
  }
  if (!status.isBlockDevice()) throw neither(path, volume);
  // A device may be larger than its volume. One that tells no size here, the addon judges.
  const bytes = deviceBytes(status.rdev);
  if (bytes === null || bytes >= wanted) return;
  checkThere(path, volume);
  throw new ReplicaError(
    'wrong',
    `${place} has ${bytes} bytes, and the volume with its metadata needs ${wanted}`,
    'correct size: or path: in the configuration, or enlarge the device',
  );
}

/** `bytes` is the size of a side area that stands alone, 0 for anything else. */
function missing(path: string, volume: string, code: string, bytes: number): ReplicaError {
  const reason = code === 'ENOENT' ? 'does not exist' : `cannot be opened or read (${code})`;
  const trouble = troubleOf(path, code);
  if (trouble === 'unnamed') {
    return new ReplicaError(
      trouble,
      `the replica ${path} of volume "${volume}" ${reason}`,
      'correct path: in the configuration, or connect its disk and start again; a device that ' +
        'this node has had open before is waited for',
    );
  }
  if (bytes > 0) {
    return new ReplicaError(
      trouble,
      `the side area ${path} of volume "${volume}" ${reason}`,
      `correct side: in the configuration, or make it: truncate -s ${bytes} ${path}`,
    );
  }
  return new ReplicaError(
    trouble,
    `the replica ${path} of volume "${volume}" ${reason}`,
    'correct path: in the configuration, mount its disk, or make one (understudy replica new)',
  );
}

const REASONS: Readonly<Record<MetadataFault, readonly [reason: string, remedy: string]>> = {
  unreadable: [
    'has no readable metadata: both superblock slots are damaged',
    'if the other replica is well, replace this one with an empty one (understudy replica ' +
      'new --overwrite), and it will be filled; else take the data area from it by hand',
  ],
  version: [
    'was written by another version of understudy',
    'start the version that wrote it, or a later one',
  ],
  features: [
    'uses features that this version does not know',
    'start the version that wrote it, or a later one',
  ],
  'read-only-features': [
    'uses features without which it may be read, but not written',
    'start the version that wrote it, or a later one',
  ],
  'other-volume': [
    'belongs to another volume',
    'correct uuid: or path: in the configuration; nothing was written to it',
  ],
  'other-node': [
    'belongs to another node',
    'correct replicas: in the configuration; two nodes must not share one replica',
  ],
  'other-device': [
    'has superblocks of two different replicas',
    'if the other replica is well, replace this one with an empty one; it will be filled',
  ],
  stale: [
    'is older in part than the rest of it: a write was lost, or it was copied while in use',
    'if the other replica is well, replace this one with an empty one; it will be filled',
  ],
  size: ['was made for another volume size', 'set size: back to what it was when it was made'],
  'logical-block': [
    'was made for another logical block',
    'set logicalBlock: back to what it was when it was made',
  ],
  checksums: [
    'was made with checksums and the volume is to have none, or the other way round',
    'set checksums: back to what it was, or replace the replicas one after the other with empty ' +
      'ones (understudy replica new)',
  ],
  parts: [
    'was made for a volume in parts and the volume is to have none, or the other way round',
    'set parts: and paths:, or size: and path:, back to what they were when it was made',
  ],
  spare: [
    'has lost the table of the blocks that stand in its spare area: both copies are damaged',
    'if the other replica is well, replace this one with an empty one; it will be filled',
  ],
  layout: [
    'was made for other holders of the volume, or by another version of understudy',
    'where it was to be added or put in, make it anew (understudy replica new); else give the ' +
      'node the file that is agreed on, or start the version that made it',
  ],
};

function refusal(path: string, { name }: VolumeConfig, fault: MetadataFault): ReplicaError {
  const [reason, remedy] = REASONS[fault];
  return new ReplicaError('wrong', `the replica ${path} of volume "${name}" ${reason}`, remedy);
}
