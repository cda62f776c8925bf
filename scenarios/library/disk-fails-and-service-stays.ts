/** The primary’s disk fails, and the volume is served through the other copy. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const diskFailsAndServiceStays: ScenarioText = {
  name: 'disk-fails-and-service-stays',
  title: 'The primary’s disk fails, and the service stays',
  about:
    'A write fails on the host that serves. The log leaves its replica out and keeps it as the ' +
    'primary: every read and write goes to the other copy from then on, and the application ' +
    'notices nothing. When somebody has replaced the disk and started the core again, the group ' +
    'moves to the copy that has everything, and the new disk is filled.',
  config: demoWith({ onDiskFailure: 'proxy' }),
  workload: { iops: 300 },
  faults: [
    { at: '7500ms', kind: 'verify', target: 'primary' },
    { at: '8s', kind: 'write-error', target: 'primary', for: '20s' },
  ],
};
