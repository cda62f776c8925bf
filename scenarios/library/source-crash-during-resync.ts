/** The source of a resync crashes half-way. */
import type { ScenarioText } from '../scenario.ts';

export const sourceCrashDuringResync: ScenarioText = {
  name: 'source-crash-during-resync',
  title: 'The source of a resync crashes half-way',
  about:
    'The only complete copy goes away while the other one is half-written. Nobody may ' +
    'serve until it is back: the group is blocked, says so, and goes on by itself ' +
    'afterwards.',
  workload: { iops: 300 },
  faults: [
    {
      at: '5s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '4s',
    },
    { at: '9s', kind: 'power-off', target: 'primary', when: 'resync', for: '5s' },
  ],
};
