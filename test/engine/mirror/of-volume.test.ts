import { describe, expect, it } from 'vitest';
import type { ReplicaConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { checkMirrorConfig, MIRROR_DEFAULTS } from '../../../engine/mirror/config.ts';
import { mirrorOf, sideBytesOf } from '../../../engine/mirror/of-volume.ts';

const MIB = 1 << 20;
const replica = (node: number, more: Partial<ReplicaConfig> = {}): ReplicaConfig => {
  return { node, path: `/dev/${node}`, meta: '', ...more };
};

const PLAIN: VolumeConfig = {
  name: 'data',
  uuid: '00000000000000000000000000000d01',
  sizeBytes: 12 * MIB,
  logicalBlock: 512,
  replicas: [replica(1), replica(2)],
  nbd: [],
  activityLogExtents: 8,
  diskTimeout: 10_000_000,
};

describe('what a configuration says of a volume', () => {
  it('is what the data actor is told, and leaves the rest as it is by default', () => {
    const config = mirrorOf(PLAIN, 1);
    checkMirrorConfig(config);
    const { name: volume, uuid, sizeBytes, logicalBlock, diskTimeout } = PLAIN;
    const said = { volume, uuid, sizeBytes, servedBytes: sizeBytes, logicalBlock, diskTimeout };
    const plain = { semiSync: false, proxies: false, balanceReads: false, checksums: false };
    const none = { skipEqual: 'off', sideBytes: 0, undoRequired: false } as const;
    // No request needs more extents than may be hot at once.
    const hot = { alExtents: 8, zeroBytes: 7 * MIB };
    expect(config).toEqual({
      ...MIRROR_DEFAULTS,
      ...{ ...said, ...plain, ...none, ...hot, nodes: [1, 2] },
    });
  });

  it('is each of its choices, and the same on every node but for its own side area', () => {
    const volume: VolumeConfig = {
      ...PLAIN,
      servedBytes: PLAIN.sizeBytes / 2,
      mode: 'semi-sync',
      onDiskFailure: 'proxy',
      reads: 'balanced',
      checksums: true,
      skipEqual: 'auto',
      undo: 'required',
      layout: 3,
      replicas: [replica(2), replica(1, { sideBytes: 16 * MIB })],
    };
    const first = mirrorOf(volume, 1);
    const wanted = { semiSync: true, proxies: true, balanceReads: true, checksums: true };
    expect(first).toMatchObject({ ...wanted, skipEqual: 'auto', layout: 3, nodes: [1, 2] });
    expect(first).toMatchObject({ servedBytes: PLAIN.sizeBytes / 2, undoRequired: true });
    expect(mirrorOf(volume, 2)).toEqual({ ...first, sideBytes: 0, undoRequired: false });
    expect([1, 2, 3].map((node) => sideBytesOf(volume, node))).toEqual([16 * MIB, 0, 0]);
  });

  it('names asynchronous replicas, how far behind they may be, and which have a file', () => {
    const replicas = [replica(3, { mode: 'async', spill: '/x' }), replica(1), replica(2)];
    const lag = { bytes: 7 * MIB, atLimit: 'wait', pointEvery: 50_000 } as const;
    const config = mirrorOf({ ...PLAIN, replicas, lag }, 1);
    const limits = { lagBytes: 7 * MIB, lagWaits: true, pointDelay: 50_000 };
    expect(config).toMatchObject({ nodes: [1, 2, 3], asyncNodes: [3], spillNodes: [3], ...limits });
    const more = replicas.concat(replica(0, { mode: 'async' }));
    expect(mirrorOf({ ...PLAIN, replicas: more, lag }, 1).asyncNodes).toEqual([0, 3]);
    expect(mirrorOf({ ...PLAIN, lag }, 1).lagBytes).toBe(MIRROR_DEFAULTS.lagBytes);
  });
});
