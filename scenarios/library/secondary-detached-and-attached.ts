/** A disk of the secondary is given up, and attached again. */
import type { ScenarioText } from '../scenario.ts';

export const secondaryDetachedAndAttached: ScenarioText = {
  name: 'secondary-detached-and-attached',
  title: 'A disk of the secondary is given up, and attached again',
  about:
    'The secondary’s disk fails and is given up while its host runs on. The primary writes ' +
    'where nothing was written before. The disk is attached again, and everything that it ' +
    'missed is copied.',
  history: 17,
  duration: '40s',
  workload: { iops: 900, reads: 20, hot: 0, scattered: 100 },
  faults: [
    { at: '5s', kind: 'write-error', target: 'secondary', area: 'everything', for: '300ms' },
    { at: '6s', kind: 'kill-core', target: 'secondary' },
  ],
  sweep: { faults: [0, 1], moves: 'at', by: '13ms', steps: 30 },
};
