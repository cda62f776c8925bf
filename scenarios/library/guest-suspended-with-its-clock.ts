/** A guest is suspended for a minute, its clock with it. */
import type { ScenarioText } from '../scenario.ts';

export const guestSuspendedWithItsClock: ScenarioText = {
  name: 'guest-suspended-with-its-clock',
  title: 'The primary’s guest is suspended for a minute, clock and watchdog with it',
  about:
    'When it goes on, no clock of its own says that a minute has passed. Data need no clock: ' +
    'no write of it is acknowledged after the take-over, by the epoch. That two hosts hold the ' +
    'service until the first word from outside is detected, as the table of laws says.',
  workload: { iops: 100 },
  duration: '100s',
  faults: [{ at: '8s', kind: 'freeze', target: 'primary', clockStops: true, for: '60s' }],
};
