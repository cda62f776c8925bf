/** The source of a resync cannot read some of what it is to copy. */
import type { ScenarioText } from '../scenario.ts';

export const badSectorsOnTheSource: ScenarioText = {
  name: 'bad-sectors-on-the-source',
  title: 'The source of a resync cannot read some of what it is to copy',
  about:
    'The secondary is away for a while, and when it is back, sectors of the primary’s disk have ' +
    'gone bad among those that only the primary has. Everything else is copied. The resync waits ' +
    'for the rest, and ends when it can be read again.',
  workload: { iops: 400, reads: 30, hot: 20 },
  faults: [
    { at: '7s', kind: 'power-off', target: 'secondary', for: '6s', cache: 'random' },
    { at: '9s', kind: 'read-error', target: 'primary', for: '16s' },
    { at: '10s', kind: 'read-error', target: 'primary', for: '16s' },
    { at: '11s', kind: 'read-error', target: 'primary', for: '16s' },
  ],
};
