/** The core of a semi-synchronous member dies with writes that only it had received. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const receiverDiesWithReceipts: ScenarioText = {
  name: 'receiver-dies-with-receipts',
  title: 'The receiver’s core dies with what it had acknowledged, then the primary is cut off',
  about:
    'Writes complete when the other host has received them. Its disk stands still for a moment, ' +
    'and its core dies with what it owes to it; host and boot live on. At the same time the ' +
    'primary is cut off from everybody. The new core knows that it lacks something, and does not ' +
    'take over: the service waits until the primary, which has everything, is back.',
  config: demoWith({ mode: 'semi-sync' }),
  workload: { iops: 400, reads: 20 },
  faults: [
    { at: '8800ms', kind: 'disk-stall', target: 'secondary', ppm: 1_000_000, for: '400ms' },
    { at: '9s', kind: 'kill-core', target: 'secondary' },
    { at: '9s', kind: 'cut', target: 'primary', for: '12s' },
  ],
};
