/** A host loses power, and its disk comes back as it was some seconds before. */
import type { ScenarioText } from '../scenario.ts';

export const diskReturnsWithOldContent: ScenarioText = {
  name: 'disk-returns-with-old-content',
  title: 'The secondary returns with the disk of three seconds before',
  about:
    'Somebody restored a snapshot, data and metadata together. What the primary wrote alone is ' +
    'copied; what both had and the snapshot does not is named by no map. Nobody notices, the ' +
    'replica is taken for equal, and after a switchover reads return old data: seen by the ' +
    'world alone.',
  workload: { iops: 300, hot: 20 },
  faults: [
    { at: '9s', kind: 'old-disk', target: 'secondary', age: '3s', for: '3s' },
    { at: '22s', kind: 'switch', target: 'secondary' },
  ],
};
