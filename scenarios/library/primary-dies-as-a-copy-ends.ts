/** The primary dies as a copy ends. */
import type { ScenarioText } from '../scenario.ts';

export const primaryDiesAsACopyEnds: ScenarioText = {
  name: 'primary-dies-as-a-copy-ends',
  title: 'The primary dies as a copy ends',
  about:
    'The secondary was away and is copied to. About the instant at which the copy is finished ' +
    'and the log admits it, the primary loses power. Either the secondary is a member, has ' +
    'everything and takes over, or it is none and waits.',
  duration: '40s',
  workload: { iops: 700, reads: 10, flushes: 2 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '1s' },
    {
      at: '5s',
      kind: 'power-off',
      target: 'primary',
      cache: 'none',
      when: 'copied',
      after: '0us',
      for: '4s',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '120us', steps: 40 },
};
