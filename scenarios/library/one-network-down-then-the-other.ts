/** One of two networks is down, then the other one. */
import type { ScenarioText } from '../scenario.ts';

export const oneNetworkDownThenTheOther: ScenarioText = {
  name: 'one-network-down-then-the-other',
  title: 'The primary’s first control network is down, and after it the second one',
  about:
    'What happens to one link must not touch the other: as long as one carries, no peer is ' +
    'missed, no lease is in danger, and nothing moves.',
  faults: [
    { at: '6s', kind: 'cut', target: 'primary', links: 'control-1', for: '10s' },
    { at: '18s', kind: 'cut', target: 'primary', links: 'control-2', for: '10s' },
  ],
};
