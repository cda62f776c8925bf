/** Both disks fail in turn, and what the last one shows is not on it. */
import type { ScenarioText } from '../scenario.ts';

export const lastCopyInDoubt: ScenarioText = {
  name: 'last-copy-in-doubt',
  title: 'The last copy fails, leads all the same, and then all hosts lose power',
  about:
    'First one disk fails, then the other, which was the last copy. Somebody starts both cores ' +
    'again. What the last copy shows may have been lost by its failure, and be shown from memory ' +
    'only; there is no better copy, so it leads and fills the other one. Then both hosts lose ' +
    'power. Whatever the other one got must have been written anew on the last copy too, or the ' +
    'two differ and nothing says so.',
  workload: { iops: 300 },
  faults: [
    { at: '5s', kind: 'write-error', target: 'a', area: 'everything', for: '1s' },
    { at: '8s', kind: 'write-error', target: 'b', for: '800ms' },
    { at: '11s', kind: 'kill-core', target: 'a' },
    { at: '11500ms', kind: 'kill-core', target: 'b' },
    { at: '16s', kind: 'power-off-hosts', for: '500ms' },
  ],
};
