/** A host that is cut off from all others gives up before anybody takes over. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const isolatedHostStopsFirst: ScenarioText = {
  name: 'isolated-host-stops-first',
  title: 'Of three hosts the one that serves is cut off, and stops before another one begins',
  about:
    'A minority of one notices nothing of what the majority decides. It need not: its own right ' +
    'runs out by its own clock, its application stops, or its watchdog bites, and only then ' +
    'have the others a proof. The address is never on two hosts.',
  config: demoHosts([1, 2, 3]),
  faults: [{ at: '6s', kind: 'cut', target: 'primary', for: '14s' }],
};
