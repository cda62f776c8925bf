/** The bundled configuration with more hosts, more volumes, or fewer guards. */
import type {
  ClusterConfig,
  GroupConfig,
  NodeConfig,
  VolumeConfig,
} from '../engine/core/config.ts';
import type { NodeId } from '../engine/core/units.ts';
import { DEMO_CONFIG } from './demo.ts';

/**
 * Five hosts and no witness, of which a and b mirror one volume, c and d another one, and e has
 * nothing but its vote.
 */
export function demoFive(): ClusterConfig {
  const [volume] = DEMO_CONFIG.volumes as [VolumeConfig];
  const [group] = DEMO_CONFIG.groups as [GroupConfig];
  const logs = { ...volume, name: 'logs', uuid: '00000000000000000000000000000d02' };
  return {
    ...DEMO_CONFIG,
    nodes: [1, 2, 3, 4, 5].map(hostOf),
    volumes: [volume, { ...logs, replicas: [3, 4].map(replicaOf) }],
    groups: [group, { ...group, name: 'audit', volume: 'logs', nodes: [3, 4] }],
  };
}

/** The demonstration without watchdogs: nothing resets a host whose core stands still. */
export function demoUnwatched(): ClusterConfig {
  const nodes = DEMO_CONFIG.nodes.map((node) => ({ ...node, watchdog: 'none' }));
  return { ...DEMO_CONFIG, nodes };
}

function hostOf(id: NodeId): NodeConfig {
  return {
    id,
    name: letterOf(id),
    witness: false,
    control: [`10.0.0.${id}:7001`, `10.1.0.${id}:7001`],
    replication: `10.0.0.${id}:7002`,
    watchdog: 'simulated',
  };
}

function replicaOf(node: NodeId): VolumeConfig['replicas'][number] {
  return { node, path: `/dev/${letterOf(node)}`, meta: '' };
}

function letterOf(node: NodeId): string {
  return 'abcde'[node - 1] ?? '';
}
