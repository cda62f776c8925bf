/** The primary’s core stands still for longer than the lease. */
import type { ScenarioText } from '../scenario.ts';

export const pauseLongerThanLease: ScenarioText = {
  name: 'pause-longer-than-lease',
  title: 'The primary’s core stands still for longer than the lease',
  about:
    'The process is stopped, its host and guardian live. The guardian pets no longer than ' +
    'the deadline that the core wrote, the watchdog resets the host, and only then does ' +
    'the lease run out for the voters. Every law holds.',
  faults: [{ at: '8s', kind: 'pause-core', target: 'primary', for: '9s' }],
};
