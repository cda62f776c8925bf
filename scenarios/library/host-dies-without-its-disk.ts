/** A primary whose disk failed loses power, and the copy that it was served through takes over. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const hostDiesWithoutItsDisk: ScenarioText = {
  name: 'host-dies-without-its-disk',
  title: 'A primary without a disk loses power',
  about:
    'The primary’s disk failed, and it is served through the other copy, which has everything: ' +
    'so it takes over at once when the host dies, like any member. What was flushed is on its ' +
    'disk, whatever the dead host comes back with.',
  config: demoWith({ onDiskFailure: 'proxy' }),
  workload: { iops: 300 },
  faults: [
    { at: '8s', kind: 'write-error', target: 'primary', for: '5s' },
    { at: '12s', kind: 'power-off', target: 'primary', for: '6s' },
  ],
};
