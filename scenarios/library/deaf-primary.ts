/** The primary is heard, and hears nobody. */
import type { ScenarioText } from '../scenario.ts';

export const deafPrimary: ScenarioText = {
  name: 'deaf-primary',
  title: 'The primary is heard, and hears nobody',
  about:
    'A cable that works in the other direction only. All hear the primary ask for its lease, and ' +
    'it hears none of the answers: it stops. Whoever knows that it is not heard promises it ' +
    'nothing, so the lease runs out for everybody, and the other host takes over with a proof.',
  faults: [{ at: '6s', kind: 'cut', target: 'primary', links: 'control', ways: 'in', for: '14s' }],
};
