/** Who serves loses power in the middle of a change, and the other one has not begun it. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const ownerDiesAsItChanges: ScenarioText = {
  name: 'owner-dies-as-it-changes',
  title: 'Who serves loses power as it takes a change into use, before the other one has begun',
  about:
    'The metadata of the primary are laid out anew for three replicas, and its host loses ' +
    'power: the other host, which is as it was before, takes over. It takes the change into ' +
    'use, finds its way to the third one, and what comes back from the dead one is filled.',
  config: demoHosts([1, 2]),
  workload: { iops: 200 },
  faults: [
    { at: '8s', kind: 'add-replica', target: 'c' },
    { at: '8350ms', kind: 'power-off', target: 'primary', cache: 'none', for: '9s' },
  ],
};
