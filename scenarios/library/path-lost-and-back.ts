/** The path to the primary’s disk is lost, and comes back. */
import type { ScenarioText } from '../scenario.ts';

export const pathLostAndBack: ScenarioText = {
  name: 'path-lost-and-back',
  title: 'The path to a disk is lost, and comes back',
  about:
    'The array, or what leads to it, is away for a while: nothing can be read or written. The ' +
    'replica is given up and the other host takes over. Nobody mends anything: its host starts ' +
    'its core anew until the disk can be read, trusts it no more than after a loss of power, and ' +
    'is filled with what it missed.',
  workload: { iops: 200 },
  faults: [{ at: '8s', kind: 'path-loss', target: 'primary', for: '20s' }],
};
