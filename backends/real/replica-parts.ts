/**
 * The disks of a replica in parts, as this host finds them: where the data stand, and whether each
 * disk is the part that the configuration takes it for. Reads only; engine/mirror/part-label.ts
 * judges.
 */
import type { ClusterConfig, ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { NodeId } from '../../engine/core/units.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import {
  decodeLabel,
  judgeLabel,
  LABEL_PAGES,
  type LabelVerdict,
  type PartLabel,
} from '../../engine/mirror/part-label.ts';
import type { HostStatus, PartStatus } from './host-status.ts';
import type { ReplicaPart } from './native.ts';
import { ReplicaError } from './replica-path.ts';
import type { PageRead } from './replica-read.ts';

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

/** What each disk is found to be; `device` is '' while nobody knows it. `read` reads a page. */
export function judgeParts(
  volume: VolumeConfig,
  { node, parts }: ReplicaConfig,
  device: string,
  read: (path: string, at: number) => Uint8Array,
): readonly LabelVerdict[] {
  return (replicaParts(volume, { parts: parts ?? [] }) ?? []).map(({ path, sizeBytes }, index) => {
    const found = decodeLabel(read(path, sizeBytes));
    return judgeLabel(found, labelOf(volume, node, device, index));
  });
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
    'correct paths:, or the sizes under parts:, in the configuration, or make the replica anew ' +
      '(understudy replica new)',
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

/** Throws ReplicaError for the first disk that is not the part which it is taken for. */
export function refuseParts(
  volume: VolumeConfig,
  replica: ReplicaConfig,
  verdicts: readonly LabelVerdict[],
): void {
  const parts = replicaParts(volume, replica) ?? [];
  verdicts.forEach((verdict, i) => {
    if (verdict === 'ok') return;
    const [reason, remedy] = REASONS[verdict];
    const place = `the disk ${parts[i]?.path} of part "${parts[i]?.name}"`;
    throw new ReplicaError('wrong', `${place} of volume "${volume.name}" ${reason}`, remedy);
  });
}
