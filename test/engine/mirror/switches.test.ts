import { describe, expect, it } from 'vitest';
import { MIRROR_CANARIES } from '../../../engine/mirror/canaries.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';

describe('planted bugs', () => {
  it('have a switch each, off by default, and leave those of other parts alone', () => {
    const off = canarySwitches(new Set(['placement-coin']));
    expect(Object.values(off).some((on) => on)).toBe(false);
    expect(Object.keys(off)).toHaveLength(MIRROR_CANARIES.length);
    for (const { id } of MIRROR_CANARIES) {
      const on = Object.values(canarySwitches(new Set([id]))).filter((value) => value);
      expect([id, on.length]).toEqual([id, 1]);
    }
  });
});
