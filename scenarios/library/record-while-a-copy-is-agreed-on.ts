/** Of three hosts one is back, and the other one's removal is committed as a copy is agreed on. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

const [A, B, W] = DEMO_CONFIG.nodes;
const C = { ...W!, name: 'c', witness: false, replication: '10.0.0.3:7002', watchdog: 'simulated' };

export const recordWhileACopyIsAgreedOn: ScenarioText = {
  name: 'record-while-a-copy-is-agreed-on',
  title: 'The log removes one host while a copy to the other is being agreed on',
  about:
    'Two of three hosts lose power, so that nobody can commit the removal of the second. The ' +
    'first comes back: it is to be copied to, and its vote commits what was pending, while its ' +
    'disk takes long to note that it is no image any more, and the primary’s disk takes long to ' +
    'act on the record. Both go by the new record, and the copy begins anew: nothing waits for ' +
    'an answer that nobody owes.',
  // Long enough that a peer which is given up for an answer comes too late.
  config: {
    ...DEMO_CONFIG,
    nodes: [A!, B!, C],
    volumes: DEMO_CONFIG.volumes.map((volume) => ({
      ...volume,
      replicas: [...volume.replicas, { node: 3, path: '/dev/c', meta: '' }],
      diskTimeout: 40_000_000,
    })),
    groups: DEMO_CONFIG.groups.map((group) => ({ ...group, nodes: [1, 2, 3] })),
  },
  faults: [
    { at: '9s', kind: 'power-off', target: 'b', for: '12s' },
    { at: '9s', kind: 'power-off', target: 'c', for: '11400ms', when: 'removal' },
    {
      at: '20500ms',
      kind: 'disk-stall',
      target: 'b',
      when: 'meta-write',
      nth: 7,
      after: '0us',
      for: '400ms',
    },
    { at: '22500ms', kind: 'disk-stall', target: 'a', for: '600ms' },
  ],
};
