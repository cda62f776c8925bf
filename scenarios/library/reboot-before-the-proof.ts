/** A host is back before there is a proof that it stopped. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const rebootBeforeTheProof: ScenarioText = {
  name: 'reboot-before-the-proof',
  title: 'The primary reboots, and is back while the others still wait for its lease to run out',
  about:
    'It is missed, its lease has run out, and what the witness says of that hangs in a full ' +
    'network. Meanwhile it is there again, another life of the same node. The late word is ' +
    'about the life before: nobody takes the new one for whoever ran the group, the group ' +
    'moves once, and the new life gets its own lease.',
  config: DEMO_CONFIG,
  workload: { iops: 200 },
  faults: [
    { at: '6s', kind: 'reboot', target: 'a', cache: 'random', for: '2200ms' },
    { at: '7900ms', kind: 'clog', target: 'w', links: 'control', ways: 'out', for: '3s' },
  ],
};
