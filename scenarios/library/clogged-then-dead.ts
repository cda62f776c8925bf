/** The secondary is slow, then dead. */
import type { ScenarioText } from '../scenario.ts';

export const cloggedThenDead: ScenarioText = {
  name: 'clogged-then-dead',
  title: 'The secondary is slow, then dead',
  about:
    'Replication clogs, so writes queue up waiting for the peer; then the peer loses ' +
    'power. The queued writes complete as soon as the log has left it out, and not ' +
    'before.',
  workload: { iops: 300 },
  faults: [
    {
      at: '7s',
      kind: 'clog',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '3s',
    },
    { at: '9s', kind: 'power-off', target: 'secondary', for: '8s' },
  ],
};
