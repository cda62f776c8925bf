/** Loss is accepted for a replica that was left out, as the other one returns. */
import type { ScenarioText } from '../scenario.ts';

export const lossAcceptedAsTheOtherReturns: ScenarioText = {
  name: 'loss-accepted-as-the-other-returns',
  title: 'Loss is accepted for one replica just as the other one returns',
  about:
    'The secondary was left out, the primary is lost, and an operator accepts the loss. In the ' +
    'same second the old primary is back. Both come to the same end: either the order is ' +
    'refused and nothing is lost, or one branch goes on and the other is filled from it.',
  history: 23,
  duration: '44s',
  workload: { iops: 300, reads: 10, flushes: 4 },
  faults: [
    { at: '6s', kind: 'power-off', target: 'secondary', cache: 'all', for: '6s' },
    { at: '8s', kind: 'power-off', target: 'primary', cache: 'all', for: '9s' },
    { at: '14s', kind: 'take-over', target: 'b' },
  ],
  sweep: { faults: [2], moves: 'at', by: '110ms', steps: 30 },
};
