/** A volume grows while it is served, and what is new is mirrored as all the rest. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const volumeGrowsUnderLoad: ScenarioText = {
  name: 'volume-grows-under-load',
  title: 'A volume grows while it is served',
  about:
    'The primary starts its core anew with a larger replica, and writes to what is new; then the ' +
    'other one does, and is given that. Later the primary is lost, and the other one takes over ' +
    'with everything that was acknowledged.',
  config: demoHosts([1, 2]),
  workload: { iops: 200 },
  faults: [
    { at: '8s', kind: 'grow-volume', target: 'primary' },
    { at: '20s', kind: 'power-off', target: 'primary', cache: 'random', for: '6s' },
  ],
};
