/** The target of a resync crashes half-way. */
import type { ScenarioText } from '../scenario.ts';

export const targetCrashDuringResync: ScenarioText = {
  name: 'target-crash-during-resync',
  title: 'The target of a resync crashes half-way',
  about:
    'After an outage the secondary is being copied to and loses power in the middle. It ' +
    'comes back Inconsistent, is not promoted whatever happens, and the copy begins again ' +
    'from what is still dirty.',
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
    { at: '9s', kind: 'power-off', target: 'secondary', when: 'resync', for: '4s' },
  ],
};
