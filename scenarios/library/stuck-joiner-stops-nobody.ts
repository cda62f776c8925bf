/** A node that joins and stands still keeps nobody else from anything. */
import { demoFive } from '../demo-many.ts';
import type { ScenarioText } from '../scenario.ts';

export const stuckJoinerStopsNobody: ScenarioText = {
  name: 'stuck-joiner-stops-nobody',
  title: 'One node of five restarts, joins, and stands still in the middle of it',
  about:
    'The core of a host that runs nothing restarts, twice, and stands still in the very ' +
    'millisecond in which it greets the others, and once more just after. No lease depends on a ' +
    'newcomer: no other host’s right ends, no watchdog bites, and both groups stay where they ' +
    'are.',
  config: demoFive(),
  workload: { iops: 100 },
  faults: [
    { at: '6s', kind: 'kill-core', target: 'e' },
    { at: '6300200us', kind: 'pause-core', target: 'e', for: '6s' },
    { at: '14s', kind: 'kill-core', target: 'e' },
    { at: '14320ms', kind: 'pause-core', target: 'e', for: '12s' },
  ],
};
