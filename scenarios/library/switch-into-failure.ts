/** A planned switch, and the taker dies. */
import type { ScenarioText } from '../scenario.ts';

export const switchIntoFailure: ScenarioText = {
  name: 'switch-into-failure',
  title: 'A planned switch, and the taker dies',
  about:
    'An operator moves the service, and the host that takes it over loses power right ' +
    'then. The giver, which had stopped properly, takes it back.',
  faults: [
    { at: '8s', kind: 'switch', target: 'secondary' },
    { at: '8s', kind: 'power-off', target: 'primary', when: 'take-over', for: '8s' },
  ],
};
