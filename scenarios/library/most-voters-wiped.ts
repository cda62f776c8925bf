/** One host and then the other lose what they knew of the cluster. */
import type { ScenarioText } from '../scenario.ts';

export const mostVotersWiped: ScenarioText = {
  name: 'most-voters-wiped',
  title: 'Both hosts lose their logs, one while the other is still away',
  about:
    'The primary is lost, and comes back without its log; before anybody can readmit it the ' +
    'other host is lost in the same way. Only the witness remembers, and one of three is no ' +
    'majority: nothing may be decided any more, and status has to say that a person is needed.',
  faults: [
    { at: '21s', kind: 'wipe', target: 'primary', for: '5s' },
    { at: '27s', kind: 'wipe', target: 'primary', for: '400ms' },
  ],
};
