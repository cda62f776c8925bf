import { describe, expect, it } from 'vitest';
import { lossText, orderText, rangeText, splitLine, splitText } from '../../cli/split-text.ts';
import type { BranchFate } from '../../engine/cluster/branch-fate.ts';
import type { SplitStatus } from '../../engine/cluster/interface.ts';
import { orderOf, setup } from '../support/control-split.ts';

const name = (node: number): string => ['-', 'a', 'b'][node] ?? '?';
const { describe: describeSplit, record } = setup();
const split = describeSplit() as SplitStatus;
const volume = { ...record, local: null, split };

describe('a split brain in words', () => {
  it('is plain in one line, with the remedy', () => {
    expect(splitLine(volume, name)).toMatch(/^Volume \w+: SPLIT BRAIN: .*understudy resolve$/);
    const strange = { ...volume, split: { ...split, verdict: 'unrelated' as const } };
    expect(splitLine(strange, name)).toContain('STRANGERS');
    const { split: _, ...whole } = volume;
    expect(splitLine(whole, name)).toBe('');
    const discard = orderOf(2);
    expect(splitLine({ ...whole, discard }, name)).toContain('gives up what b has');
  });

  it('shows both sides, and whom each policy would choose and why', () => {
    const text = splitText(volume, split, name);
    expect(text).toContain('They parted after generation 7.');
    expect(text).toMatch(/a .*20 .*epoch 3, and before the two parted/);
    expect(text).toMatch(/b .*30 .*primary .*epoch 4 .*exactly 5 blocks/);
    expect(text).toMatch(/discard-younger-primary .*b .*became primary after the two parted/);
    expect(text).toMatch(/discard-unchanged .*nobody/);
  });

  it('says what an order would cost, and what it takes where somebody serves by that side', () => {
    const other = lossText(split, 2, name);
    expect(other).toContain('Keeping b gives up everything that a alone has: ');
    expect(other).toContain('all of b is copied to a');
    expect(other).not.toContain('--even-if-written');
    const served = lossText(split, 1, name);
    expect(served).toContain('exactly 5 blocks changed since the two parted');
    expect(served).toContain('b is the primary: what runs there is stopped');
    expect(served).toContain('--even-if-written');
  });

  it('says whether what is given up will be kept, why not, and what helps', () => {
    const text = (kept: BranchFate['kept'], reason: BranchFate['reason']): string => {
      const sides = split.sides.map((side) => ({ ...side, fate: { kept, reason } }));
      return lossText({ ...split, sides }, 2, name);
    };
    const first = 'What is needed of a is copied off first.';
    expect(text('yes', '')).toContain('All that a has is kept in its side area meanwhile');
    expect(text('yes', '')).not.toContain(first);
    expect(text('no', 'no-side-area')).toContain('Nothing of a is kept: its replica has no side');
    expect(text('no', 'branch-kept-there')).toContain('another branch that was given up is kept');
    expect(text('later', 'branch-kept-there')).toContain('waits: another branch');
    expect(text('later', 'branch-kept-there')).toContain('understudy branch drop');
    expect(text('perhaps', 'small-side-area')).toContain('only if it has room: its side area is');
    for (const kept of ['no', 'perhaps'] as const) {
      expect(text(kept, 'small-side-area')).toContain(first);
    }
    // A node of before does not say.
    const silent = split.sides.map(({ fate: _, ...side }) => side);
    expect(lossText({ ...split, sides: silent }, 2, name)).toContain(first);
  });

  it('says of an order who gave it, how far it is, and how it is taken back', () => {
    const given = orderText(volume, orderOf(2, { by: 'discard-local', atMost: 7 }), name);
    expect(given).toContain('order 5, by the policy discard-local, gives up what b has');
    expect(given).toContain('no more than 7 blocks');
    expect(given).toContain('understudy resolve --take-back 5 --yes');
    const late = orderText(volume, orderOf(2, { confirmed: true }), name);
    expect(late).toContain('by a person');
    expect(late).toContain('is being overwritten');
    expect(late).not.toContain('--take-back');
  });

  it('never claims to know what it does not', () => {
    expect(rangeText({ atLeast: 0, atMost: null })).toBe('an unknown number of blocks');
    expect(rangeText({ atLeast: 3, atMost: null })).toBe('at least 3 blocks');
    expect(rangeText({ atLeast: 1, atMost: 257 })).toBe('1 to 257 blocks (1 MiB)');
    expect(rangeText({ atLeast: 4, atMost: 4 })).toBe('exactly 4 blocks');
  });
});
