/** The only host with everything is lost; the one that was left out takes over by order. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const outdatedPromotedByAcceptedLoss: ScenarioText = {
  name: 'outdated-promoted-by-accepted-loss',
  title: 'The primary is lost, and an operator accepts what the replica left out lacks',
  about:
    'The secondary loses power, the primary goes on alone, and then it is gone too. When the ' +
    'secondary is back nobody serves: it may lack what was acknowledged. An operator accepts ' +
    'that loss, and the service goes on from what it has. Then the old primary is back with ' +
    'writes that nobody else has: it is looked at once more, and filled from what goes on.',
  config: DEMO_CONFIG,
  workload: { iops: 200 },
  faults: [
    { at: '6s', kind: 'power-off', target: 'secondary', cache: 'random', for: '6s' },
    { at: '9s', kind: 'power-off', target: 'primary', cache: 'random', for: '16s' },
    { at: '17s', kind: 'take-over', target: 'b' },
  ],
};
