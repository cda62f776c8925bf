/** A core that stood still goes on after others have taken over. */
import { demoUnwatched } from '../demo-many.ts';
import type { ScenarioText } from '../scenario.ts';

export const pauseWithoutAWatchdog: ScenarioText = {
  name: 'pause-without-a-watchdog',
  title: 'The primary’s core stands still, nothing resets its host, and it goes on too late',
  about:
    'Without a watchdog only the monitor ends what runs there, in its own time, and the product ' +
    'promises for data alone that one host has them. Another host takes over; then the core ' +
    'goes on where it stood, with writes in its hands. It holds them, for its right has ended; ' +
    'the record of the new epoch fences it, and its clients get no answer from it.',
  config: demoUnwatched(),
  workload: { iops: 300 },
  faults: [{ at: '8s', kind: 'pause-core', target: 'a', when: 'write', for: '9s' }],
};
