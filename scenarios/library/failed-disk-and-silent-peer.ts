/** The primary’s disk fails while the other host is silent, and its core forgets nothing. */
import type { ScenarioText } from '../scenario.ts';

export const failedDiskAndSilentPeer: ScenarioText = {
  name: 'failed-disk-and-silent-peer',
  title: 'The primary’s disk fails while the other host is silent',
  about:
    'The other host is cut off and still has everything. Now the primary’s disk fails, takes no ' +
    'word about it, and may have lost its cache; then its core starts again and finds a disk ' +
    'that works. It must not go on alone with what is left: the service waits for the other ' +
    'host, which takes over, and copies back.',
  workload: { iops: 300 },
  faults: [
    { at: '8s', kind: 'cut', target: 'secondary', for: '10s' },
    { at: '8001ms', kind: 'write-error', target: 'primary', for: '2s', area: 'everything' },
    { at: '10500ms', kind: 'kill-core', target: 'primary' },
  ],
};
