import { describe, expect, it } from 'vitest';
import { isAlive, isDiskOf } from '../../../engine/data/messages.ts';

describe('a member', () => {
  it('is a disk in a boot of its host', () => {
    const member = { node: 1, boot: 11, disk: 7 };
    expect([isAlive(member, 11, 7), isAlive(member, 12, 7), isAlive(member, 11, 8)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isDiskOf(member, 7), isDiskOf(member, 8)]).toEqual([true, false]);
    expect(isAlive(undefined, 11, 7)).toBe(false);
  });

  it('is whatever disk there is where nobody says which', () => {
    const member = { node: 1, boot: 11 };
    expect([isAlive(member, 11, 8), isDiskOf(member, 8)]).toEqual([true, true]);
    expect([isAlive({ ...member, disk: 7 }, 11, 0), isAlive(member, 12, 0)]).toEqual([true, false]);
  });
});
