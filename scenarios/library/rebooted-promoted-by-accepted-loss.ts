/** Both hosts lose power, one is back alone, and goes on by order. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const rebootedPromotedByAcceptedLoss: ScenarioText = {
  name: 'rebooted-promoted-by-accepted-loss',
  title: 'Both hosts lose power, and an operator goes on with the one that is back',
  about:
    'Power fails at both hosts in the same instant, and only one of them comes back. What was ' +
    'acknowledged and not flushed may be on the other one alone, so it waits. An operator ' +
    'accepts that loss, and the service goes on with everything that was flushed. Then the ' +
    'other host is back: it is looked at once more, and filled from what goes on.',
  config: DEMO_CONFIG,
  workload: { iops: 200 },
  faults: [
    { at: '9s', kind: 'power-off', target: 'a', cache: 'random', for: '20s' },
    { at: '9s', kind: 'power-off', target: 'b', cache: 'random', for: '3s' },
    { at: '17s', kind: 'take-over', target: 'b' },
  ],
};
