import { describe, expect, it } from 'vitest';
import { EXTENT_BYTES } from '../../../engine/core/units.ts';
import { Decision } from '../../../engine/data/abi.ts';
import { durablyHot, uncovered } from '../../support/mirror-cover.ts';
import { LAYOUT } from '../../support/mirror-hosts.ts';
import { Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

/** Application writes that were issued to an extent not durably hot. */
function coldWrites(canaries: readonly string[]): number {
  const pair = new Pair({ seed: 5, canaries });
  let cold = 0;
  let writes = 0;
  pair.onDecision = (h, op, slot, offset, length) => {
    if (op !== Decision.LocalWrite || slot >= LAYOUT.frontSlots) return;
    const hot = durablyHot(pair.config, h.meta);
    for (let at = offset; at < offset + length; at += 512) {
      if (!hot.has(Math.floor(at / EXTENT_BYTES))) cold += 1;
    }
    writes += 1;
  };
  pair.runFor(300_000);
  pair.load(true);
  pair.runFor(700_000);
  expect(writes).toBeGreaterThan(100);
  expect(pair.marks.has('mirror.al.full')).toBe(true);
  return cold;
}

describe('activity log', () => {
  it('has every extent durably hot before data is written to it (RULE-04)', () => {
    expect(coldWrites([])).toBe(0);
    expect(coldWrites(['RULE-04'])).toBeGreaterThan(0);
  });

  it('covers, with the map, every difference that a crash could leave (LAW-cover)', () => {
    for (const seed of [1, 2, 3]) {
      const pair = started(seed);
      for (let n = 0; n < 40; n += 1) {
        pair.runFor(25_000);
        expect(uncovered(pair)).toBe(null);
        if (n % 9 === 4) pair.cut();
        if (n % 9 === 8) pair.heal();
      }
    }
  });

  it('lets an extent go cold only when its writes are stable on both replicas (RULE-07)', () => {
    const pair = started(1, ['RULE-07']);
    let seen: string | null = null;
    for (let n = 0; n < 40 && seen === null; n += 1) {
      pair.runFor(25_000);
      seen = uncovered(pair);
    }
    expect(seen === null).toBe(false);
  });
});
