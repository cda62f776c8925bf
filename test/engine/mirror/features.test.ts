import { describe, expect, it } from 'vitest';
import {
  Feature,
  INCOMPATIBLE_KNOWN,
  OWN_FEATURES,
  ownFeatures,
  withBranch,
  withWindows,
} from '../../../engine/mirror/features.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

describe('the features of a replica', () => {
  it('are each a bit of its own, and known to this program', () => {
    const bits = Object.values(Feature);
    expect(new Set(bits).size).toBe(bits.length);
    for (const bit of bits) {
      expect(bit & (bit - 1)).toBe(0);
      expect(INCOMPATIBLE_KNOWN & bit).toBe(bit);
    }
  });

  it('are set and taken away one by one, whatever else is set', () => {
    for (const change of [withBranch, withWindows]) {
      const all = { ...OWN_FEATURES, compatible: 7, incompatible: INCOMPATIBLE_KNOWN };
      const without = change(all, false);
      expect(change(without, true)).toEqual(all);
      expect(change(without, false)).toEqual(without);
      const bit = all.incompatible ^ without.incompatible;
      expect([Feature.Branch, Feature.Windows]).toContain(bit);
    }
  });

  it('say nothing of a branch where a replica is new', () => {
    expect(ownFeatures(PAIR_CONFIG)).toEqual(OWN_FEATURES);
    expect(OWN_FEATURES.incompatible & Feature.Branch).toBe(0);
  });
});
