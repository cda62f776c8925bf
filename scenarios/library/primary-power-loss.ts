/** The primary loses power under load. */
import type { ScenarioText } from '../scenario.ts';

export const primaryPowerLoss: ScenarioText = {
  name: 'primary-power-loss',
  title: 'The primary loses power under load',
  about:
    'Four hundred requests a second, many in flight, and the power goes; of the volatile ' +
    'cache any subset of sectors survives. Everything that was acknowledged is on the ' +
    'other host.',
  workload: { iops: 400, reads: 20 },
  faults: [{ at: '9s', kind: 'power-off', target: 'primary', cache: 'random', for: '10s' }],
};
