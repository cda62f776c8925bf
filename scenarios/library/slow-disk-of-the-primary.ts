/** The primary’s disk answers nothing for half a minute, and its host is well. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const slowDiskOfThePrimary: ScenarioText = {
  name: 'slow-disk-of-the-primary',
  title: 'Every heartbeat is there, and the primary’s disk answers nothing for half a minute',
  about:
    'No node is dead, and clients wait all the same. The time that a disk may take is over after ' +
    'ten seconds: the primary gives its own disk up, and the group moves, once, to the host ' +
    'whose disk answers. Nothing moves back when the disk goes on.',
  config: DEMO_CONFIG,
  workload: { iops: 100 },
  duration: '80s',
  faults: [{ at: '6s', kind: 'disk-stall', target: 'a', for: '30s' }],
};
