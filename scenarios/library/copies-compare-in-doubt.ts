/** Copies compare before they send, and a disk shows what it does not hold. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const copiesCompareInDoubt: ScenarioText = {
  name: 'copies-compare-in-doubt',
  title: 'What two copies show alike is on one of them only',
  about:
    'Every copy compares digests before it sends. One disk fails, then the other, which was the ' +
    'last copy; both cores start again, and the last copy leads. What it shows may be in memory ' +
    'only, so an equal digest says nothing: it is copied, and written anew here. A copy between ' +
    'hosts that never failed has most of it already, and sends little.',
  config: demoWith({ skipEqual: 'on' }),
  workload: { iops: 300 },
  faults: [
    { at: '2s', kind: 'reboot', target: 'secondary', for: '1s' },
    { at: '8s', kind: 'write-error', target: 'a', area: 'everything', for: '1s' },
    { at: '11s', kind: 'write-error', target: 'b', for: '800ms' },
    { at: '14s', kind: 'kill-core', target: 'a' },
    { at: '14500ms', kind: 'kill-core', target: 'b' },
    { at: '19s', kind: 'power-off-hosts', for: '500ms' },
  ],
};
