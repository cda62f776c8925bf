import { describe, expect, it } from 'vitest';
import { verdictText } from '../../cli/verify-text.ts';
import type { VerifyReport } from '../../engine/data/messages.ts';

const DONE: VerifyReport = {
  kind: 'verify',
  volume: 'data',
  id: 1,
  state: 'done',
  reason: '',
  cursor: 4096,
  blocks: 4096,
  checked: 4096,
  differing: 0,
  repaired: 0,
  unreadable: 0,
  runs: [],
};

describe('the verdict of a verification', () => {
  it('says that all is equal', () => {
    expect(verdictText(DONE, 'a', false)).toBe('data: 4096 blocks of 4 KiB compared, all equal.');
  });

  it('names what differs, and claims of neither copy that it is right', () => {
    const runs = [
      { block: 12, blocks: 1 },
      { block: 40, blocks: 3 },
    ];
    const text = verdictText({ ...DONE, differing: 4, runs }, 'a', false);
    expect(text).toContain('4 differ: 12, 40–42.');
    expect(text).toContain('Two copies do not tell which one is right');
    expect(text).toContain('--repair');
  });

  it('counts what it does not name', () => {
    const runs = Array.from({ length: 30 }, (_, i) => ({ block: i * 2, blocks: 1 }));
    expect(verdictText({ ...DONE, differing: 900, runs }, 'a', false)).toContain('and 876 more');
  });

  it('says what was repaired, what was not, and where to go on', () => {
    const runs = [{ block: 7, blocks: 2 }];
    const some = { ...DONE, differing: 2, repaired: 1, unreadable: 1, runs, cursor: 9 };
    const text = verdictText({ ...some, state: 'stopped', reason: 'order' }, 'b', true);
    expect(text).toContain('1 block written anew from the copy of b.');
    expect(text).toContain('1 block left to the next resync.');
    expect(text).toContain('1 block could not be read');
    expect(text).toContain('--from 9');
  });
});
