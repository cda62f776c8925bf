/** A disk answers after it was given up. */
import type { ScenarioText } from '../scenario.ts';

export const lateAnswerOfADiskGivenUp: ScenarioText = {
  name: 'late-answer-of-a-disk-given-up',
  title: 'A disk answers after it was given up',
  about:
    'The primary’s disk hangs so long that it is given up, and the other host takes over. ' +
    'Then it answers after all, with everything that it had in hand. No buffer has been used ' +
    'again before, and nothing of it reaches anybody.',
  history: 34,
  duration: '40s',
  workload: { iops: 300, reads: 40 },
  faults: [{ at: '5s', kind: 'disk-stall', target: 'primary', for: '10400ms' }],
  sweep: { faults: [0], moves: 'for', by: '20ms', steps: 24 },
};
