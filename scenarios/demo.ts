/** The bundled configuration: two hosts, a witness, one volume and one application. */
import {
  type ClusterConfig,
  DEFAULT_TIMING,
  type LagLimits,
  type VolumeConfig,
} from '../engine/core/config.ts';
import type { NodeId } from '../engine/core/units.ts';

/** What an asynchronous replica of the demonstration may lack: little, so that it is met. */
const DEMO_LAG: LagLimits = { bytes: 1 << 20, pointEvery: 200_000 };

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

/** The same in two parts, a database's pages and its log, each on a disk of its own everywhere. */
export function demoInParts(config: ClusterConfig = DEMO_CONFIG): ClusterConfig {
  const parts = [
    { name: 'pages', sizeBytes: 8 * 1024 * 1024 },
    { name: 'log', sizeBytes: 4 * 1024 * 1024 },
  ];
  const volumes = config.volumes.map((volume) => ({
    ...volume,
    parts,
    replicas: volume.replicas.map((replica) => {
      return {
        ...replica,
        path: `${replica.path}2`,
        parts: [`${replica.path}1`, `${replica.path}2`],
      };
    }),
  }));
  return { ...config, volumes };
}

/** The same with host b's replica asynchronous: it serves nobody, and no write waits for it. */
export function demoAsync(lag: Partial<LagLimits> = {}): ClusterConfig {
  const replicas = sideBySide([1, 2]);
  const config = demoWith({ replicas, lag: { ...DEMO_LAG, ...lag }, activityLogExtents: 4 });
  return { ...config, groups: config.groups.map((group) => ({ ...group, nodes: [1] })) };
}

/** The same with a synchronous pair, and the asynchronous replica on host c, far away. */
export function demoThird(lag: Partial<LagLimits> = {}): ClusterConfig {
  const replicas = sideBySide([1, 2, 3]);
  const config = demoWith({ replicas, lag: { ...DEMO_LAG, ...lag }, activityLogExtents: 4 });
  const nodes = config.nodes.map((node) => (node.witness ? { ...node, ...THIRD } : node));
  return { ...config, nodes };
}

const THIRD = { name: 'c', witness: false, replication: '10.0.0.3:7002', watchdog: 'simulated' };

/** The last of them is asynchronous, and each has room for an image of the whole volume. */
function sideBySide(nodes: readonly NodeId[]): VolumeConfig['replicas'] {
  return nodes.map((node) => ({
    node,
    path: `/dev/${'abc'[node - 1]}`,
    meta: '',
    sideBytes: 16 * 1024 * 1024,
    ...(node === nodes.length ? { mode: 'async' as const } : {}),
  }));
}

/** The same with a side area for each replica, of so many bytes. */
export function demoWithSide(sideBytes: number): ClusterConfig {
  const replicas = DEMO_CONFIG.volumes[0]?.replicas ?? [];
  return demoWith({ replicas: replicas.map((replica) => ({ ...replica, sideBytes })) });
}

/** The same of three hosts without a witness, of which `holders` have a replica, and may run it. */
export function demoHosts(holders: readonly NodeId[]): ClusterConfig {
  const replicas = holders.map((node) => ({ node, path: `/dev/${'abc'[node - 1]}`, meta: '' }));
  const config = demoWith({ replicas });
  const nodes = config.nodes.map((node) => (node.witness ? { ...node, ...THIRD } : node));
  const groups = config.groups.map((group) => ({ ...group, nodes: holders }));
  return { ...config, nodes, groups };
}
