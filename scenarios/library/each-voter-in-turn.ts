/** Each of the three voters is lost in turn. */
import type { ScenarioText } from '../scenario.ts';

export const eachVoterInTurn: ScenarioText = {
  name: 'each-voter-in-turn',
  title: 'Each of the three voters is lost in turn',
  about:
    'Witness, secondary, primary, one after the other, each back before the next goes. ' +
    'Two of three always remain, so the log always goes on.',
  faults: [
    { at: '4s', kind: 'power-off', target: 'witness', for: '5s' },
    { at: '13s', kind: 'power-off', target: 'secondary', for: '5s' },
    { at: '26s', kind: 'power-off', target: 'primary', for: '5s' },
  ],
};
