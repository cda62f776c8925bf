/** What a host said before it lost a group arrives long after. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const oldWordsComeLate: ScenarioText = {
  name: 'old-words-come-late',
  title: 'A giver’s word that it has stopped, and all its votes, arrive half a minute late',
  about:
    'A switch is ordered, the giver stops, and what it says hangs in a full network together ' +
    'with renewals and votes. Its lease runs out, and the other host serves by that proof. Half ' +
    'a minute later every old word arrives at once, and in between the group has moved on: ' +
    'what is of an earlier epoch is void.',
  config: DEMO_CONFIG,
  duration: '90s',
  faults: [
    { at: '6s', kind: 'switch', target: 'b' },
    {
      at: '6s',
      kind: 'clog',
      target: 'a',
      links: 'control',
      ways: 'out',
      when: 'hand-over',
      after: '0us',
      for: '30s',
    },
    { at: '54s', kind: 'switch', target: 'a' },
  ],
};
