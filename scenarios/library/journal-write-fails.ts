/** A write of the journal fails, and data waits for it. */
import type { ScenarioText } from '../scenario.ts';

export const journalWriteFails: ScenarioText = {
  name: 'journal-write-fails',
  title: 'A write of the journal fails, and data waits for it',
  about:
    'Clients write all over the volume, so that extents become hot all the time, and one ' +
    'write of metadata on the primary’s disk fails. The data that waited for it is not ' +
    'written. The disk is given up, the other host takes over, and the disk comes back later.',
  history: 26,
  duration: '40s',
  workload: { iops: 900, reads: 10, hot: 0, scattered: 100 },
  faults: [
    {
      at: '6s',
      kind: 'write-error',
      target: 'primary',
      area: 'metadata',
      when: 'meta-write',
      after: '0us',
      nth: 1,
      for: '1us',
    },
    { at: '11s', kind: 'kill-core', target: 'primary' },
  ],
  sweep: { faults: [0], moves: 'nth', steps: 30 },
};
