import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { formatMetadata } from '../../../engine/mirror/metadata.ts';
import {
  brokenTaker,
  forgetful,
  lateAddition,
  metadataFirst,
  releasedInCopy,
  sourceForgets,
  tell,
  until,
  watched,
} from '../../support/mirror-cases.ts';
import { INPUT } from '../../support/mirror-hosts.ts';
import { aloneThenDark, started } from '../../support/mirror-swarm.ts';

describe('the role', () => {
  it('moves to the survivor when the primary loses power, and nothing acknowledged is lost', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const pair = started(seed);
      pair.runFor(300_000);
      pair.powerOff(1);
      pair.runFor(800_000);
      expect(pair.hosts[1].role).toBe('Primary');
      pair.powerOn(1);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('moves on request, after everything is flushed on both', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const pair = started(seed);
      pair.runFor(200_000);
      pair.switchOver();
      pair.runFor(200_000);
      expect(pair.record).toMatchObject({ primary: 2, epoch: 2, generation: 100 });
      expect(pair.hosts.map((h) => h.role)).toEqual(['Secondary', 'Primary']);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('of a fenced primary becomes secondary by itself (RULE-14)', () => {
    const pair = started(9);
    pair.isolate(1, true);
    pair.runFor(900_000);
    expect(pair.record.primary).toBe(2);
    pair.isolate(1, false);
    pair.runFor(900_000);
    expect(pair.hosts[0].role).toBe('Secondary');
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is doubted whatever failed: data, metadata, or a flush, on either host', () => {
    // A secondary under a steady primary writes no metadata.
    const ways = { 1: ['broken', 'metaBroken', 'forgetful'], 2: ['broken', 'forgetful'] } as const;
    for (const node of [1, 2] as const) {
      for (const how of ways[node]) {
        const pair = started(3);
        pair.runFor(200_000);
        pair.host(node)[how] = true;
        expect(until(pair, () => pair.host(node).disk === 'Failed')).toBe(true);
        pair.runFor(1_000);
        expect([node, how, pair.host(node).doubted]).toEqual([node, how, true]);
      }
    }
  });

  it('is refused with doubt where a write fails while the replica attaches', () => {
    const pair = started(3);
    pair.runFor(200_000);
    const seen = watched(pair);
    pair.host(1).metaBroken = true;
    pair.crashCore(1, 5_000);
    expect(until(pair, () => pair.host(1).disk === 'Failed')).toBe(true);
    const told = seen.flatMap(({ report: r }) => (r.kind === 'attached' ? [r] : []));
    expect(told).toMatchObject([{ disk: 'Failed', doubted: true }]);
  });

  it('of a restarted core begins again in a new epoch', () => {
    const pair = started(9);
    pair.runFor(200_000);
    pair.crashCore(1, 5_000);
    pair.runFor(300_000);
    expect(pair.marks.has('mirror.promote.earlier-session')).toBe(true);
    expect(pair.record.epoch).toBeGreaterThan(1);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('goes on alone only with everything acknowledged stable (RULE-11, RULE-12)', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      expect([seed, ...aloneThenDark(seed).violations]).toEqual([seed]);
    }
  });

  it('is wished for alone only when everything acknowledged is stable here (RULE-11)', () => {
    const breaches = (seed: number, canaries: readonly string[]): readonly string[] => {
      const pair = started(seed, canaries);
      pair.runFor(200_000);
      let wishes = 0;
      watched(pair, (report) => {
        if (report.kind !== 'want' || report.members.length > 1) return true;
        wishes += 1;
        // From the commit on, the log takes this replica for the only one that has everything.
        pair.history.checkStable(1, pair.hosts[0].stable, pair.now);
        return true;
      });
      pair.cut();
      expect(until(pair, () => wishes > 0)).toBe(true);
      return pair.violations;
    };
    const seeds = Array.from({ length: 24 }, (_, i) => i + 1);
    expect(seeds.flatMap((seed) => breaches(seed, []))).toEqual([]);
    expect(seeds.flatMap((seed) => breaches(seed, ['RULE-11'])).length).toBeGreaterThan(0);
  });

  it('of a primary whose disk fails ends, and the peer takes over', () => {
    const pair = started(3);
    pair.runFor(200_000);
    pair.hosts[0].broken = true;
    pair.runFor(900_000);
    expect(pair.hosts[0].disk).toBe('Failed');
    expect(pair.record).toMatchObject({ primary: 2, members: [{ node: 2 }] });
    const done = pair.completedBy(2);
    pair.runFor(500_000);
    expect(pair.completedBy(2)).toBeGreaterThan(done);
    expect(pair.violations).toEqual([]);
  });

  it('goes on without a secondary whose disk fails', () => {
    const pair = started(3);
    pair.runFor(200_000);
    pair.hosts[1].broken = true;
    pair.runFor(500_000);
    expect(pair.hosts[1].disk).toBe('Failed');
    expect(pair.record).toMatchObject({ primary: 1, members: [{ node: 1 }] });
    const done = pair.completedBy(1);
    pair.runFor(500_000);
    expect(pair.completedBy(1)).toBeGreaterThan(done);
    expect(pair.violations).toEqual([]);
  });

  it('is not for a replica whose flush failed, whatever restarts, until it is copied to', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = forgetful(seed);
      expect(pair.hosts[0].doubted).toBe(true);
      expect(pair.hosts[0].role).not.toBe('Primary');
      pair.isolate(2, false);
      pair.settle();
      expect(pair.hosts.map(({ disk }) => disk)).toEqual(['UpToDate', 'UpToDate']);
      expect(pair.violations).toEqual([]);
    }
  });

  it('is not for one whose metadata failed first, and then the flush with the cache', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = metadataFirst(seed);
      expect(pair.hosts[0].doubted).toBe(true);
      expect(pair.hosts[0].role).not.toBe('Primary');
      pair.isolate(2, false);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is not for the source of a copy whose flush fails before the target is admitted', () => {
    let seen = 0;
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = sourceForgets(seed);
      if (pair === null) continue;
      seen += 1;
      expect(pair.hosts[0].doubted).toBe(true);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
    expect(seen).toBeGreaterThan(4);
  });

  it('survives the power loss of both hosts with everything flushed', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const pair = started(seed);
      pair.runFor(400_000);
      pair.powerOff(1);
      pair.powerOff(2);
      pair.runFor(400_000);
      pair.powerOn(2);
      pair.runFor(300_000);
      pair.powerOn(1);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('handed over during a resync forgets no copy that the target may lose', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      expect([seed, ...releasedInCopy(seed).violations]).toEqual([seed]);
    }
  });

  it('is taken again by a replica that an abandoned take-over left Outdated', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const pair = started(seed);
      pair.powerOff(2);
      const [a, b] = pair.hosts;
      tell(pair, [1], { primary: 2, members: [{ node: 2, boot: b.boot - 1 }], generation: 5_001 });
      expect(until(pair, () => a.disk === 'Outdated')).toBe(true);
      tell(pair, [1], { primary: 1, members: [{ node: 1, boot: a.boot }], generation: 5_002 });
      expect(until(pair, () => a.role === 'Primary')).toBe(true);
      pair.powerOn(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('after a taker that never served leaves its generation a known ancestor', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const pair = started(seed);
      pair.load(false);
      pair.runFor(100_000);
      const [a, b] = pair.hosts;
      pair.isolate(1, true);
      pair.cut();
      tell(pair, [2], { primary: 2, members: [{ node: 2, boot: b.boot }], generation: 5_001 });
      expect(until(pair, () => pair.activeNode === 2)).toBe(true);
      pair.powerOff(2);
      const members = [{ node: 1, boot: a.boot }];
      pair.isolate(1, false);
      tell(pair, [1], { primary: 1, members, generation: 5_002, voided: [5_001] });
      pair.load(true);
      pair.runFor(300_000);
      pair.powerOn(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('goes on alone when a late record names a peer that is copied to and is lost', () => {
    let found = 0;
    for (let seed = 1; seed <= 30 && found < 3; seed += 1) {
      const pair = lateAddition(seed);
      if (pair === null) continue;
      found += 1;
      const done = pair.writesCompleted;
      pair.runFor(2_000_000);
      expect([seed, pair.writesCompleted > done]).toEqual([seed, true]);
      pair.powerOn(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
    expect(found).toBe(3);
  });

  it('ends, and is given up when asked, where the disk fails under the record itself', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = brokenTaker(seed, seed % 2 === 0 ? 'broken' : 'metaBroken', seed > 4);
      const [a, b] = pair.hosts;
      const seen = watched(pair);
      const { epoch } = pair.record;
      pair.command(b, { kind: 'demote', epoch, cause: 'c' });
      const stopped = () =>
        seen.some(({ node, report: r }) => node === 2 && r.kind === 'stopped' && r.epoch === epoch);
      expect([seed, until(pair, stopped, 100_000)]).toEqual([seed, true]);
      tell(pair, [2], { primary: 1, members: [{ node: 1, boot: a.boot }], generation: 5_002 });
      expect([seed, until(pair, () => b.role === 'Secondary', 100_000)]).toEqual([seed, true]);
      expect(b.disk).toBe('Failed');
    }
  });

  it('comes back to the primary that gave it up without the link being lost', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = started(seed);
      const seen = watched(pair);
      pair.command(pair.host(1), { kind: 'demote', epoch: pair.record.epoch, cause: 'c' });
      expect(until(pair, () => seen.some(({ report: r }) => r.kind === 'stopped'))).toBe(true);
      const from = seen.length;
      tell(pair, [1, 2], {});
      const again = () => seen.slice(from).some(({ report: r }) => r.kind === 'active');
      expect([seed, until(pair, again, 60_000)]).toEqual([seed, true]);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is never taken by a half-copied replica, whoever names it', () => {
    const pair = started(1);
    const [a, b] = pair.hosts;
    pair.powerOff(1);
    pair.powerOff(2);
    for (const { page, bytes } of formatMetadata(pair.config, 2, 100, 'Inconsistent')) {
      b.meta.set(page, bytes);
    }
    tell(pair, [], { primary: 2, members: [{ node: 2, boot: b.boot }], generation: 5_001 });
    pair.powerOn(2);
    pair.runFor(1_000_000);
    expect([a.powered, b.disk, b.role]).toEqual([false, 'Inconsistent', 'Suspended']);
  });

  it('ignores a record that a control tells which has not caught up yet', () => {
    const pair = started(4);
    const seen = watched(pair);
    const { record } = pair;
    pair.switchOver();
    expect(until(pair, () => pair.host(2).role === 'Primary')).toBe(true);
    pair.crashCore(1, 1_000);
    expect(until(pair, () => pair.host(1).actor !== null)).toBe(true);
    const old = { ...record, primary: 2, members: [{ node: 2, boot: 20 }] };
    const command = { kind: 'record', record: old, cause: 'c' } as const;
    pair.give(pair.host(1), { ...INPUT, op: Event.Control, command });
    const from = seen.length;
    expect(until(pair, () => pair.host(1).attached)).toBe(true);
    pair.runFor(5_000);
    const records = seen.slice(from).flatMap(({ node, report: r }) => {
      return node === 1 && r.kind === 'event' && r.event.kind === 'mirror.record'
        ? [r.event.d]
        : [];
    });
    expect(records.filter((d) => (d['epoch'] as number) <= record.epoch)).toEqual([]);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
