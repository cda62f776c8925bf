/** A volume of the configuration as its data actor wants it, and how much memory it gets. */
import type { VolumeConfig } from '../../engine/core/config.ts';
import { type NodeId, REQUEST_BYTES_MAX } from '../../engine/core/units.ts';
import type { AbiLayout } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { mirrorOf } from '../../engine/mirror/of-volume.ts';
import type { SpillOptions } from './native.ts';

/** The engine's view of `volume` on `node`. */
export function mirrorConfig(volume: VolumeConfig, node: NodeId = 0): MirrorConfig {
  const config = mirrorOf(volume, node);
  return config.spillNodes === undefined ? config : { ...config, spillAwaited: true };
}

/**
 * The files in which what waits for asynchronous replicas may be spilled, on `node`: room for what
 * one may lack, and for what stands before each write of it.
 */
export function spillsOf(volume: VolumeConfig, node: NodeId): SpillOptions[] {
  const { lagBytes, lagWaits: waits } = mirrorOf(volume, node);
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
