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
    expect(text).toContain('gives up what was written after the last state that far has');
    expect(text).toContain('--accept-loss');
  });

  it('is said to be refused while anybody is heard who has everything', () => {
    const text = lossOfText('data', 3, [{ node: 2, heard: true }], name);
    expect(text).toContain('b can be heard: it will be refused');
    expect(text).not.toContain('--accept-loss');
  });
});
