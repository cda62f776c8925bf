/** The configuration is changed on both sides of a cut. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const editsOfAMinority: ScenarioText = {
  name: 'edits-of-a-minority',
  title: 'A node that is cut off takes an order to change the configuration, the others another',
  about:
    'Whoever leads the log is cut off, does not know it yet, and is told to grow the volume. ' +
    'The others choose a new leader, and agree on another change. When the network is mended, ' +
    'what the first one wrote down alone is dropped: no node ever uses it, and all use what was ' +
    'agreed on.',
  config: demoHosts([1, 2]),
  workload: { iops: 100 },
  faults: [
    { at: '6s', kind: 'cut', target: 'leader', for: '16s' },
    { at: '6001ms', kind: 'grow-volume' },
    { at: '14s', kind: 'add-replica', target: 'c' },
  ],
};
