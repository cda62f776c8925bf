/** The secondary’s disk leaves some operations undone, and does all others. */
import type { ScenarioText } from '../scenario.ts';

export const oneAnswerNeverComes: ScenarioText = {
  name: 'one-answer-never-comes',
  title: 'The disk of the secondary never ends a few operations, and does all the rest',
  about:
    'One operation in twelve hundred gets no answer on the secondary, all others get theirs. ' +
    'Each keeps a client waiting, or, where others wait for the same block, all of them. After ' +
    'the time that a disk may take, or sooner when nothing comes any more, the primary gives the ' +
    'link up and goes on alone. The secondary finds its own disk wanting as well, and is filled ' +
    'again when its core starts anew.',
  workload: { iops: 300, hot: 0, flushes: 1 },
  faults: [{ at: '6s', kind: 'disk-stall', target: 'secondary', ppm: 800, for: '20s' }],
};
