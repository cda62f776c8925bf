/** What the secondary sends never reaches the primary, on any link. */
import type { ScenarioText } from '../scenario.ts';

export const secondarySendsAndIsNotHeard: ScenarioText = {
  name: 'secondary-sends-and-is-not-heard',
  title: 'What the secondary sends to the primary is lost, on every link; the other way works',
  about:
    'The secondary hears the primary and thinks itself connected, the primary hears nothing. A ' +
    'link is up only when heard both ways, so both know; the witness is heard by both, and the ' +
    'service stays where it is. Nobody is shot, and nothing moves.',
  faults: [
    { at: '6s', kind: 'cut', target: 'secondary', peer: 'primary', ways: 'out', for: '12s' },
  ],
};
