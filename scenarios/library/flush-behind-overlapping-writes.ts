/** A flush comes behind writes that overlap. */
import type { ScenarioText } from '../scenario.ts';

export const flushBehindOverlappingWrites: ScenarioText = {
  name: 'flush-behind-overlapping-writes',
  title: 'A flush comes behind writes that overlap',
  about:
    'Clients write across what is being written and across what is being copied, and ask for ' +
    'a flush behind it; then the secondary loses power with all that was only in its cache. ' +
    'Each flush that was answered holds on both disks.',
  history: 12,
  duration: '40s',
  workload: { iops: 700, reads: 5, hot: 85, bursts: 70, flushes: 15 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'none', for: '1s' },
    {
      at: '5s',
      kind: 'power-off',
      target: 'secondary',
      cache: 'none',
      when: 'resync',
      after: '1ms',
      for: '1s',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '700us', steps: 30 },
};
