/** The primary sends, and nobody hears it. */
import type { ScenarioText } from '../scenario.ts';

export const oneWayCut: ScenarioText = {
  name: 'one-way-cut',
  title: 'The primary sends, and nobody hears it',
  about:
    'A cable that works in one direction only. A link counts as up only when heard both ' +
    'ways, the lease of the unheard primary runs out, and the other host takes over with ' +
    'a proof.',
  faults: [{ at: '6s', kind: 'cut', target: 'primary', ways: 'out', for: '14s' }],
};
