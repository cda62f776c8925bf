/** The same sectors go bad on both disks. */
import type { ScenarioText } from '../scenario.ts';

export const bothCopiesBad: ScenarioText = {
  name: 'both-copies-bad',
  title: 'The same sectors go bad on both disks',
  about:
    'There is no good copy left of a few sectors. Reads of them fail, one by one, until a client ' +
    'writes them again; nothing is guessed, no replica is given up, and every other request is ' +
    'served as if nothing had happened.',
  workload: { iops: 400, reads: 70, hot: 80 },
  faults: [
    { at: '7s', kind: 'read-error', target: 'primary', peer: 'secondary' },
    { at: '13s', kind: 'read-error', target: 'primary', peer: 'secondary' },
    { at: '19s', kind: 'read-error', target: 'primary', peer: 'secondary' },
    { at: '25s', kind: 'read-error', target: 'primary', peer: 'secondary' },
  ],
};
