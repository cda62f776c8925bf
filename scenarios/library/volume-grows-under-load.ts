/** A volume grows while it is served, and what is new is mirrored as all the rest. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const volumeGrowsUnderLoad: ScenarioText = {
  name: 'volume-grows-under-load',
  title: 'A volume grows while it is served',
  about:
    'Clients of the primary are shown more of what its replicas have, and write there; no core ' +
    'starts anew. Later the primary is lost, and the other one takes over with everything that ' +
    'was acknowledged, and shows as much.',
  config: demoHosts([1, 2]),
  workload: { iops: 200 },
  faults: [
    { at: '8s', kind: 'grow-volume', target: 'primary' },
    { at: '20s', kind: 'power-off', target: 'primary', cache: 'random', for: '6s' },
  ],
};
