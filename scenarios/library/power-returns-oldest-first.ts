/** Power fails everywhere and comes back minutes apart, the oldest data first. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const powerReturnsOldestFirst: ScenarioText = {
  name: 'power-returns-oldest-first',
  title: 'Power fails everywhere; whoever has the older data is back five minutes before anybody',
  about:
    'The secondary goes first, and misses what the primary acknowledges alone; then the ' +
    'others go. The secondary is back first, alone: it starts nothing, for it is no majority. ' +
    'Five minutes later the witness is back: there is a majority, and the group says that it ' +
    'is blocked, for what is there is old. Five minutes more, and the primary is back: it serves.',
  config: DEMO_CONFIG,
  workload: { iops: 50 },
  duration: '660s',
  faults: [
    { at: '6s', kind: 'power-off', target: 'b', cache: 'random', for: '14s' },
    { at: '14s', kind: 'power-off', target: 'w', cache: 'random', for: '306s' },
    { at: '14s', kind: 'power-off', target: 'a', cache: 'random', for: '606s' },
  ],
};
