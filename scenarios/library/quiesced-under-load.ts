/** I/O is suspended under load for a snapshot. */
import type { ScenarioText } from '../scenario.ts';

export const quiescedUnderLoad: ScenarioText = {
  name: 'quiesced-under-load',
  title: 'Requests are held for a snapshot while many are in flight',
  about:
    'Under load all requests are held for as long as a snapshot takes. The point is reported ' +
    'when everything that was admitted has ended and is durable, and not before: what a ' +
    'snapshot shows then is what was acknowledged.',
  history: 30,
  duration: '40s',
  workload: { iops: 2000, reads: 10, flushes: 2, bursts: 60 },
  faults: [
    { at: '5s', kind: 'disk-stall', target: 'primary', for: '60ms' },
    { at: '5s', kind: 'quiesce', target: 'primary', for: '500ms' },
  ],
  sweep: { faults: [1], moves: 'at', by: '3ms', steps: 30 },
};
