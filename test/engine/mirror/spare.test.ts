import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { formatMetadata } from '../../../engine/mirror/metadata.ts';
import { until } from '../../support/mirror-cases.ts';
import { BLOCK_SECTORS, blocks, done, mend } from '../../support/mirror-errors.ts';
import {
  copyLost,
  moved,
  movedOf,
  movedThenRestarted,
  spoilFor,
  standsAt,
  tableLost,
  wornUnderLoad,
} from '../../support/mirror-moved.ts';
import { PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';

const MS = 1000;

describe('a block that cannot be put right where it is', () => {
  it('stands in the spare area from then on, and is read and written there', () => {
    for (const seed of [1, 2, 3, 4]) {
      const [pair, first] = moved(seed);
      const h = pair.host(1);
      const block = Math.floor(first / BLOCK_SECTORS);
      expect(movedOf(pair, 1)).toEqual([block]);
      expect(done(pair, 1, Event.ReqWrite, block * BLOCK_SECTORS, BLOCK_SECTORS)).toBe(0);
      expect(standsAt(pair, 1, first)).toBeGreaterThanOrEqual(h.sectors);
      expect(h.cache[standsAt(pair, 1, first)]).toBe(pair.host(2).cache[first]);
      // Its own disk has it: nobody asks the peer.
      pair.marks.delete('mirror.read.served-by-peer');
      expect(done(pair, 1, Event.ReqRead, block * BLOCK_SECTORS - 8, 4 * BLOCK_SECTORS)).toBe(0);
      expect(pair.marks.has('mirror.read.served-by-peer')).toBe(false);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('breaks no law, whatever goes bad for good on either host under load and faults', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const pair = wornUnderLoad(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
    }
  });

  it('is found where it stands after a restart, though its old place can be read again', () => {
    for (const seed of [1, 2, 3]) {
      const pair = movedThenRestarted(seed);
      expect(pair.violations).toEqual([]);
      expect(pair.marks.has('mirror.spare.attached')).toBe(true);
    }
  });

  it('moves again when the spare block goes bad, and the last place counts', () => {
    const [pair, first] = moved(5);
    const h = pair.host(1);
    const before = standsAt(pair, 1, first);
    spoilFor(h, before, 'lies');
    pair.marks.delete('mirror.repair.moved');
    expect(done(pair, 1, Event.ReqRead, first - (first % 8), BLOCK_SECTORS)).toBe(0);
    expect(until(pair, () => pair.marks.has('mirror.repair.moved'))).toBe(true);
    expect(standsAt(pair, 1, first)).toBe(before + BLOCK_SECTORS);
    mend(pair);
    pair.crashCore(1, 5 * MS);
    pair.runFor(1_000 * MS);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is never repaired from a copy that is not there: both bad is lost, and stays lost', () => {
    const [pair, first] = moved(6);
    const block = first - (first % BLOCK_SECTORS);
    spoilFor(pair.host(1), standsAt(pair, 1, first), 'lies');
    spoilFor(pair.host(2), first, 'lies');
    expect(done(pair, 1, Event.ReqRead, block, BLOCK_SECTORS)).not.toBe(0);
    pair.runFor(50 * MS);
    // Its old place may be readable by now: what stands there is nobody's.
    for (const sector of [...pair.host(1).unreadable]) {
      if (sector < pair.host(1).sectors) pair.host(1).unreadable.delete(sector);
    }
    expect(done(pair, 1, Event.ReqRead, block, BLOCK_SECTORS)).not.toBe(0);
    expect(pair.hosts.map(({ disk }) => disk)).toEqual(['UpToDate', 'UpToDate']);
  });
});

describe('the table of moved blocks', () => {
  it('is as good with one copy, and has two again after the next start', () => {
    for (const seed of [1, 2, 3, 4]) {
      const pair = copyLost(seed);
      expect(pair.violations).toEqual([]);
      expect(pair.marks.has('mirror.spare.mended')).toBe(true);
    }
  });

  it('that is lost makes the replica unusable: nobody knows what stands elsewhere', () => {
    for (const seed of [1, 2, 3]) expect(tableLost(seed).violations).toEqual([]);
  });
});

describe('a replica without a spare area', () => {
  it('stays as it is, and leaves to its peer what it cannot put right', () => {
    const pair = new Pair({ seed: 7 });
    // As an earlier version made it.
    const plain = { compatible: 0, readOnlyCompatible: 0, incompatible: 0 };
    const h = pair.host(1);
    pair.powerOff(1);
    h.meta.clear();
    const device = '1'.repeat(32);
    for (const { page, bytes } of formatMetadata(PAIR_CONFIG, 1, 100, 'UpToDate', device, plain)) {
      h.meta.set(page, bytes);
    }
    const pages = h.meta.size;
    pair.powerOn(1);
    pair.load(true);
    pair.runFor(1_500 * MS);
    pair.load(false);
    pair.runFor(200 * MS);
    const leader = pair.record.primary;
    if (leader !== 1) {
      pair.switchOver();
      until(pair, () => pair.record.primary === 1 && pair.host(1).role === 'Primary');
    }
    const [first] = blocks(pair, 1) as [number];
    spoilFor(h, first, 'lies');
    for (let n = 0; n < 3; n += 1) {
      expect(done(pair, 1, Event.ReqRead, first - (first % 8), BLOCK_SECTORS)).toBe(0);
    }
    pair.runFor(50 * MS);
    expect(pair.marks.has('mirror.repair.read-back')).toBe(true);
    expect([h.disk, h.meta.size]).toEqual(['UpToDate', pages]);
    mend(pair);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
