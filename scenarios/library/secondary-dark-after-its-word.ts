/** The secondary loses power as it says that it has flushed. */
import type { ScenarioText } from '../scenario.ts';

export const secondaryDarkAfterItsWord: ScenarioText = {
  name: 'secondary-dark-after-its-word',
  title: 'The secondary loses power as it says that it has flushed',
  about:
    'Each time the secondary says that a flush is done, its power may fail a moment later, ' +
    'and its cache with it. What the flush covered is on its disk.',
  history: 13,
  duration: '40s',
  workload: { iops: 900, reads: 10, flushes: 20 },
  faults: [
    {
      at: '6s',
      kind: 'power-off',
      target: 'secondary',
      cache: 'none',
      when: 'message',
      after: '1us',
      nth: 1,
      for: '2s',
    },
  ],
  sweep: { faults: [0], moves: 'nth', steps: 30 },
};
