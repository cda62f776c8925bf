/** The source of a resync is lost half-way, and its target returns to the image of before. */
import { demoWithSide } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const sourceLostForGood: ScenarioText = {
  name: 'source-lost-for-good',
  title: 'The source of a resync is lost half-way, and its target is put back',
  about:
    'The only complete copy goes away while the other one is half-written, and a person gives ' +
    'it up: the target is told to put back what the resync had overwritten. It is Outdated then, ' +
    'the image of before, and still nobody serves with it. When the source comes back after all, ' +
    'it copies anew what was put back, whatever it remembers of the copy that was cut short.',
  config: demoWithSide(16 * 1024 * 1024),
  workload: { iops: 300 },
  faults: [
    {
      at: '5s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '4s',
    },
    { at: '9s', kind: 'power-off', target: 'primary', when: 'resync', after: '30ms', for: '8s' },
    { at: '13s', kind: 'return', target: 'secondary' },
  ],
};
