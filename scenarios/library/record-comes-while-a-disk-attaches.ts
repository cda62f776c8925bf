/** A record comes while a replica still reads its metadata. */
import type { ScenarioText } from '../scenario.ts';

export const recordComesWhileADiskAttaches: ScenarioText = {
  name: 'record-comes-while-a-disk-attaches',
  title: 'A record comes while a replica still reads its metadata',
  about:
    'The secondary’s core starts anew, and its disk hangs while the metadata is read, ' +
    'Meanwhile the link comes up and the log leaves the secondary out. It says what it has ' +
    'when it knows, and misses nothing.',
  history: 31,
  duration: '40s',
  workload: { iops: 900, reads: 20 },
  faults: [
    { at: '5s', kind: 'kill-core', target: 'secondary' },
    {
      at: '5s',
      kind: 'disk-stall',
      target: 'secondary',
      when: 'attach',
      after: '0us',
      for: '1500ms',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '40us', steps: 30 },
};
