/** A branch is given up whose map says nothing of the other. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const branchGivenUpInFull: ScenarioText = {
  name: 'branch-given-up-in-full',
  title: 'A branch is given up whose map says nothing of the other',
  about:
    'The secondary was away, and is in step again. The primary loses power, and the disk of the ' +
    'host that takes over goes back to before all that, a little earlier or later: it leads with ' +
    'an ancestor that no map begins with. When the first host is back the branch of the younger ' +
    'primary is given up. All of it is copied, for neither map knows what differs.',
  history: 10,
  duration: '50s',
  config: demoWith({ splitBrain: 'discard-younger-primary' }),
  workload: { iops: 300, hot: 20 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', for: '1s' },
    { at: '11s', kind: 'power-off', target: 'primary', for: '13s' },
    { at: '15s', kind: 'old-disk', target: 'primary', age: '8.5s', for: '2s' },
  ],
  sweep: { faults: [2], moves: 'at', by: '20ms', steps: 24 },
};
