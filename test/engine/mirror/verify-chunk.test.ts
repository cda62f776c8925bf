import { describe, expect, it } from 'vitest';
import { Decision, Flag } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import { BLOCK_SECTORS, written } from '../../support/mirror-errors.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import { corrupt, different, digestsHeld, order, verified } from '../../support/mirror-verify.ts';

/** How often each replica is asked for payload, and for digests, from now on. */
function asked(pair: Pair): { payload: number; digests: number } {
  const counts = { payload: 0, digests: 0 };
  for (const h of pair.hosts) {
    const step = h.actor?.step.bind(h.actor);
    if (h.actor === null || step === undefined) throw new Error('no core');
    h.actor.step = (count, now) => {
      const decisions = step(count, now);
      const { op, flags } = {
        op: (r: number) => h.memory.decisions.op(r),
        flags: (r: number) => h.memory.decisions.flags(r),
      };
      for (let r = 0; r < decisions; r += 1) {
        if (op(r) !== Decision.PeerRead) continue;
        if (flags(r) === Flag.Digest) counts.digests += 1;
        else counts.payload += 1;
      }
      return decisions;
    };
  }
  return counts;
}

describe('a chunk in hand', () => {
  it('is compared by digests alone where that was ordered', () => {
    const pair = written(1);
    corrupt(pair, 2, [9]);
    const counts = asked(pair);
    expect(verified(pair, 1, { level: 'digest', repair: true })).toMatchObject({ repaired: 1 });
    expect(counts.payload).toBe(0);
    expect(counts.digests).toBeGreaterThan(10);
  });

  it('by content still judges, and clears, a single block by digests: they are evidence', () => {
    const pair = written(2);
    corrupt(pair, 2, [9]);
    const counts = asked(pair);
    const report = verified(pair, 1, { level: 'direct', repair: true });
    expect(report).toMatchObject({ differing: 1, repaired: 1 });
    // Each block of the chunk alone, and the one that differed once more.
    expect(counts.digests).toBeGreaterThanOrEqual(5);
    expect(different(pair)).toEqual([]);
  });

  it('is held against the own disk, whatever the peer answers', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      expect([seed, ...digestsHeld(seed).violations]).toEqual([seed]);
    }
  });

  it('is seen to its end by a resync where the other disk keeps what it has', () => {
    const pair = written(4);
    corrupt(pair, 2, [9]);
    for (let s = 0; s < BLOCK_SECTORS; s += 1)
      pair.host(2).stuck.set(9 * BLOCK_SECTORS + s, 'lies');
    const ordered = order(pair, 1, { level: 'digest', repair: true });
    until(pair, () => ordered.ended(), 10_000_000);
    expect(ordered.last()).toMatchObject({ differing: 1 });
  });
});
