/** A host reboots faster than anybody misses it. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const rebootFasterThanSuspicion: ScenarioText = {
  name: 'reboot-faster-than-suspicion',
  title: 'The primary reboots within a second, and nobody has missed it',
  about:
    'No silence was long enough to be noticed, and all the same everything that ran is gone. ' +
    'The number of its boot says so: the group is neither left without anybody nor run twice.',
  config: DEMO_CONFIG,
  workload: { iops: 200 },
  faults: [{ at: '6050ms', kind: 'reboot', target: 'a', cache: 'random', for: '10ms' }],
};
