/** Parts of blocks are trimmed while they are copied. */
import type { ScenarioText } from '../scenario.ts';

export const partsOfBlocksAreTrimmed: ScenarioText = {
  name: 'parts-of-blocks-are-trimmed',
  title: 'Parts of blocks are trimmed while they are copied',
  about:
    'Most of what clients write is zeroes, trims among them, and much of it covers blocks in ' +
    'part only. The secondary was away and is copied to meanwhile; when that is done the ' +
    'primary loses power and the other one takes over. What was trimmed reads as zeroes ' +
    'there, to the sector, and nothing else does.',
  history: 36,
  duration: '40s',
  workload: { iops: 800, reads: 20, hot: 0, scattered: 100, flushes: 1, zeroes: 70, bursts: 50 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'none', for: '2s' },
    {
      at: '5s',
      kind: 'power-off',
      target: 'primary',
      cache: 'all',
      when: 'resync-end',
      after: '9ms',
      for: '2s',
    },
  ],
  sweep: { faults: [0], moves: 'for', by: '17ms', steps: 30 },
};
