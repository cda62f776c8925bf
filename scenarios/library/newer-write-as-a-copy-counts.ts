/** A newer write is under way when a copy is to count. */
import type { ScenarioText } from '../scenario.ts';

export const newerWriteAsACopyCounts: ScenarioText = {
  name: 'newer-write-as-a-copy-counts',
  title: 'A newer write is under way when a copy is to count',
  about:
    'The target of a copy says that it has everything, and the log is asked to make it a ' +
    'member; in that moment the link is lost with a newer write under way. The write is not ' +
    'answered before the target has it, or has been left out again.',
  history: 15,
  duration: '40s',
  workload: { iops: 900, reads: 5, flushes: 2, bursts: 20 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '1s' },
    { at: '5s', kind: 'kill-core', target: 'secondary', when: 'copied', after: '0us' },
  ],
  sweep: { faults: [1], moves: 'after', by: '40us', steps: 40 },
};
