/** A volume of the configuration as its data actor wants it, and how much memory it gets. */
import { servedOf } from '../../engine/cluster/changes.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { EXTENT_BYTES, type NodeId, REQUEST_BYTES_MAX } from '../../engine/core/units.ts';
import type { AbiLayout } from '../../engine/data/abi.ts';
import { MIRROR_DEFAULTS, type MirrorConfig } from '../../engine/mirror/config.ts';

/** The engine's view of `volume` on `node`; nodes in rising order, the same for all hosts. */
export function mirrorConfig(volume: VolumeConfig, node: NodeId = 0): MirrorConfig {
  const { sideBytes = 0 } = volume.replicas.find((replica) => replica.node === node) ?? {};
  return {
    ...MIRROR_DEFAULTS,
    volume: volume.name,
    uuid: volume.uuid,
    sizeBytes: volume.sizeBytes,
    servedBytes: servedOf(volume),
    logicalBlock: volume.logicalBlock,
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
    nodes: volume.replicas.map(({ node }) => node).sort((a, b) => a - b),
    ...asyncOf(volume),
    ...(volume.parts === undefined ? {} : { inParts: true }),
    ...(volume.layout === undefined ? {} : { layout: volume.layout }),
  };
}

/** Which replicas are asynchronous, and how far they may be behind. */
export function asyncOf({ replicas, lag }: VolumeConfig): Partial<MirrorConfig> {
  const nodes = replicas.filter(({ mode }) => mode === 'async').map(({ node }) => node);
  if (nodes.length === 0) return {};
  const asyncNodes = nodes.sort((a, b) => a - b);
  if (lag === undefined) return { asyncNodes };
  const { bytes, atLimit, pointEvery } = lag;
  return { asyncNodes, lagBytes: bytes, lagWaits: atLimit === 'wait', pointDelay: pointEvery };
}

const EVENTS = 256;

/**
 * Slots of one volume. A peer needs room for all that the other side may have in flight: its
 * front-end requests and its resync copies. Slots are mapped, and filled only as they are used.
 */
export const REAL_LAYOUT: AbiLayout = {
  events: EVENTS,
  decisions: 8 * EVENTS + 64,
  frontSlots: 64,
  peerSlots: 96,
  engineSlots: 32,
  slotBytes: REQUEST_BYTES_MAX,
  inPages: 64,
  outPages: 256,
};
