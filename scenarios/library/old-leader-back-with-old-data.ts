/** An old leader is back with old data, and the new one dies. */
import { DEMO_CONFIG } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const oldLeaderBackWithOldData: ScenarioText = {
  name: 'old-leader-back-with-old-data',
  title: 'The network of a primary fails and is mended, and whoever took over dies at once',
  about:
    'The old primary is the only one that could serve now, is well, and led before. But it ' +
    'lacks what was acknowledged since: it is not of those in sync, and stays off the stage ' +
    'until whoever has everything is back. The group says that it is blocked, and why.',
  config: DEMO_CONFIG,
  workload: { iops: 300 },
  faults: [
    { at: '6s', kind: 'cut', target: 'a', for: '12s' },
    {
      at: '18s',
      kind: 'power-off',
      target: 'b',
      cache: 'random',
      when: 'link-up',
      after: '2ms',
      for: '10s',
    },
  ],
};
