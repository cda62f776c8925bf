/** The interfaces of the primary are down for five minutes, and then up again. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const interfaceDownForMinutes: ScenarioText = {
  name: 'interface-down-for-minutes',
  title: 'The primary’s interfaces are taken down for five minutes, and put up again',
  about:
    'The host itself is well, and hears itself alone. What ends its right is its own lease, not ' +
    'an error of a link. When the interfaces are up again, it finds that another one leads, is ' +
    'filled, and starts nothing: nobody ever serves beside anybody.',
  config: demoHosts([1, 2, 3]),
  workload: { iops: 20 },
  duration: '340s',
  faults: [{ at: '8s', kind: 'cut', target: 'a', for: '300s' }],
};
