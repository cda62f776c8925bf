/** Sectors of the primary’s disk go bad under load. */
import type { ScenarioText } from '../scenario.ts';

export const badSectorsUnderLoad: ScenarioText = {
  name: 'bad-sectors-under-load',
  title: 'Sectors of the primary’s disk go bad under load',
  about:
    'Four times a few sectors cannot be read any more, and for some seconds one read in fifty ' +
    'fails for once. The other replica serves what the disk does not give, the blocks are ' +
    'written again and read back, and no client waits or sees an error.',
  workload: { iops: 400, reads: 60, hot: 80 },
  faults: [
    { at: '7s', kind: 'read-error', target: 'primary' },
    { at: '12s', kind: 'read-error', target: 'primary' },
    { at: '17s', kind: 'read-error', target: 'primary' },
    { at: '22s', kind: 'read-error', target: 'primary' },
    { at: '25s', kind: 'read-error', target: 'primary', ppm: 20_000, for: '5s' },
  ],
};
