/** The secondary stops, and is back before the log can say so. */
import type { ScenarioText } from '../scenario.ts';

export const secondaryBackBeforeTheLog: ScenarioText = {
  name: 'secondary-back-before-the-log',
  title: 'The secondary stops, and is back before the log can say so',
  about:
    'The primary cannot reach the log for a moment, and in it the secondary stops in the ' +
    'middle of writes: nobody can leave it out. It comes back with the generation that the ' +
    'primary has, and without the last writes: the primary knows which, and goes on only when ' +
    'they are copied.',
  history: 1,
  duration: '40s',
  workload: { iops: 900, reads: 20, hot: 30, flushes: 2 },
  faults: [
    { at: '5550ms', kind: 'cut', target: 'primary', links: 'control', for: '700ms' },
    { at: '5560ms', kind: 'kill-core', target: 'secondary', when: 'write', after: '0us' },
  ],
  sweep: { faults: [1], moves: 'after', by: '15us', steps: 30 },
};
