import { describe, expect, it } from 'vitest';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import { lossOf } from '../../../engine/mirror/branch.ts';
import {
  countedAfterCrash,
  countedAlone,
  FORK,
  flushedWhileFilled,
  forked,
  give,
  givenUp,
  givenUpTooEarly,
  givenUpTooLate,
  orderOf,
  resolved,
  takenBack,
  untouched,
} from '../../support/mirror-split.ts';

const SEEDS = [1, 2, 3, 4];

describe('two branches', () => {
  it('are found on both sides, and neither is touched without an order', () => {
    for (const seed of SEEDS) {
      const { pair, branches, kept } = forked(seed);
      const [a, b] = branches;
      expect(a).toMatchObject({ verdict: 'split-brain', peer: FORK, shared: 100 });
      expect(b).toMatchObject({ verdict: 'split-brain', generation: FORK, peer: a?.generation });
      expect([a?.parents, b?.parents]).toEqual([[100], [100]]);
      expect(pair.hosts.map((h) => h.linkState)).toEqual(['Refused', 'Refused']);
      pair.runFor(5_000_000);
      untouched(pair, 1, kept[0]);
      untouched(pair, 2, kept[1]);
      expect(pair.violations).toEqual([]);
    }
  });

  it('become one by order, whichever is kept, and all of what is kept is copied', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = givenUp(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(pair.marks.has('mirror.branch.given-up')).toBe(true);
    }
  });

  it('stay two when the order means other data than there are', () => {
    for (const seed of SEEDS) expect(givenUpTooLate(seed).violations).toEqual([]);
  });

  it('are found and joined where one has seen epochs that the log has not', () => {
    for (const seed of SEEDS) {
      const fork = forked(seed, { ahead: 40 });
      expect(fork.pair.marks.has('mirror.branch.ahead')).toBe(true);
      expect(fork.branches[1]?.epoch).toBeGreaterThan(fork.pair.record.epoch);
      give(fork, orderOf(fork, 2));
      resolved(fork, 2);
      expect(fork.pair.violations).toEqual([]);
    }
  });

  it('may be strangers, and even then become one by order', () => {
    for (const victim of [1, 2]) {
      const fork = forked(3, { comes: 'stranger' });
      expect(fork.branches.map((b) => b?.verdict)).toEqual(['unrelated', 'unrelated']);
      give(fork, orderOf(fork, victim));
      resolved(fork, victim);
      expect(fork.pair.violations).toEqual([]);
    }
  });

  it('survive a loss of power of the victim in the middle of the copy, and of its source', () => {
    for (const seed of SEEDS) {
      for (const node of [1, 2]) {
        const fork = forked(seed);
        give(fork, orderOf(fork, 1));
        fork.pair.runFor(20_000);
        fork.pair.powerOff(node);
        fork.pair.runFor(200_000);
        fork.pair.powerOn(node);
        resolved(fork, 1);
        expect([seed, node, ...fork.pair.violations]).toEqual([seed, node]);
      }
    }
  });

  it('stay two when the order is not confirmed, or was taken back by the time', () => {
    for (const seed of SEEDS) {
      expect([seed, ...givenUpTooEarly(seed).violations]).toEqual([seed]);
      expect([seed, ...takenBack(seed).violations]).toEqual([seed]);
    }
  });

  it('wait for their disks with each flush while one of them is filled', () => {
    for (const seed of SEEDS) {
      expect([seed, ...flushedWhileFilled(seed).violations]).toEqual([seed]);
    }
  });

  it('count no block as changed that was only not known stable when the link was lost', () => {
    for (const seed of SEEDS) expect([seed, ...countedAlone(seed).violations]).toEqual([seed]);
  });

  it('count no block as changed that was only hot in a crash', () => {
    for (const seed of SEEDS) expect([seed, ...countedAfterCrash(seed).violations]).toEqual([seed]);
  });
});

describe('an order by which a loss was accepted', () => {
  it('counts from whichever record is newer, and no other order does', () => {
    const order = { ...{ node: 1, generation: 5, keeps: 5, order: 7, atMost: -1 }, taker: 2 };
    const discard = { ...order, by: 'accept-loss', confirmed: false } as const;
    const plain = { volume: 'v', primary: 2, members: [], generation: 9 };
    const before: VolumeRecord = { ...plain, epoch: 6 };
    const standing: VolumeRecord = { ...plain, epoch: 7, discard };
    const over: VolumeRecord = { ...plain, epoch: 8 };
    // A host that was away hears of it by its peer's record, before its own control says it.
    expect([lossOf(before, standing), lossOf(standing, before)]).toEqual([discard, discard]);
    expect([lossOf(null, standing), lossOf(standing, over)]).toEqual([discard, undefined]);
    const { taker: _, ...branches } = discard;
    expect(lossOf(null, { ...standing, discard: branches })).toBe(undefined);
  });
});
