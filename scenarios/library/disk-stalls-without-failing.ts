/** A disk stalls, and never says that anything is wrong. */
import type { ScenarioText } from '../scenario.ts';

export const diskStallsWithoutFailing: ScenarioText = {
  name: 'disk-stalls-without-failing',
  title: 'The disk of the secondary, then of the primary, stalls and fails nothing',
  about:
    'First nothing ends on the secondary for six seconds: the primary leaves it out and goes ' +
    'on alone, what ends late is answered to nobody, and the secondary is filled again. Then ' +
    'the primary’s own disk stalls for two seconds: its clients wait, and every request is ' +
    'answered when it is over.',
  workload: { iops: 300 },
  faults: [
    { at: '6s', kind: 'disk-stall', target: 'secondary', for: '6s' },
    { at: '22s', kind: 'disk-stall', target: 'primary', for: '2s' },
  ],
};
