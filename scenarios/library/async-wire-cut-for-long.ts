/** The wire to an asynchronous replica is cut for long; it catches up under load. */
import { demoAsync } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const asyncWireCutForLong: ScenarioText = {
  name: 'async-wire-cut-for-long',
  title: 'The wire to an asynchronous replica is cut for long',
  about:
    'Clients write more meanwhile than may be under way. What the replica lacks is copied when ' +
    'the wire is back, under the same load; until the copy is finished the replica keeps its ' +
    'image of before the cut, and near the end writes wait for a moment, so that there is an end.',
  config: demoAsync(),
  workload: { iops: 300, reads: 20, scattered: 90 },
  faults: [{ at: '6s', kind: 'cut', target: 'primary', peer: 'secondary', for: '20s' }],
};
