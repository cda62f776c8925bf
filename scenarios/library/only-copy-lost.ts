/** The only copy is lost while the primary without a disk is served through it. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const onlyCopyLost: ScenarioText = {
  name: 'only-copy-lost',
  title: 'The only copy is lost while everything is served through it',
  about:
    'The primary’s disk failed, and it is served through the other copy. Now that host is cut ' +
    'off, and later loses power. Nobody may lead without what it has: requests wait until it is ' +
    'back, and then it leads itself.',
  config: demoWith({ onDiskFailure: 'proxy' }),
  workload: { iops: 300 },
  faults: [
    { at: '8s', kind: 'write-error', target: 'primary', for: '20s' },
    { at: '11s', kind: 'cut', target: 'secondary', for: '4s' },
    { at: '13s', kind: 'reboot', target: 'secondary', for: '3s' },
  ],
};
