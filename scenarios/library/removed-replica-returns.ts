/** A host comes back that holds a replica by its own account, and by nobody else’s. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const removedReplicaReturns: ScenarioText = {
  name: 'removed-replica-returns',
  title: 'A replica is removed while its host is away, and comes back with the old configuration',
  about:
    'Host b is off when its replica is taken out of the volume. It returns with the ' +
    'configuration and the data that it had: nobody links with it, and it takes no part. Then ' +
    'the primary is lost, and c takes over, not b.',
  config: demoHosts([1, 2, 3]),
  workload: { iops: 200 },
  faults: [
    { at: '6s', kind: 'power-off', target: 'b', cache: 'random', for: '12s' },
    { at: '9s', kind: 'remove-replica', target: 'b' },
    { at: '24s', kind: 'power-off', target: 'primary', cache: 'none', for: '6s' },
  ],
};
