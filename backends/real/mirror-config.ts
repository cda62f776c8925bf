/** A volume of the configuration as its data actor wants it, and how much memory it gets. */
import { servedOf } from '../../engine/cluster/changes.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { EXTENT_BYTES, type NodeId, REQUEST_BYTES_MAX } from '../../engine/core/units.ts';
import type { AbiLayout } from '../../engine/data/abi.ts';
import { MIRROR_DEFAULTS, type MirrorConfig } from '../../engine/mirror/config.ts';
import type { SpillOptions } from './native.ts';

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
  const spills = replicas.filter(({ spill }) => spill !== undefined).map(({ node }) => node);
  const spilled =
    spills.length === 0 ? {} : { spillNodes: spills.sort((a, b) => a - b), spillAwaited: true };
  const either = { asyncNodes: nodes.sort((a, b) => a - b), ...spilled };
  if (lag === undefined) return either;
  const { bytes, atLimit, pointEvery } = lag;
  return { ...either, lagBytes: bytes, lagWaits: atLimit === 'wait', pointDelay: pointEvery };
}

/**
 * The files in which what waits for asynchronous replicas may be spilled, on `node`: room for what
 * one may lack, and for what stands before each write of it.
 */
export function spillsOf(volume: VolumeConfig, node: NodeId): SpillOptions[] {
  const { lagBytes, lagWaits: waits } = { ...MIRROR_DEFAULTS, ...asyncOf(volume) };
  const bytes = lagBytes + Math.ceil(lagBytes / 16) + SPILL_MORE;
  return volume.replicas.flatMap(({ node: peer, spill }) => {
    if (spill === undefined || peer === node) return [];
    return [{ node: peer, folder: spill, bytes, waits }];
  });
}

/** For messages and copies, which count to no lag. */
const SPILL_MORE = 67_108_864;

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
