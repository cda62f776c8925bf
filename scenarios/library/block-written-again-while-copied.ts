/** Blocks are written again while they are copied. */
import type { ScenarioText } from '../scenario.ts';

export const blockWrittenAgainWhileCopied: ScenarioText = {
  name: 'block-written-again-while-copied',
  title: 'Blocks are written again while they are copied',
  about:
    'The secondary has been away, and is copied to while clients keep writing the same few ' +
    'blocks; then the link is lost with copies and writes under way. What was cleared on the ' +
    'word of a copy is dirty again where a write came after.',
  history: 6,
  duration: '40s',
  workload: { iops: 900, reads: 5, hot: 85, bursts: 40, flushes: 2 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '2s' },
    {
      at: '6s',
      kind: 'power-off',
      target: 'secondary',
      cache: 'none',
      when: 'resync',
      after: '500us',
      for: '1s',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '250us', steps: 40 },
};
