/**
 * Configurations of three hosts without a witness: one volume of three replicas, and three
 * volumes of two, crossed, each between another two of the hosts.
 */
import type { ClusterConfig, NodeConfig, VolumeConfig } from '../../engine/core/config.ts';
import { DEMO_CONFIG, demoHosts } from '../../scenarios/demo.ts';

const NAMES = ['a', 'b', 'c'] as const;

const NODES: readonly NodeConfig[] = NAMES.map((name, index) => {
  const id = index + 1;
  return {
    id,
    name,
    witness: false,
    control: [`10.0.0.${id}:7001`, `10.1.0.${id}:7001`],
    replication: `10.0.0.${id}:7002`,
    watchdog: 'simulated',
  };
});

const [VOLUME] = DEMO_CONFIG.volumes as [VolumeConfig];
const [GROUP] = DEMO_CONFIG.groups as [ClusterConfig['groups'][number]];

function on(nodes: readonly number[]): VolumeConfig['replicas'] {
  return nodes.map((node) => ({ node, path: `/dev/${NAMES[node - 1]}`, meta: '' }));
}

/** Nodes a, b and c, each with a replica of the one volume. */
export const TRIO_CONFIG: ClusterConfig = {
  ...DEMO_CONFIG,
  name: 'trio',
  nodes: NODES,
  volumes: [{ ...VOLUME, replicas: on([1, 2, 3]) }],
  groups: [{ ...GROUP, nodes: [1, 2, 3] }],
};

/** The demonstration's volume on two of three hosts, and on all of them. */
export const TWO_OF_THREE: ClusterConfig = demoHosts([1, 2]);
export const THREE_OF_THREE: ClusterConfig = demoHosts([1, 2, 3]);

/** Crossed pairs: `data` on a and b, `logs` on b and c, `mail` on c and a. */
export const CROSSED_CONFIG: ClusterConfig = {
  ...DEMO_CONFIG,
  name: 'crossed',
  nodes: NODES,
  volumes: [
    { ...VOLUME, replicas: on([1, 2]) },
    { ...VOLUME, ...volume('logs', 2), replicas: crossing('logs', [2, 3]) },
    { ...VOLUME, ...volume('mail', 3), replicas: crossing('mail', [3, 1]) },
  ],
  groups: [
    { ...GROUP, nodes: [1, 2] },
    { ...GROUP, name: 'audit', volume: 'logs', nodes: [2, 3] },
    { ...GROUP, name: 'post', volume: 'mail', nodes: [3, 1] },
  ],
};

function volume(name: string, number: number): Pick<VolumeConfig, 'name' | 'uuid'> {
  return { name, uuid: `${VOLUME.uuid.slice(0, -1)}${number}` };
}

function crossing(name: string, nodes: readonly number[]): VolumeConfig['replicas'] {
  return on(nodes).map((replica) => ({ ...replica, path: `${replica.path}-${name}` }));
}
