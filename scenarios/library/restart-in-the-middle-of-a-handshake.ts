/** A host starts anew in the middle of a handshake. */
import type { ScenarioText } from '../scenario.ts';

export const restartInTheMiddleOfAHandshake: ScenarioText = {
  name: 'restart-in-the-middle-of-a-handshake',
  title: 'A host starts anew in the middle of a handshake',
  about:
    'Both hosts have lost power with different last writes. While they find out what to copy, ' +
    'the secondary’s core dies at one message after another. What only one of them knew is ' +
    'found out again; neither waits for the other for ever.',
  history: 24,
  duration: '40s',
  workload: { iops: 900, reads: 20 },
  faults: [
    { at: '5s', kind: 'power-off-hosts', for: '1s' },
    { at: '5s', kind: 'kill-core', target: 'secondary', when: 'message', after: '0us', nth: 1 },
  ],
  sweep: { faults: [1], moves: 'nth', steps: 30 },
};
