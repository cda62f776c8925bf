/** Writes on the primary’s disk fail. */
import type { ScenarioText } from '../scenario.ts';

export const diskFailsUnderLoad: ScenarioText = {
  name: 'disk-fails-under-load',
  title: 'The primary’s disk fails under load',
  about:
    'A write fails, and the replica is given up at once: nothing that only it was asked to ' +
    'keep is acknowledged. The other host takes over. When somebody has mended the disk and ' +
    'started the core again, the replica is filled and is a member as before.',
  workload: { iops: 300 },
  faults: [{ at: '8s', kind: 'write-error', target: 'primary', for: '3s' }],
};
