import { describe, expect, it } from 'vitest';
import { Decision, Event } from '../../../engine/data/abi.ts';
import { olderDisk, recordBetween, watched } from '../../support/mirror-cases.ts';
import { badSource, blocks, done } from '../../support/mirror-errors.ts';
import { PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import {
  adoptedThenBack,
  comparedAndSwappedBack,
  swappedBack,
} from '../../support/mirror-swapped.ts';
import { started, swarmRun } from '../../support/mirror-swarm.ts';

describe('the source of a resync', () => {
  it('copies while the application goes on, and the copy is equal', () => {
    for (const seed of [11, 12, 13]) {
      const pair = started(seed);
      pair.runFor(100_000);
      pair.cut();
      pair.runFor(700_000);
      pair.heal();
      pair.runFor(500_000);
      expect(pair.record.members).toHaveLength(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('begins again from what is left when it is interrupted at any moment', () => {
    for (let n = 0; n < 12; n += 1) {
      const pair = started(20 + n);
      pair.cut();
      pair.runFor(400_000);
      pair.heal();
      pair.runFor(20_000 + n * 9_000);
      pair.cut();
      pair.runFor(50_000);
      pair.heal();
      pair.settle();
      expect([n, ...pair.violations]).toEqual([n]);
    }
  });

  it('ends soon, whenever a record comes while a copy is agreed on', () => {
    const marks = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const pair = recordBetween(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      for (const mark of pair.marks) marks.add(mark);
    }
    expect([...marks]).toContain('mirror.resync.record-between');
  });

  it('copies everything to a disk that is older than what its map began with', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const pair = olderDisk(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect([...pair.marks]).toContain('mirror.resync.everything');
    }
  });

  it('copies no more than it has to after everything that leaves disks as they were', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const { violations, marks } = swarmRun(seed);
      expect([seed, violations]).toEqual([seed, []]);
      expect([...marks]).not.toContain('mirror.resync.everything');
    }
  });

  it('yields to an application whose requests take too long, and ends all the same', () => {
    const copied = [1, 60_000_000].map((resyncLatency) => {
      const config = { ...PAIR_CONFIG, resyncLatency, resyncRateMin: 65_536 };
      const pair = new Pair({ seed: 50, config, fresh: [2] });
      pair.load(true);
      pair.runFor(100_000);
      let bytes = 0;
      pair.onDecision = (host, op, slot, _offset, length) => {
        const { frontSlots, peerSlots } = host.memory.layout;
        if (op === Decision.PeerWrite && slot >= frontSlots + peerSlots) bytes += length;
      };
      pair.runFor(400_000);
      const early = bytes;
      pair.settle();
      expect(pair.violations).toEqual([]);
      return early;
    });
    expect(copied[0]).toBeGreaterThan(0);
    expect(2 * (copied[0] as number)).toBeLessThan(copied[1] as number);
  });

  it('goes on without what its disk cannot read, and never ends without it', () => {
    for (const seed of [40, 41, 42]) {
      const pair = started(seed);
      pair.runFor(200_000);
      pair.powerOff(2);
      pair.runFor(1_500_000);
      pair.load(false);
      pair.runFor(100_000);
      const h = pair.host(1);
      const fresh = blocks(pair, 40).filter((first) => {
        for (let s = first; s < first + 8; s += 1) {
          if (h.cache[s] !== pair.host(2).cache[s]) return true;
        }
        return false;
      });
      const bad = fresh[3] as number;
      h.unreadable.add(bad + 1);
      const seen = watched(pair);
      pair.powerOn(2);
      pair.runFor(3_000_000);
      expect([h.linkState, h.disk]).toEqual(['SyncSource', 'UpToDate']);
      const left = seen.flatMap(({ report }) =>
        report.kind === 'event' && report.event.kind === 'mirror.resync.progress'
          ? [report.event.d['dirty']]
          : [],
      );
      expect(left.at(-1)).toBe(1);
      expect(pair.record.members).toHaveLength(1);
      // Said once, though it was tried each second.
      const told = seen.filter(({ report }) => {
        return report.kind === 'event' && report.event.kind === 'mirror.resync.unreadable';
      });
      expect(told).toHaveLength(1);
      for (const first of fresh) {
        if (first === bad) continue;
        expect(pair.host(2).cache[first]).toBe(h.cache[first]);
      }
      // A client writes the block: now there is something to copy.
      expect(done(pair, 1, Event.ReqWrite, bad, 8)).toBe(0);
      pair.settle();
      expect([pair.violations, h.unreadable.size]).toEqual([[], 0]);
    }
  });

  it('breaks no law and heals when sectors go bad while it copies', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      expect([seed, ...badSource(seed).violations]).toEqual([seed]);
    }
  });

  it('copies no block that a client has meanwhile written whole, and each written in part', () => {
    for (const [seed, sectors] of [
      [43, 8],
      [44, 3],
    ] as const) {
      const pair = started(seed);
      pair.runFor(200_000);
      pair.powerOff(2);
      pair.runFor(1_500_000);
      pair.load(false);
      pair.runFor(100_000);
      const [h, other] = [pair.host(1), pair.host(2)];
      const bad = blocks(pair, 40).find((first) => h.cache[first + 5] !== other.cache[first + 5]);
      // The copy waits for this block alone, so that the client's write comes before it.
      h.unreadable.add((bad as number) + 1);
      pair.powerOn(2);
      pair.runFor(3_000_000);
      expect(h.linkState).toBe('SyncSource');
      h.unreadable.clear();
      let reads = 0;
      pair.onDecision = (host, op, _slot, offset) => {
        if (host === h && op === Decision.LocalRead && offset === (bad as number) * 512) reads += 1;
      };
      expect(done(pair, 1, Event.ReqWrite, bad as number, sectors)).toBe(0);
      pair.settle();
      expect([seed, pair.violations, reads]).toEqual([seed, [], sectors === 8 ? 0 : 1]);
      expect(other.cache[(bad as number) + 5]).toBe(h.cache[(bad as number) + 5]);
    }
  });

  it('sends zeroes as zeroes, and says how many', () => {
    const pair = new Pair({ seed: 31, fresh: [2] });
    const seen = watched(pair);
    pair.runFor(4_000_000);
    pair.settle();
    const ends = seen.flatMap(({ report }) =>
      report.kind === 'event' && report.event.kind === 'mirror.resync.end' ? [report.event.d] : [],
    );
    // Nobody has written anything: what a disk holds then is zero.
    expect(ends).toMatchObject([{ copied: 0 }]);
    // What was copied before the target's map came is copied once more.
    const { zeroed } = ends[0] as { zeroed: number };
    expect(zeroed).toBeGreaterThanOrEqual(pair.config.sizeBytes);
    expect(zeroed).toBeLessThan(pair.config.sizeBytes * 1.1);
    expect(pair.violations).toEqual([]);
  });

  it('fills the old disk in full when that comes back while a new one is filled', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      for (const schedule of [swappedBack, comparedAndSwappedBack])
        expect([seed, ...schedule(seed).violations]).toEqual([seed]);
    }
  });

  it('fills a disk in full that comes back after a finished copy to it came to nothing', () => {
    for (let seed = 1; seed <= 24; seed += 1) {
      expect([seed, ...adoptedThenBack(seed).violations]).toEqual([seed]);
    }
  });

  it('fills a replacement that has never had data', () => {
    const pair = new Pair({ seed: 30, fresh: [2] });
    pair.load(true);
    pair.runFor(400_000);
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect(pair.hosts[1].disk).toBe('UpToDate');
  });

  it('never lets old data overwrite new: a copy holds its range', () => {
    let seen = 0;
    for (let seed = 40; seed < 60 && seen === 0; seed += 1) {
      const pair = started(seed, ['resync-race']);
      pair.cut();
      pair.runFor(400_000);
      pair.heal();
      pair.runFor(300_000);
      pair.settle();
      seen += pair.violations.length;
    }
    expect(seen).toBeGreaterThan(0);
  });
});
