/** A planned switch, and the giver's core dies before it has given up. */
import type { ScenarioText } from '../scenario.ts';

export const coreKilledWhileStopping: ScenarioText = {
  name: 'core-killed-while-stopping',
  title: 'A planned switch, and the core of the giver dies while the service stops',
  about:
    'The core that was to say «stopped» is gone. The one that comes after it owns nothing, and ' +
    'says that nothing runs: that is proof enough, and the other host goes on.',
  faults: [
    { at: '8s', kind: 'switch', target: 'secondary' },
    { at: '8s', kind: 'kill-core', target: 'primary', when: 'stop' },
  ],
};
