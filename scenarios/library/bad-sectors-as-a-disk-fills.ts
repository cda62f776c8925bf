/** Sectors go bad while a disk that came back is filled. */
import type { ScenarioText } from '../scenario.ts';

export const badSectorsAsADiskFills: ScenarioText = {
  name: 'bad-sectors-as-a-disk-fills',
  title: 'Sectors go bad while a disk that came back is filled',
  about:
    'The secondary’s disk fails, is away for seconds, and is attached again: much has to be ' +
    'copied to it. Meanwhile the primary cannot read some of its sectors. It asks the other ' +
    'host for none that is not copied yet: what is there is old.',
  history: 18,
  duration: '40s',
  workload: { iops: 900, reads: 55, hot: 10, scattered: 90, flushes: 2 },
  faults: [
    { at: '5s', kind: 'write-error', target: 'secondary', area: 'everything', for: '300ms' },
    { at: '6s', kind: 'read-error', target: 'primary', for: '9s' },
    { at: '7s', kind: 'read-error', target: 'primary', for: '8s' },
    { at: '8s', kind: 'read-error', target: 'primary', for: '7s' },
    { at: '10s', kind: 'kill-core', target: 'secondary' },
  ],
  sweep: { faults: [4], moves: 'at', by: '17ms', steps: 24 },
};
