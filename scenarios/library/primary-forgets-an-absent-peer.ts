/** The primary’s core starts anew while the other host is away. */
import type { ScenarioText } from '../scenario.ts';

export const primaryForgetsAnAbsentPeer: ScenarioText = {
  name: 'primary-forgets-an-absent-peer',
  title: 'The primary’s core starts anew while the other host is away',
  about:
    'The secondary has everything when its link is cut. While it is being left out the ' +
    'primary’s core dies, and with it all that it knew of the other host. The core that ' +
    'starts anew writes on alone: under a generation of its own, so that the secondary is ' +
    'copied to when it is back.',
  history: 4,
  duration: '40s',
  workload: { iops: 800, reads: 20 },
  faults: [
    {
      at: '6s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '4s',
    },
    { at: '6s', kind: 'kill-core', target: 'primary', when: 'removal', after: '0us' },
  ],
  sweep: { faults: [1], moves: 'after', by: '150us', steps: 30 },
};
