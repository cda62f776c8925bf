/** A disk comes back as it was before an outage that is over. */
import type { ScenarioText } from '../scenario.ts';

export const diskFromBeforeAnOutage: ScenarioText = {
  name: 'disk-from-before-an-outage',
  title: 'A disk comes back as it was before an outage that is over',
  about:
    'The secondary was away, and everything that it missed was copied: nothing is noted as ' +
    'missing any more. Then its disk comes back as it was before. Its generation is older ' +
    'than the one that the notes begin with, so that they say nothing about it: all of it is ' +
    'copied, before the primary goes and it is promoted.',
  history: 8,
  duration: '40s',
  workload: { iops: 300 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '1s' },
    { at: '10s', kind: 'old-disk', target: 'secondary', cache: 'all', age: '8s', for: '500ms' },
    {
      at: '10500ms',
      kind: 'power-off',
      target: 'primary',
      cache: 'all',
      when: 'resync-end',
      after: '300ms',
      for: '2s',
    },
  ],
  sweep: { faults: [1], moves: 'at', by: '20ms', steps: 24 },
};
