/** Both hosts lose power at the same instant. */
import type { ScenarioText } from '../scenario.ts';

export const bothHostsLosePower: ScenarioText = {
  name: 'both-hosts-lose-power',
  title: 'Both hosts lose power at the same instant',
  about:
    'Volatile caches are gone on both sides. What was flushed is on both disks; the ' +
    'blocks that were hot are copied once more, and the replicas are equal again.',
  workload: { iops: 300, flushes: 8 },
  faults: [{ at: '9s', kind: 'power-off-hosts', cache: 'none', for: '5s' }],
};
