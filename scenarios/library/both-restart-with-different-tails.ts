/** Both hosts restart with different last writes. */
import type { ScenarioText } from '../scenario.ts';

export const bothRestartWithDifferentTails: ScenarioText = {
  name: 'both-restart-with-different-tails',
  title: 'Both hosts restart with different last writes',
  about:
    'The link between the replicas is cut, and within thirty milliseconds both hosts lose ' +
    'power. Both come back with the same generation, and each may have writes that the other ' +
    'lacks: what was under way is copied, whatever the generations say, before the next one ' +
    'takes over.',
  history: 2,
  duration: '40s',
  workload: { iops: 700, reads: 10, flushes: 2, hot: 10, scattered: 100 },
  faults: [
    {
      at: '6s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '500ms',
    },
    { at: '6s', kind: 'power-off-hosts', cache: 'all', for: '2s' },
    {
      at: '8s',
      kind: 'power-off',
      target: 'primary',
      when: 'resync-end',
      after: '100ms',
      cache: 'all',
      for: '3s',
    },
  ],
  sweep: { faults: [1], moves: 'at', by: '1ms', steps: 30 },
};
