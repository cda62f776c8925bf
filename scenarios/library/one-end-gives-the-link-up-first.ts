/** One end gives the link up while the other still speaks. */
import type { ScenarioText } from '../scenario.ts';

export const oneEndGivesTheLinkUpFirst: ScenarioText = {
  name: 'one-end-gives-the-link-up-first',
  title: 'One end gives the link up while the other still speaks',
  about:
    'The link stands still for about as long as either end waits. Mostly one gives it up ' +
    'first, and what the other has said meanwhile arrives when that connection is over. It is ' +
    'not heard: a connection that has failed carries nothing again.',
  history: 27,
  duration: '40s',
  workload: { iops: 900, reads: 50, flushes: 6 },
  faults: [
    { at: '5s', kind: 'read-error', target: 'primary', ppm: 20000, for: '6s' },
    {
      at: '6s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '560ms',
    },
    { at: '6s', kind: 'pause-core', target: 'primary', for: '710ms' },
  ],
  sweep: { faults: [1, 2], moves: 'for', by: '10ms', steps: 30 },
};
