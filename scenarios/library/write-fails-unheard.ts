/** The primary’s core dies while its disk hangs, and the write fails when nobody hears of it. */
import type { ScenarioText } from '../scenario.ts';

export const writeFailsUnheard: ScenarioText = {
  name: 'write-fails-unheard',
  title: 'A write of the primary fails when nobody hears of it',
  about:
    'The primary’s disk stands still with writes on their way, its core dies, and then the ' +
    'writes fail and may take the disk’s cache with them. The core that starts anew has been ' +
    'told nothing, so it flushes before it goes on alone, and that flush fails. The other host, ' +
    'which has everything, takes over; nothing is copied over it.',
  workload: { iops: 300, flushes: 0, fua: 0 },
  faults: [
    { at: '8s', kind: 'disk-stall', target: 'primary', for: '100ms' },
    { at: '8050ms', kind: 'write-error', target: 'primary', for: '51ms' },
    { at: '8060ms', kind: 'kill-core', target: 'primary' },
  ],
};
