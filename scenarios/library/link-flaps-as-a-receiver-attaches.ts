/** A receiver's core dies with receipts, and its link is lost while the next one attaches. */
import { DEMO_CONFIG, demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

const semi = demoWith({ mode: 'semi-sync' });

export const linkFlapsAsAReceiverAttaches: ScenarioText = {
  name: 'link-flaps-as-a-receiver-attaches',
  title: 'The receiver’s core dies with what it had acknowledged, and its link with the next one',
  about:
    'Writes complete when the other host has received them. Its core dies with some that its ' +
    'disk lacks, and the next core needs long to read its metadata; the link comes up meanwhile ' +
    'and is lost again. The primary, which has everything, is cut off from the log all that ' +
    'time. The new core knows all the same that it lacks something, and does not take over.',
  // With one the primary would be reset, and could lose its cache as well.
  config: {
    ...semi,
    nodes: DEMO_CONFIG.nodes.map((node) => (node.witness ? node : { ...node, watchdog: 'none' })),
  },
  workload: { iops: 400, reads: 20 },
  faults: [
    { at: '8800ms', kind: 'disk-stall', target: 'secondary', ppm: 1_000_000, for: '400ms' },
    { at: '8900ms', kind: 'cut', target: 'primary', links: 'control', for: '14s' },
    { at: '9100ms', kind: 'kill-core', target: 'secondary' },
    {
      at: '9150ms',
      kind: 'disk-stall',
      target: 'secondary',
      when: 'attach',
      after: '300us',
      ppm: 1_000_000,
      for: '5s',
    },
    { at: '9800ms', kind: 'cut', target: 'primary', links: 'replication', for: '13s' },
  ],
};
