/** The core of a semi-synchronous member restarts and lost nothing, then the primary goes dark. */
import { demoWith } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const receiverRestartsThenPrimaryDark: ScenarioText = {
  name: 'receiver-restarts-then-primary-dark',
  title: 'The receiver’s core restarts when it owes nothing, then the primary loses power',
  about:
    'The primary’s core stands still until its watchdog resets the host. Meanwhile the core of ' +
    'the other host restarts: it had written all that it had received, and does not know that. ' +
    'It waits for the primary, which may have more; when that one comes back without its cache, ' +
    'the other copy is the better one, and leads. Nothing is lost.',
  config: demoWith({ mode: 'semi-sync' }),
  workload: { iops: 400, reads: 20 },
  faults: [
    { at: '9s', kind: 'pause-core', target: 'primary', for: '4s' },
    { at: '10900ms', kind: 'kill-core', target: 'secondary' },
  ],
};
