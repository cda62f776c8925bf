/** The primary dies with the survivors different, and one of them takes over. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const survivorsDifferAsOneTakesOver: ScenarioText = {
  name: 'survivors-differ-as-one-takes-over',
  title: 'The primary dies when one survivor has writes that the other lacks',
  about:
    'Of three hosts one is cut off from the primary, which loses power some milliseconds later: ' +
    'the other survivor has what was written meanwhile. Whoever takes over makes both equal ' +
    'before it counts them as such.',
  history: 32,
  config: demoHosts([1, 2, 3]),
  duration: '40s',
  workload: { iops: 900, reads: 10, flushes: 2, hot: 10, scattered: 80 },
  faults: [
    { at: '6s', kind: 'cut', target: 'a', peer: 'b', links: 'replication', for: '3s' },
    { at: '6s', kind: 'power-off', target: 'a', cache: 'none', for: '8s' },
    { at: '16s', kind: 'power-off', target: 'primary', cache: 'all', for: '4s' },
  ],
  sweep: { faults: [1], moves: 'at', by: '500us', steps: 30 },
};
