/** The primary of a synchronous pair loses power; an asynchronous third follows the new one. */
import { demoThird } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const asyncThirdFollowsNewPrimary: ScenarioText = {
  name: 'async-third-follows-new-primary',
  title: 'The primary of a pair loses power, and an asynchronous third goes on with the other',
  about:
    'Hosts a and b are a synchronous pair; host c has an asynchronous replica. The primary loses ' +
    'power and the other member takes over as ever. It knows what host c may not have, so that ' +
    'only this is copied, and not everything; host c keeps its last image meanwhile.',
  config: demoThird(),
  workload: { iops: 200, reads: 20 },
  faults: [{ at: '9s', kind: 'power-off', target: 'primary', cache: 'random', for: '14s' }],
};
