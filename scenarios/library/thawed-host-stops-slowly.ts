/** A guest that stood still wakes, and what ran on it takes long to stop. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const thawedHostStopsSlowly: ScenarioText = {
  name: 'thawed-host-stops-slowly',
  title: 'A guest that stood still wakes beside its successor, and its application stops slowly',
  about:
    'The group has moved while the primary’s guest stood still. When it wakes, its right has ' +
    'long been over: its application is told to stop, and where that takes longer than the ' +
    'watchdog’s patience, the host is reset. A lease that it gets meanwhile is no leave to go on ' +
    'petting: what runs there is another host’s by the log. Then the group moves once more.',
  config: demoHosts([1, 2, 3]),
  faults: [
    { at: '8s', kind: 'freeze', target: 'a', for: '9s' },
    { at: '22500ms', kind: 'switch', target: 'c' },
  ],
};
