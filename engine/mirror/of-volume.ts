/**
 * What a configuration says of a volume, as its data actor takes it: the same for hosts that are
 * rehearsed and hosts that are real. Each backend then says how large its own windows are.
 */
import type { VolumeConfig } from '../core/config.ts';
import { EXTENT_BYTES, type NodeId } from '../core/units.ts';
import { MIRROR_DEFAULTS, type MirrorConfig } from './config.ts';

/** `volume` on `node` (0 for none in particular); nodes in rising order, the same for all hosts. */
export function mirrorOf(volume: VolumeConfig, node: NodeId): MirrorConfig {
  const { replicas } = volume;
  const sideBytes = sideBytesOf(volume, node);
  return {
    ...MIRROR_DEFAULTS,
    volume: volume.name,
    uuid: volume.uuid,
    sizeBytes: volume.sizeBytes,
    servedBytes: volume.servedBytes ?? volume.sizeBytes,
    logicalBlock: volume.logicalBlock,
    nodes: nodesOf(replicas),
    alExtents: volume.activityLogExtents,
    // One request's extents, and one more where it is not aligned, must fit the hot set.
    zeroBytes: Math.min(MIRROR_DEFAULTS.zeroBytes, (volume.activityLogExtents - 1) * EXTENT_BYTES),
    diskTimeout: volume.diskTimeout,
    semiSync: volume.mode === 'semi-sync',
    proxies: volume.onDiskFailure === 'proxy',
    balanceReads: volume.reads === 'balanced',
    checksums: volume.checksums === true,
    skipEqual: volume.skipEqual ?? 'off',
    sideBytes,
    undoRequired: volume.undo === 'required' && sideBytes > 0,
    ...asyncOf(volume),
    ...(volume.parts === undefined ? {} : { inParts: true }),
    ...(volume.layout === undefined ? {} : { layout: volume.layout }),
  };
}

/** Bytes of the side area of the replica on `node`; 0 for none. */
export function sideBytesOf({ replicas }: VolumeConfig, node: NodeId): number {
  return replicas.find((replica) => replica.node === node)?.sideBytes ?? 0;
}

/** Which replicas are asynchronous, how far they may be behind, and for which there is a file. */
function asyncOf({ replicas, lag }: VolumeConfig): Partial<MirrorConfig> {
  const asyncNodes = nodesOf(replicas.filter(({ mode }) => mode === 'async'));
  if (asyncNodes.length === 0) return {};
  const spillNodes = nodesOf(replicas.filter(({ spill }) => spill !== undefined));
  return {
    asyncNodes,
    ...(spillNodes.length === 0 ? {} : { spillNodes }),
    ...(lag === undefined
      ? {}
      : { lagBytes: lag.bytes, lagWaits: lag.atLimit === 'wait', pointDelay: lag.pointEvery }),
  };
}

function nodesOf(replicas: VolumeConfig['replicas']): readonly NodeId[] {
  return replicas.map(({ node }) => node).sort((a, b) => a - b);
}
