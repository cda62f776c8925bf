/** A host with an asynchronous replica loses power again and again as it becomes a later image. */
import { demoAsync } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const asyncReplicaDarkAgainAndAgain: ScenarioText = {
  name: 'async-replica-dark-again-and-again',
  title: 'An asynchronous replica loses power again and again',
  about:
    'No write waits for the other host, whose replica becomes a later image of the volume five ' +
    'times a second. It loses power at different instants of that: before the log of the last ' +
    'image is durable, while that is overwritten, and as its log is given up. Each time its disk ' +
    'is one image, or can be put back to it; what it lacks is copied, and the service never ' +
    'notices.',
  config: demoAsync(),
  workload: { iops: 120, reads: 20 },
  faults: [
    ...[1, 2, 3, 5, 8, 13, 21].map((nth, n) => ({
      at: `${6 + 4 * n}s`,
      kind: 'power-off',
      target: 'secondary',
      when: 'meta-write',
      nth,
      cache: n % 2 === 0 ? 'none' : 'random',
      for: '700ms',
    })),
  ],
};
