/** Writes wait for an asynchronous replica that may lack no more. */
import { demoAsync } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const asyncLagHoldsWrites: ScenarioText = {
  name: 'async-lag-holds-writes',
  title: 'An asynchronous replica is as far behind as it may be, and writes wait',
  about:
    'The configuration says that writes wait rather than let the replica fall behind further ' +
    '(lag.atLimit: wait). Its disk stands still for a while: the primary has to hold writes back ' +
    'until the replica is a later image, nothing is let go, and nothing has to be copied.',
  config: demoAsync({ atLimit: 'wait' }),
  workload: { iops: 250, reads: 20, hot: 10 },
  faults: [{ at: '9s', kind: 'disk-stall', target: 'secondary', ppm: 1_000_000, for: '1500ms' }],
};
