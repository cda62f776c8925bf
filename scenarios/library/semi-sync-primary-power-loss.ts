/** A semi-synchronous primary loses power while the other host has not written all it received. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const semiSyncPrimaryPowerLoss: ScenarioText = {
  name: 'semi-sync-primary-power-loss',
  title: 'A semi-synchronous primary loses power, and the other disk is behind',
  about:
    'Writes complete when the other host has received them. Its disk stands still for a moment, ' +
    'so that it owes some of them to it, and the primary loses power. The other host takes over ' +
    'when its disk has everything that was acknowledged, and not before.',
  config: demoWith({ mode: 'semi-sync' }),
  workload: { iops: 400, reads: 20 },
  faults: [
    { at: '8900ms', kind: 'disk-stall', target: 'secondary', ppm: 1_000_000, for: '6s' },
    { at: '9s', kind: 'power-off', target: 'primary', cache: 'random', for: '12s' },
  ],
};
