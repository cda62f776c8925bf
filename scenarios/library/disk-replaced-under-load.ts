/** A replica moves to an empty disk while the volume is served, and is worth as much as before. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const diskReplacedUnderLoad: ScenarioText = {
  name: 'disk-replaced-under-load',
  title: 'A replica moves to another disk while the volume is served',
  about:
    'Host b leaves the in-sync set by an entry of the log, starts its core anew on an empty ' +
    'disk, and is filled. The core of the primary dies in the middle of that. Later the ' +
    'primary is lost, and b takes over with everything that was acknowledged.',
  config: demoHosts([1, 2]),
  workload: { iops: 200 },
  faults: [
    { at: '8s', kind: 'replace-replica', target: 'b' },
    { at: '8600ms', kind: 'kill-core', target: 'primary' },
    { at: '20s', kind: 'power-off', target: 'primary', cache: 'random', for: '6s' },
  ],
};
