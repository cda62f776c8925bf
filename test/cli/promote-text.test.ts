import { describe, expect, it } from 'vitest';
import { lossOfText } from '../../cli/promote-text.ts';

const name = (node: number): string => ['?', 'a', 'b', 'far'][node] ?? '?';

describe('what promoting an asynchronous replica would cost', () => {
  it('is what was written after its last state, and how to order it', () => {
    const members = [
      { node: 1, heard: false },
      { node: 2, heard: false },
    ];
    const text = lossOfText('data', 3, members, name);
    expect(text).toContain('everything is on a, b.');
    expect(text).toContain('gives up what was written after the last state that far\nhas.');
    expect(text).toContain('--accept-loss');
  });

  it('is, of one in sync that lost its power, what the other alone may have', () => {
    const members = [
      { node: 1, heard: true },
      { node: 2, heard: false },
    ];
    const text = lossOfText('data', 1, members, name);
    expect(text).toContain('a and b are in sync');
    expect(text).toContain('may be on b alone: going on from a\ngives that up');
    expect(text).toContain('Everything that was flushed is on a.');
    expect(text).toContain('--accept-loss');
    const other = lossOfText(
      'data',
      1,
      members.map((each) => ({ ...each, heard: true })),
      name,
    );
    expect(other).toContain('b can be heard: it will be refused');
  });

  it('is said to be refused while anybody is heard who has everything', () => {
    const text = lossOfText('data', 3, [{ node: 2, heard: true }], name);
    expect(text).toContain('b can be heard: it will be refused');
    expect(text).not.toContain('--accept-loss');
  });
});
