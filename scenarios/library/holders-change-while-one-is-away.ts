/** What was dirty is dirty still when metadata have been laid out anew. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const holdersChangeWhileOneIsAway: ScenarioText = {
  name: 'holders-change-while-one-is-away',
  title: 'Who holds a replica changes while another one lacks writes',
  about:
    'Host b is off and misses writes all over the volume. Meanwhile host c gets a replica, ' +
    'and the metadata of the primary, which alone know what b lacks, are laid out anew. Then ' +
    'b returns, and is brought up to date by what was known of it before.',
  config: demoHosts([1, 2]),
  workload: { iops: 200, hot: 5, scattered: 60 },
  faults: [
    { at: '6s', kind: 'power-off', target: 'b', cache: 'random', for: '16s' },
    { at: '14s', kind: 'add-replica', target: 'c' },
  ],
};
