/** A follower and the primary lose power with writes under way on the follower's disk. */
import { demoHosts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const followersJournalUnderWay: ScenarioText = {
  name: 'followers-journal-under-way',
  title: 'A follower’s disk is left by the power with writes under way',
  about:
    'Of three hosts a follower loses power with this and that of its cache, and the primary at ' +
    'the same moment. What was under way on the follower’s disk is named by its own journal, ' +
    'as it would be on a primary: an image of that disk says itself where it may differ.',
  history: 28,
  config: demoHosts([1, 2, 3]),
  duration: '40s',
  workload: { iops: 900, reads: 10, flushes: 2, hot: 10, scattered: 90 },
  faults: [
    { at: '6s', kind: 'power-off', target: 'c', cache: 'none', for: '7s' },
    { at: '6s', kind: 'power-off', target: 'a', cache: 'none', for: '7s' },
    { at: '6s', kind: 'power-off', target: 'b', cache: 'newest', for: '2s' },
  ],
  sweep: { faults: [0, 1, 2], moves: 'at', by: '700us', steps: 30 },
};
