import { describe, expect, it } from 'vitest';
import { endText, rangeText, splitLine, splitText } from '../../cli/split-text.ts';
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
    expect(splitLine({ ...whole, discard }, name)).toContain('what b has is to be overwritten');
  });

  it('shows both sides, and whom each policy would choose and why', () => {
    const text = splitText(volume, split, name);
    expect(text).toContain('They parted after generation 7.');
    expect(text).toMatch(/a .*20 .*epoch 3, and before the two parted/);
    expect(text).toMatch(/b .*30 .*primary .*epoch 4 .*exactly 5 blocks/);
    expect(text).toMatch(/discard-younger-primary .*b .*became primary after the two parted/);
    expect(text).toMatch(/discard-unchanged .*nobody/);
  });

  it('says how it is ended, what is lost by that, and what cannot be done so', () => {
    const text = endText(split, 'c.yaml', name);
    expect(text).toContain('everything that a alone has: ');
    expect(text).toContain('changed since the two parted, stop it');
    expect(text).toContain('understudy replica new c.yaml --name a --overwrite');
    expect(text).toContain('What b has cannot be given up so');
  });

  it('never claims to know what it does not', () => {
    expect(rangeText({ atLeast: 0, atMost: null })).toBe('an unknown number of blocks');
    expect(rangeText({ atLeast: 3, atMost: null })).toBe('at least 3 blocks');
    expect(rangeText({ atLeast: 1, atMost: 257 })).toBe('1 to 257 blocks (1 MiB)');
    expect(rangeText({ atLeast: 4, atMost: 4 })).toBe('exactly 4 blocks');
  });
});
