/** The link is lost again milliseconds after it came back. */
import type { ScenarioText } from '../scenario.ts';

export const linkLostTwiceWithinMilliseconds: ScenarioText = {
  name: 'link-lost-twice-within-milliseconds',
  title: 'The link is lost again milliseconds after it came back',
  about:
    'The secondary’s core dies twice: once under load, and again within milliseconds after ' +
    'its link is back, while both find out what the first loss left to copy. The second loss is ' +
    'not taken for the first one.',
  history: 25,
  duration: '40s',
  workload: { iops: 700, reads: 10, flushes: 2 },
  faults: [
    { at: '5s', kind: 'kill-core', target: 'secondary' },
    { at: '5s', kind: 'kill-core', target: 'secondary', when: 'link-up', after: '0us' },
  ],
  sweep: { faults: [1], moves: 'after', by: '120us', steps: 40 },
};
