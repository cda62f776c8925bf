/** The next outage begins as a copy ends. */
import type { ScenarioText } from '../scenario.ts';

export const nextOutageAsACopyEnds: ScenarioText = {
  name: 'next-outage-as-a-copy-ends',
  title: 'The next outage begins as a copy ends',
  about:
    'A copy is cut short when its target loses power and its cache, the next one is finished, ' +
    'and as it counts the link is cut again. No end of one copy clears what another has still ' +
    'to do.',
  history: 33,
  duration: '40s',
  workload: { iops: 700, reads: 10, flushes: 1 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '1s' },
    {
      at: '5s',
      kind: 'power-off',
      target: 'secondary',
      cache: 'none',
      when: 'resync',
      after: '1ms',
      for: '800ms',
    },
    {
      at: '5s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      when: 'resync-end',
      after: '0us',
      for: '700ms',
    },
  ],
  sweep: { faults: [1, 2], moves: 'after', by: '600us', steps: 40 },
};
