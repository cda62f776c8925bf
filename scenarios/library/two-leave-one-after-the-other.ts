/** A second replica is left out while another one is away already. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const twoLeaveOneAfterTheOther: ScenarioText = {
  name: 'two-leave-one-after-the-other',
  title: 'A second replica is left out while another one is away already',
  about:
    'Of three hosts c is away, and the primary goes on under a generation that c lacks. Then b ' +
    'is left out as well, c comes back and is filled, and the primary is lost. What c leads ' +
    'with is of a generation of its own again: b is not taken for one that has everything.',
  history: 3,
  config: demoHosts([1, 2, 3]),
  duration: '48s',
  workload: { iops: 400, reads: 10, flushes: 4, hot: 10, scattered: 80 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'c', cache: 'all', for: '3s' },
    { at: '6s', kind: 'cut', target: 'b', links: 'replication', for: '9s' },
    {
      at: '9s',
      kind: 'power-off',
      target: 'a',
      when: 'copied',
      cache: 'all',
      after: '400ms',
      for: '6s',
    },
  ],
  sweep: { faults: [1], moves: 'at', by: '20ms', steps: 30 },
};
