/** The primary’s core is killed twice under load. */
import type { ScenarioText } from '../scenario.ts';

export const coreKilledUnderLoad: ScenarioText = {
  name: 'core-killed-under-load',
  title: 'The primary’s core is killed twice under load',
  about:
    'The host, its disks and the application live on. The monitor starts a new core, ' +
    'which adopts the volume under a new epoch, and the other replica is brought up to ' +
    'date again.',
  workload: { iops: 400, reads: 20 },
  faults: [
    { at: '7s', kind: 'kill-core', target: 'primary' },
    { at: '16s', kind: 'kill-core', target: 'primary' },
  ],
};
