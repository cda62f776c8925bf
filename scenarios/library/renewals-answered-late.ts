/** Answers to renewals come late, and then none comes. */
import type { ScenarioText } from '../scenario.ts';

export const renewalsAnsweredLate: ScenarioText = {
  name: 'renewals-answered-late',
  title: 'The answers to a primary’s renewals come seconds late, and then it is cut off',
  about:
    'What the voters say hangs in a full network; soon what the primary says is lost. The ' +
    'answers come all at once a moment before the voters’ promises end, and then it is alone. ' +
    'Its right runs from when it sent what was answered, not from when it heard: that is long ' +
    'over, and nothing is started again.',
  faults: [
    { at: '6s', kind: 'clog', target: 'primary', links: 'control', ways: 'in', for: '3650ms' },
    { at: '6600ms', kind: 'cut', target: 'primary', links: 'control', ways: 'out', for: '14s' },
    { at: '9660ms', kind: 'cut', target: 'primary', for: '10s' },
  ],
};
