/** The leader changes while a removal is pending. */
import type { ScenarioText } from '../scenario.ts';

export const leaderChangeDuringRemoval: ScenarioText = {
  name: 'leader-change-during-removal',
  title: 'The leader changes while a removal is pending',
  about:
    'The primary has asked to leave its lost peer out of the in-sync set, and the leader ' +
    'that would commit it is cut off at that moment. Whether the entry was committed or ' +
    'not is for the next leader to find out; the waiting writes wait for the answer.',
  workload: { iops: 300 },
  faults: [
    {
      at: '6s',
      kind: 'cut',
      target: 'primary',
      peer: 'secondary',
      links: 'replication',
      for: '8s',
    },
    { at: '6s', kind: 'cut', target: 'leader', when: 'removal', for: '4s' },
  ],
};
