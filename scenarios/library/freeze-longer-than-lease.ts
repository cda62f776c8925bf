/** The primary’s whole guest stands still for longer than the lease. */
import type { ScenarioText } from '../scenario.ts';

export const freezeLongerThanLease: ScenarioText = {
  name: 'freeze-longer-than-lease',
  title: 'The primary’s whole guest stands still for longer than the lease',
  about:
    'A hypervisor stops the machine, watchdog and all. No timer can help; the epochs can: ' +
    'no write of the frozen primary is acknowledged after the take-over. That two hosts ' +
    'hold the service for a moment is detected, as the table of laws says.',
  faults: [{ at: '8s', kind: 'freeze', target: 'primary', for: '9s' }],
};
