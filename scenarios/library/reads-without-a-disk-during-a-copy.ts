/** A primary without its disk reads while another replica is copied to. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

const three = demoHosts([1, 2, 3]);

export const readsWithoutADiskDuringACopy: ScenarioText = {
  name: 'reads-without-a-disk-during-a-copy',
  title: 'A primary without its disk reads while another replica is copied to',
  about:
    'Of three hosts b is back and is being copied to when the primary’s disk fails. The ' +
    'service stays and goes on through the others: reads are answered by the one that has ' +
    'everything, and not by the one that is half copied to.',
  history: 19,
  config: {
    ...three,
    volumes: three.volumes.map((volume) => ({ ...volume, onDiskFailure: 'proxy' })),
  },
  duration: '52s',
  workload: { iops: 500, reads: 60, flushes: 4, hot: 10, scattered: 90 },
  faults: [
    { at: '5s', kind: 'cut', target: 'b', links: 'replication', for: '3s' },
    {
      at: '7s',
      kind: 'write-error',
      target: 'a',
      area: 'everything',
      when: 'resync',
      after: '0us',
      for: '12s',
    },
  ],
  sweep: { faults: [1], moves: 'after', by: '2ms', steps: 30 },
};
