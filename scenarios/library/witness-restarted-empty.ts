/** The witness comes back with an empty disk. */
import type { ScenarioText } from '../scenario.ts';

export const witnessRestartedEmpty: ScenarioText = {
  name: 'witness-restarted-empty',
  title: 'The witness comes back with an empty disk',
  about:
    'The link to the secondary is cut and the secondary is left out of the in-sync set by ' +
    'an entry that the primary and the witness committed. Then the witness is replaced by ' +
    'an empty machine and the primary dies. The empty witness must not help the outdated ' +
    'secondary to a majority: that would undo the entry.',
  faults: [
    { at: '6s', kind: 'cut', target: 'secondary', for: '9s' },
    { at: '9s', kind: 'wipe', target: 'witness', for: '500ms' },
    { at: '11s', kind: 'power-off', target: 'primary', for: '9s' },
  ],
};
