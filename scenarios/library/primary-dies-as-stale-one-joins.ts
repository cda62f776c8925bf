/** The primary dies as a replica joins that missed writes. */
import type { ScenarioText } from '../scenario.ts';

export const primaryDiesAsStaleOneJoins: ScenarioText = {
  name: 'primary-dies-as-stale-one-joins',
  title: 'The primary dies as a replica joins that missed writes',
  about:
    'The secondary was left out and missed writes. Its link comes back, and while the ' +
    'replicas compare themselves the primary loses power. The other one, which does not have ' +
    'everything, is not promoted: the service waits for the primary.',
  history: 20,
  duration: '40s',
  workload: { iops: 800, reads: 20 },
  faults: [
    { at: '5s', kind: 'cut', target: 'secondary', for: '3s' },
    { at: '7s', kind: 'power-off', target: 'primary', when: 'handshake', after: '0us', for: '4s' },
  ],
  sweep: { faults: [1], moves: 'after', by: '200us', steps: 30 },
};
