/** A write from before a copy is under way when it ends. */
import type { ScenarioText } from '../scenario.ts';

export const oldWriteUnderWayAsACopyEnds: ScenarioText = {
  name: 'old-write-under-way-as-a-copy-ends',
  title: 'A write from before a copy is under way when it ends',
  about:
    'The secondary was away for a moment, so there is little to copy. The primary’s disk ' +
    'hangs while the copy begins: writes that came before it end in the middle of it, or ' +
    'after. The copy waits for them, block by block.',
  history: 7,
  duration: '40s',
  workload: { iops: 900, reads: 5, hot: 80, bursts: 40, flushes: 1 },
  faults: [
    { at: '5s', kind: 'kill-core', target: 'secondary' },
    {
      at: '5050ms',
      kind: 'disk-stall',
      target: 'primary',
      when: 'handshake',
      after: '0us',
      for: '20ms',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '100us', steps: 30 },
};
