/** A disk that was put back leads before anybody misses what it lacks. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const oldDiskLeads: ScenarioText = {
  name: 'old-disk-leads',
  title: 'An old disk leads alone, and the host that has the newer data comes back',
  about:
    'The secondary is away while the primary writes; then both are in step again. The primary ' +
    'loses power, the other host takes over, and its disk is put back to before it was away: ' +
    'the only copy at hand, and old. It serves, and is written to. When the first host comes ' +
    'back, both went on from a common ancestor. The policy gives up the branch of the host that ' +
    'became primary later: its application is stopped first, then everything is copied.',
  config: demoWith({ splitBrain: 'discard-younger-primary' }),
  workload: { iops: 300, hot: 20 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', for: '2s' },
    { at: '12s', kind: 'power-off', target: 'primary', for: '14s' },
    { at: '16s', kind: 'old-disk', target: 'primary', age: '9.5s', for: '2s' },
  ],
  duration: '66s',
};
