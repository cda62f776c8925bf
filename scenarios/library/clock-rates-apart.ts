/** The hosts’ clocks run apart as far as the configuration allows. */
import type { ScenarioText } from '../scenario.ts';

export const clockRatesApart: ScenarioText = {
  name: 'clock-rates-apart',
  title: 'The hosts’ clocks run apart as far as the configuration allows',
  about:
    'One gains, the other loses, each within the bound that the lease’s inequality was ' +
    'computed for, and then the primary is isolated. Its right ends before the other host ' +
    'begins.',
  faults: [
    { at: '3s', kind: 'clock-rate', target: 'primary', ppm: -900, for: '30s' },
    { at: '3s', kind: 'clock-rate', target: 'secondary', ppm: 900, for: '30s' },
    { at: '9s', kind: 'cut', target: 'primary', for: '12s' },
  ],
};
