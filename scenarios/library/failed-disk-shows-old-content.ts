/** A disk that failed under a service that stayed comes back with what it had then. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const failedDiskShowsOldContent: ScenarioText = {
  name: 'failed-disk-shows-old-content',
  title: 'A disk that failed comes back with old content',
  about:
    'The path to the primary’s disk is lost, and the volume is served through the other copy for ' +
    'seconds, which keeps no hot set for that. Then the host loses power, and its disk is there ' +
    'again, whole and old. All of it is copied: nothing tells which blocks differ.',
  config: demoWith({ onDiskFailure: 'proxy' }),
  workload: { iops: 300 },
  faults: [
    { at: '8s', kind: 'path-loss', target: 'primary', for: '4s' },
    { at: '20s', kind: 'reboot', target: 'primary', for: '2s' },
  ],
};
