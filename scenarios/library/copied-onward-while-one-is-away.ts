/** What is copied to one is copied onward to one that was away meanwhile. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const copiedOnwardWhileOneIsAway: ScenarioText = {
  name: 'copied-onward-while-one-is-away',
  title: 'The target of a copy leads, and copies to one that was away meanwhile',
  about:
    'Of three hosts b and c are away and miss writes and zeroes. Host b is back and is filled; ' +
    'as that copy ends the primary is lost, and b leads. Host c comes back to it: everything ' +
    'that b was copied is noted there as different from c as well, zeroes included.',
  history: 5,
  config: demoHosts([1, 2, 3]),
  duration: '48s',
  workload: { iops: 400, reads: 10, zeroes: 40, flushes: 4, hot: 10, scattered: 80 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'c', cache: 'all', for: '15s' },
    { at: '6s', kind: 'cut', target: 'b', links: 'replication', for: '2s' },
    {
      at: '7s',
      kind: 'power-off',
      target: 'a',
      when: 'copied',
      cache: 'all',
      after: '0us',
      for: '14s',
    },
  ],
  sweep: { faults: [2], moves: 'after', by: '4ms', steps: 30 },
};
