import { describe, expect, it } from 'vitest';
import { EXTENT_BYTES } from '../../../engine/core/units.ts';
import { Decision, Event } from '../../../engine/data/abi.ts';
import { metadataLayout } from '../../../engine/mirror/metadata.ts';
import { durablyHot, uncovered } from '../../support/mirror-cover.ts';
import { request } from '../../support/mirror-errors.ts';
import { LAYOUT } from '../../support/mirror-hosts.ts';
import { crowded, lapped } from '../../support/mirror-hot.ts';
import { LONG_CONFIG, PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import { started, swarmRun } from '../../support/mirror-swarm.ts';

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
    for (const [seed, config] of [
      ...[1, 2, 3].map((seed) => [seed, PAIR_CONFIG] as const),
      ...[4, 5, 6].map((seed) => [seed, LONG_CONFIG] as const),
    ]) {
      const pair = started(seed, [], config);
      for (let n = 0; n < 40; n += 1) {
        pair.runFor(25_000);
        expect(uncovered(pair)).toBe(null);
        if (n % 9 === 4) pair.cut();
        if (n % 9 === 8) pair.heal();
      }
    }
  });

  it('keeps its promises through faults when several journal pages name what is hot', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      expect([seed, ...swarmRun(seed, [], LONG_CONFIG).violations]).toEqual([seed]);
      expect([seed, ...lapped(seed).violations]).toEqual([seed]);
    }
  });

  it('answers each of many writes at once to cold extents, none before its page is durable', () => {
    for (let seed = 1; seed <= 6; seed += 1) expect(crowded(seed).violations).toEqual([]);
  });

  it('writes a page for a change, however long it is, and none for what is hot', () => {
    for (const perPage of [4, 896]) {
      const config = { ...LONG_CONFIG, journalExtents: perPage };
      const pair = new Pair({ seed: 1, config });
      let pages = 0;
      pair.runFor(300_000);
      pair.onDecision = (h, op, _slot, page) => {
        const { journal, map } = metadataLayout(config);
        if (h.node === 1 && op === Decision.MetaWrite && page >= journal && page < map) pages += 1;
      };
      for (let extent = 0; extent < 6; extent += 1) {
        for (const sector of [0, 8]) {
          const ended = request(pair, 1, Event.ReqWrite, (extent * EXTENT_BYTES) / 512 + sector, 8);
          pair.runFor(10_000);
          expect(ended.status).toBe(0);
        }
      }
      expect([perPage, pages]).toEqual([perPage, 6]);
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
