import { describe, expect, it } from 'vitest';
import { judgeSkips, parseExpectedSkips } from '../../tools/testing/expected-skips.ts';

describe('the list of expected skips', () => {
  const list = parseExpectedSkips(
    '# a comment\n\ntest/real/ublk.test.ts > * — kernel 6.1 has no ublk\n',
  );

  it('reads a pattern and a reason from each line that is no comment', () => {
    expect(list).toEqual([
      { pattern: 'test/real/ublk.test.ts > *', reason: 'kernel 6.1 has no ublk' },
    ]);
  });

  it('refuses a line that gives no reason', () => {
    expect(() => parseExpectedSkips('test/real/ublk.test.ts > *')).toThrow('expected-skips:1');
  });

  it('allows a listed skip and gives the reason of the list', () => {
    const [skip] = judgeSkips([{ name: 'test/real/ublk.test.ts > a > b', note: undefined }], list);
    expect(skip).toMatchObject({ listed: true, reason: 'kernel 6.1 has no ublk' });
  });

  it('does not allow a skip whose name only contains a listed one', () => {
    const name = 'x/test/real/ublk.test.ts > a';
    expect(judgeSkips([{ name, note: undefined }], list)[0]?.listed).toBe(false);
  });

  it('takes a dot of a pattern for a dot', () => {
    const name = 'test/real/ublkXtest.ts > a';
    expect(judgeSkips([{ name, note: undefined }], list)[0]?.listed).toBe(false);
  });

  it('prefers what the test itself said', () => {
    const [skip] = judgeSkips([{ name: 'other', note: 'needs root' }], list);
    expect(skip).toMatchObject({ listed: false, reason: 'needs root' });
  });
});
