/** Copies are cut short again and again. */
import type { ScenarioText } from '../scenario.ts';

export const copiesCutShortAgainAndAgain: ScenarioText = {
  name: 'copies-cut-short-again-and-again',
  title: 'Copies are cut short again and again',
  about:
    'Each time a copy has begun, its link is lost. Nothing that a copy had in hand is kept: ' +
    'after many of them the last one has as much room as the first, and is finished.',
  history: 37,
  duration: '40s',
  workload: { iops: 700, reads: 10, hot: 0, scattered: 100 },
  faults: [
    { at: '5s', kind: 'power-off', target: 'secondary', cache: 'all', for: '1s' },
    { at: '5s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '6s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '7s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '8s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '9s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '10s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '11s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '12s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '13s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
    { at: '14s', kind: 'kill-core', target: 'secondary', when: 'resync', after: '900us' },
  ],
  sweep: { faults: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], moves: 'after', by: '100us', steps: 20 },
};
