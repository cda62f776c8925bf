import { describe, expect, it } from 'vitest';
import {
  type Agreed,
  agreedWith,
  begunOf as begun,
  doneOf,
  NOTHING_AGREED,
  provedOf,
} from '../../../engine/cluster/changes.ts';
import { VOLUME } from '../../support/control-net.ts';
import { setup } from '../../support/control-split.ts';

describe('a split brain', () => {
  // It is to be filled: what is on it, of whatever time, is not one of two that count alike.
  it('has no order by policy about a disk that a person has just put in', () => {
    const change = {
      kind: 'replace-replica',
      volume: VOLUME,
      node: 1,
      path: '/n',
      meta: '',
    } as const;
    const done = doneOf(begun(agreedWith(NOTHING_AGREED, change)));
    // Its node has that in use.
    const planned = (agreed: Agreed, canaries: readonly string[] = []) => {
      return setup({
        policy: 'discard-local',
        agreed,
        canaries: [...canaries, 'other-disk-leads'],
      }).plan();
    };
    expect([planned(done), planned(done, ['branch-of-new'])]).toEqual([false, true]);
    expect(planned(provedOf(done, VOLUME, 1))).toBe(true);
    // One that has not has another disk open: it says nothing of this one.
    const other = setup({ policy: 'discard-local', agreed: provedOf(done, VOLUME, 1) });
    expect([other.plan(), other.take({})]).toMatchObject([false, { reason: 'no-split-brain' }]);
  });
});
