/** A third host gets a replica while the volume is served. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const replicaAddedUnderLoad: ScenarioText = {
  name: 'replica-added-under-load',
  title: 'A third host gets a replica while the volume is served, and loses power half-way',
  about:
    'The cluster agrees that host c holds a replica too. Who serves starts its core anew, the ' +
    'others follow, and c is filled. It loses power half-way and is filled again. Then the ' +
    'primary is lost: of the two that are left one takes over, and everything that was ' +
    'acknowledged is there.',
  config: demoHosts([1, 2]),
  workload: { iops: 200 },
  faults: [
    { at: '8s', kind: 'add-replica', target: 'c' },
    { at: '9250ms', kind: 'power-off', target: 'c', cache: 'random', for: '2s' },
    { at: '20s', kind: 'power-off', target: 'primary', cache: 'random', for: '6s' },
  ],
};
