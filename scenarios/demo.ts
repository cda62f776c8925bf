/** The bundled configuration: two hosts, a witness, one volume and one application. */
import { type ClusterConfig, DEFAULT_TIMING, type VolumeConfig } from '../engine/core/config.ts';

/** Nodes a (1) and b (2) and the witness (3); a volume small enough to be compared often. */
export const DEMO_CONFIG: ClusterConfig = {
  name: 'demo',
  nodes: [
    {
      id: 1,
      name: 'a',
      witness: false,
      control: ['10.0.0.1:7001', '10.1.0.1:7001'],
      replication: '10.0.0.1:7002',
      watchdog: 'simulated',
    },
    {
      id: 2,
      name: 'b',
      witness: false,
      control: ['10.0.0.2:7001', '10.1.0.2:7001'],
      replication: '10.0.0.2:7002',
      watchdog: 'simulated',
    },
    {
      id: 3,
      name: 'w',
      witness: true,
      control: ['10.0.0.3:7001', '10.1.0.3:7001'],
      replication: '',
      watchdog: 'none',
    },
  ],
  volumes: [
    {
      name: 'data',
      uuid: '00000000000000000000000000000d01',
      sizeBytes: 12 * 1024 * 1024,
      logicalBlock: 512,
      replicas: [
        { node: 1, path: '/dev/a', meta: '' },
        { node: 2, path: '/dev/b', meta: '' },
      ],
      nbd: [],
      activityLogExtents: 8,
      diskTimeout: 10_000_000,
    },
  ],
  groups: [
    {
      name: 'shop',
      volume: 'data',
      application: {
        start: 'start',
        stop: 'stop',
        check: 'check',
        checkEvery: 3_000_000,
        startTimeout: 10_000_000,
        stopTimeout: 10_000_000,
      },
      nodes: [1, 2],
    },
  ],
  timing: DEFAULT_TIMING,
};

/** The same with something else about its volumes. */
export function demoWith(change: Partial<VolumeConfig>): ClusterConfig {
  return {
    ...DEMO_CONFIG,
    volumes: DEMO_CONFIG.volumes.map((volume) => ({ ...volume, ...change })),
  };
}

/** The same with a side area for each replica, of so many bytes. */
export function demoWithSide(sideBytes: number): ClusterConfig {
  const replicas = DEMO_CONFIG.volumes[0]?.replicas ?? [];
  return demoWith({ replicas: replicas.map((replica) => ({ ...replica, sideBytes })) });
}
