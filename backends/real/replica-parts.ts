/**
 * The disks of a replica in parts, as this host finds them: where the data stand, and whether each
 * disk is the part that the configuration takes it for; engine/mirror/part-label.ts judges. Writes
 * nothing but a damaged copy of a label.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { ClusterConfig, ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { NodeId } from '../../engine/core/units.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import {
  decodeLabel,
  judgeCopies,
  LABEL_PAGES,
  type LabelRead,
  type LabelVerdict,
  type PartLabel,
} from '../../engine/mirror/part-label.ts';
import type { HostStatus, PartStatus } from './host-status.ts';
import type { ReplicaPart } from './native.ts';
import { ReplicaError } from './replica-path.ts';
import { type PageRead, readPage } from './replica-read.ts';

/** Bytes behind the data of each part that say what it is. */
export const LABEL_BYTES: number = LABEL_PAGES * PAGE_BYTES;

/** Where the data of a replica in parts stand, in their order; null for one that is one disk. */
export function replicaParts(
  volume: VolumeConfig,
  { parts: paths = [] }: Pick<ReplicaConfig, 'parts'>,
): readonly ReplicaPart[] | null {
  return volume.parts?.map((part, i) => ({ ...part, path: paths[i] ?? '' })) ?? null;
}

/** Where the metadata begin that stand behind the data, on the disk that has the last of them. */
export function dataEnd({ sizeBytes, parts }: VolumeConfig): number {
  const last = parts?.at(-1);
  if (last !== undefined) return last.sizeBytes + LABEL_BYTES;
  return Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES;
}

/** The label that part `index` of a replica has. */
export function labelOf(
  { uuid, parts = [] }: VolumeConfig,
  node: NodeId,
  device: string,
  index: number,
): PartLabel {
  return { uuid, device, node, index, parts };
}

/** A copy of a label that is none, or cannot be read: where it is, and where the whole one is. */
export interface DamagedLabel {
  readonly path: string;
  readonly at: number;
  readonly whole: number;
}

/** What a disk of a replica in parts is found to be. */
export interface PartFinding {
  readonly path: string;
  readonly verdict: LabelVerdict;
  /** Where the other copy says it. */
  readonly damaged: readonly DamagedLabel[];
  /** The system's name for why a copy cannot be read, '' where both can. */
  readonly failed: string;
}

/** What each disk is found to be; `device` is '' while nobody knows it. */
export function judgeParts(
  volume: VolumeConfig,
  { node, parts }: ReplicaConfig,
  device: string,
): readonly PartFinding[] {
  return (replicaParts(volume, { parts: parts ?? [] }) ?? []).map(({ path, sizeBytes }, index) => {
    const at = (copy: number): number => sizeBytes + copy * PAGE_BYTES;
    let failed = '';
    const copies = Array.from({ length: LABEL_PAGES }, (_, copy): LabelRead => {
      const read = readPage(path, at(copy));
      if (read.ok) return decodeLabel(wholePage(read));
      failed = read.code;
      return { ok: false, fault: 'none' };
    });
    const { verdict, damaged } = judgeCopies(copies, labelOf(volume, node, device, index));
    const whole = at(copies.findIndex(({ ok }) => ok));
    const list = damaged.map((copy) => ({ path, at: at(copy), whole }));
    return { path, verdict, failed, damaged: verdict === 'ok' ? list : [] };
  });
}

/**
 * Writes damaged copies anew from the whole ones. Whoever calls it has the replica locked: what was
 * found before is looked at again. A copy that cannot be written stays for the next start.
 */
export function mendLabels(damaged: readonly DamagedLabel[]): void {
  for (const { path, at, whole } of damaged) {
    const [good, bad] = [readPage(path, whole), readPage(path, at)];
    if (!good.ok || !decodeLabel(good.bytes).ok) continue;
    if (bad.ok && !isNone(decodeLabel(wholePage(bad)))) continue;
    try {
      const fd = openSync(path, 'r+');
      try {
        writeSync(fd, good.bytes, 0, PAGE_BYTES, at);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch {}
  }
}

function isNone(read: LabelRead): boolean {
  return !read.ok && read.fault === 'none';
}

/** A page as it was read, filled up where the disk ends before it. */
export function wholePage(read: Extract<PageRead, { readonly ok: true }>): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  bytes.set(read.bytes);
  return bytes;
}

/** What a node's account of itself says of its volumes in parts, if it has any. */
export function partsOf({ volumes }: ClusterConfig, node: NodeId): Pick<HostStatus, 'parts'> {
  const told = volumes.flatMap((volume): [string, readonly PartStatus[]][] => {
    const replica = volume.replicas.find((each) => each.node === node);
    const parts = replica === undefined ? null : replicaParts(volume, replica);
    if (parts === null) return [];
    const listen = volume.nbd.find((each) => each.node === node)?.listen ?? [];
    const list = parts.map(({ name, sizeBytes, path }) => {
      return { part: name, sizeBytes, path, uris: listen.map((address) => uriOf(address, name)) };
    });
    return [[volume.name, list]];
  });
  return told.length === 0 ? {} : { parts: Object.fromEntries(told) };
}

function uriOf(address: string, name: string): string {
  if (!address.startsWith('unix:')) return `nbd://${address}/${name}`;
  return `nbd+unix:///${name}?socket=${address.slice('unix:'.length)}`;
}

/** Why a disk is not the part that it is taken for, and what to do. */
const REASONS: Readonly<
  Record<Exclude<LabelVerdict, 'ok'>, readonly [reason: string, remedy: string]>
> = {
  none: [
    'does not say that it is a part of a replica',
    'correct paths:, or the sizes under parts:, in the configuration, or, where there never was ' +
      'one, make the replica (understudy replica new)',
  ],
  version: [
    'was made by another version of understudy',
    'start the version that made it, or a later one',
  ],
  'other-volume': [
    'belongs to another volume',
    'correct uuid: or paths: in the configuration; nothing was written to it',
  ],
  'other-node': [
    'belongs to another node',
    'correct replicas: in the configuration; two nodes must not share one replica',
  ],
  'other-part': [
    'is another part of this replica',
    'its paths are exchanged: correct paths: in the configuration; nothing was written to it',
  ],
  'other-parts': [
    'was made when the volume had other parts, or the same in another order',
    'set parts: back to the names, sizes and order that they had when the replica was made',
  ],
  'other-device': [
    'belongs to another replica of this volume: an earlier one, or a copy',
    'correct paths: in the configuration; if the disk was lost, make the replica anew with all ' +
      'its parts (understudy replica new --overwrite), and the other one will fill it',
  ],
};

/** The data of such a disk may be whole, and a new replica would give them up. */
function restore({ sizeBytes }: ReplicaPart): string {
  return (
    'correct paths:, or the sizes under parts:, in the configuration; if it is the right disk, ' +
    `put back one of the two pages from byte ${sizeBytes} on, from a copy of it; nothing was ` +
    'written to it. Only where another replica is well and current, this one may be given up ' +
    '(understudy replica new --overwrite), and that one will fill it'
  );
}

/**
 * Throws ReplicaError for the first disk that is not the part which it is taken for. `isMade` says
 * whether the replica has metadata: then its data are there, too.
 */
export function refuseParts(
  volume: VolumeConfig,
  replica: ReplicaConfig,
  verdicts: readonly LabelVerdict[],
  isMade: boolean,
): void {
  const parts = replicaParts(volume, replica) ?? [];
  verdicts.forEach((verdict, i) => {
    if (verdict === 'ok') return;
    const part = parts[i] as ReplicaPart;
    const [reason, said] = REASONS[verdict];
    const remedy = verdict === 'none' && isMade ? restore(part) : said;
    const place = `the disk ${part.path} of part "${part.name}"`;
    throw new ReplicaError('wrong', `${place} of volume "${volume.name}" ${reason}`, remedy);
  });
}
