/** The only host with everything is lost; the asynchronous replica takes over by order. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

const SIDE = 16 * 1024 * 1024;

export const promotedByAcceptedLoss: ScenarioText = {
  name: 'promoted-by-accepted-loss',
  title: 'The primary is lost, and an operator accepts what its asynchronous replica lacks',
  about:
    'Nobody who is in sync is heard any more, so nobody may take over. An operator accepts the ' +
    'loss: the service goes on from the last image of the far replica. Then the old primary is ' +
    'back with writes that nobody else has. It is looked at once more, filled from what goes on, ' +
    'and the service is moved back: the far replica is asynchronous again.',
  config: demoWith({
    replicas: [
      { node: 1, path: '/dev/vg0/data', meta: '', sideBytes: SIDE },
      { node: 2, path: '/dev/vg0/data', meta: '', sideBytes: SIDE, mode: 'async' },
    ],
    lag: { bytes: 4 * 1024 * 1024, pointEvery: 300_000 },
  }),
  workload: { iops: 200 },
  faults: [
    { at: '10s', kind: 'power-off', target: 'primary', cache: 'random', for: '14s' },
    { at: '15s', kind: 'return', target: 'b' },
    { at: '17s', kind: 'take-over', target: 'b' },
    { at: '33s', kind: 'switch', target: 'a' },
  ],
};
