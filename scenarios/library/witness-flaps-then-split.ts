/** The witness comes and goes, and is away when the hosts are cut apart. */
import type { ScenarioText } from '../scenario.ts';

export const witnessFlapsThenSplit: ScenarioText = {
  name: 'witness-flaps-then-split',
  title: 'The witness comes and goes, and then the hosts are cut apart while it is away',
  about:
    'As long as the hosts hear each other nothing happens for the witness’s sake. Cut apart ' +
    'without it, neither has a majority: whoever served stops when its right ends, nobody takes ' +
    'over, and the group goes on where it was when two of the three hear each other again.',
  duration: '80s',
  faults: [
    { at: '5s', kind: 'power-off', target: 'witness', for: '1s' },
    { at: '8s', kind: 'power-off', target: 'witness', for: '3s' },
    { at: '13s', kind: 'cut', target: 'witness', for: '2s' },
    { at: '18s', kind: 'power-off', target: 'witness', for: '24s' },
    { at: '24s', kind: 'cut', target: 'primary', peer: 'secondary', for: '12s' },
  ],
};
