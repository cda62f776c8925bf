/** A part of a read cannot be read, on either disk. */
import type { ScenarioText } from '../scenario.ts';

export const partOfAReadFails: ScenarioText = {
  name: 'part-of-a-read-fails',
  title: 'A part of a read cannot be read, on either disk',
  about:
    'A few sectors go bad on both disks in the same places. A read that meets one of them, ' +
    'whatever else it reads, is answered with an error or with the right bytes, never with ' +
    'what was left in the buffer.',
  history: 14,
  duration: '40s',
  workload: { iops: 700, reads: 60, hot: 60 },
  faults: [
    { at: '6s', kind: 'read-error', target: 'primary', peer: 'secondary', for: '6s' },
    { at: '7s', kind: 'read-error', target: 'primary', for: '5s' },
  ],
  sweep: { faults: [0, 1], moves: 'at', by: '20ms', steps: 20 },
};
