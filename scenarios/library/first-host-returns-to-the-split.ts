/** The host that lost its service in a split is back, and the split still stands. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const firstHostReturnsToTheSplit: ScenarioText = {
  name: 'first-host-returns-to-the-split',
  title: 'The network splits, the primary restarts, and is back while the other one serves',
  about:
    'The hosts do not hear each other, both hear the witness. The first one loses power before ' +
    'it could leave the other one out, so that one takes over, with the witness. Then the first ' +
    'is back, in the split still: the witness stays with whoever serves, and nothing moves back.',
  config: DEMO_CONFIG,
  workload: { iops: 200 },
  duration: '70s',
  faults: [
    { at: '6s', kind: 'cut', target: 'a', peer: 'b', for: '34s' },
    { at: '6050ms', kind: 'power-off', target: 'a', cache: 'random', for: '12s' },
  ],
};
