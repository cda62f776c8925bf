import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EqualSkipper, type SkipEqual } from '../../../engine/mirror/skip-equal.ts';

const PIECE = 4096;

function skipper(setting: SkipEqual, coarse: boolean, possible = true): EqualSkipper {
  const skip = new EqualSkipper(setting);
  skip.begin(possible, coarse);
  return skip;
}

/**
 * Of so many pieces, how many are compared, where `isEqual` says what is found, and so many
 * microseconds pass from one end to the next.
 */
function compared(
  skip: EqualSkipper,
  pieces: number,
  isEqual: (n: number) => boolean,
  sending = 40,
  comparing = 10,
): number {
  let count = 0;
  let now = 0;
  for (let n = 0; n < pieces; n += 1) {
    const takes = skip.takes();
    now += takes ? comparing : sending;
    if (!takes) skip.sent(PIECE, now);
    else if (isEqual(n)) skip.same(PIECE, now, false);
    else {
      skip.differs(PIECE);
      skip.sent(PIECE, now + sending);
    }
    if (takes) count += 1;
  }
  return count;
}

describe('whether a piece is compared before it is sent', () => {
  it('is always, or never, where somebody says so', () => {
    expect(compared(skipper('on', false), 100, () => false)).toBe(100);
    expect(compared(skipper('off', true), 100, () => true)).toBe(0);
  });

  it('is never asked of a target that answers nothing, or stopped answering', () => {
    for (const setting of ['on', 'auto'] as const) {
      expect(compared(skipper(setting, true, false), 100, () => true)).toBe(0);
      const skip = skipper(setting, true);
      skip.refused();
      expect(compared(skip, 100, () => true)).toBe(0);
      skip.begin(true, true);
      expect(compared(skip, 100, () => true)).toBeGreaterThan(70);
    }
  });

  it('by itself goes on while a quarter is equal, whatever the map came from', () => {
    for (const coarse of [true, false]) {
      const all = compared(skipper('auto', coarse), 400, () => true);
      expect(all).toBeGreaterThanOrEqual(380);
      expect(compared(skipper('auto', coarse), 400, (n) => n % 3 === 0)).toBeGreaterThan(150);
    }
  });

  it('by itself costs one piece in sixteen where nothing is equal, and a few to find out', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.nat(2000), (coarse, pieces) => {
        const count = compared(skipper('auto', coarse), pieces, () => false);
        expect(count).toBeLessThanOrEqual((coarse ? 16 : 1) + Math.ceil(pieces / 16));
      }),
    );
  });

  it('begins with a sample of what somebody changed, and finds what is equal behind it', () => {
    const skip = skipper('auto', false);
    expect(compared(skip, 16, () => false)).toBe(0);
    expect([skip.takes(), skip.takes()]).toEqual([true, false]);
    skip.differs(PIECE);
    const later = compared(skip, 400, (n) => n > 100);
    expect(later).toBeGreaterThan(250);
  });

  it('is not worth it for zeroes, which cost no payload anyway', () => {
    const skip = skipper('auto', true);
    let count = 0;
    for (let n = 0; n < 320; n += 1) {
      if (!skip.takes()) continue;
      count += 1;
      skip.same(PIECE, 10 * n, true);
    }
    expect(count).toBeLessThan(40);
    expect([skip.compared, skip.equal]).toEqual([count * PIECE, count * PIECE]);
  });

  it('by itself sends where that is quicker, and compares where it is not', () => {
    for (const coarse of [true, false]) {
      const quickWire = compared(skipper('auto', coarse), 1000, () => true, 10, 40);
      expect(quickWire).toBeLessThan(300);
      const slowWire = compared(skipper('auto', coarse), 1000, () => true, 1000, 40);
      expect(slowWire).toBeGreaterThan(960);
    }
  });

  it('measures first what sending takes, by pieces of the same length', () => {
    for (const coarse of [true, false]) {
      const skip = skipper('auto', coarse);
      for (let n = 0; n < 16; n += 1) expect([skip.short, skip.takes()]).toEqual([true, false]);
      expect([skip.short, skip.takes()]).toEqual([false, true]);
    }
    for (const setting of ['on', 'off'] as const) expect(skipper(setting, true).short).toBe(false);
    expect(skipper('auto', true, false).short).toBe(false);
  });
});
