/** A write makes a new generation as the peer connects. */
import type { ScenarioText } from '../scenario.ts';

export const writeAsThePeerConnects: ScenarioText = {
  name: 'write-as-the-peer-connects',
  title: 'A write makes a new generation as the peer connects',
  about:
    'The secondary’s core dies while the primary cannot reach the log, which leaves it out ' +
    'only when it is back: in the milliseconds in which its link comes up. The generation ' +
    'changes in the middle of a handshake, and both sides know the same one afterwards.',
  history: 38,
  duration: '40s',
  workload: { iops: 900, reads: 5, flushes: 2 },
  faults: [
    { at: '5500ms', kind: 'cut', target: 'primary', links: 'control', for: '340ms' },
    { at: '5510ms', kind: 'kill-core', target: 'secondary' },
  ],
  sweep: { faults: [0], moves: 'for', by: '3ms', steps: 40 },
};
