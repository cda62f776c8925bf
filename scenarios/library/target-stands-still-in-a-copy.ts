/** The target of a copy stands still, and writes go on. */
import type { ScenarioText } from '../scenario.ts';

export const targetStandsStillInACopy: ScenarioText = {
  name: 'target-stands-still-in-a-copy',
  title: 'The target of a copy stands still, and writes go on',
  about:
    'A copy is under way when the target’s disk stops answering. Nothing passes for some ' +
    'seconds, until the link is given up; the writes that were on their way count as missing, ' +
    'and the copy begins again.',
  history: 11,
  duration: '40s',
  workload: { iops: 700, reads: 10, flushes: 1 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '1s' },
    {
      at: '5s',
      kind: 'disk-stall',
      target: 'secondary',
      when: 'resync',
      after: '500us',
      for: '5s',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '400us', steps: 30 },
};
