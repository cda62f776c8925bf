import { describe, expect, it } from 'vitest';
import { Event, Status } from '../../../engine/data/abi.ts';
import { READ_ERRORS_MAX } from '../../../engine/mirror/config.ts';
import { mediumError } from '../../../engine/mirror/repair.ts';
import { until, watched } from '../../support/mirror-cases.ts';
import {
  BLOCK_SECTORS,
  badSectors,
  blocks,
  done,
  lyingSector,
  mend,
  named,
  repairMeetsWrite,
  request,
  written,
} from '../../support/mirror-errors.ts';
import { lastGoodCopy } from '../../support/mirror-many-cases.ts';
import { spareSectors } from '../../support/mirror-moved.ts';

const MS = 1000;

describe('a read that the own disk could not do', () => {
  it('breaks no law, whatever goes bad on either host under load and faults', () => {
    for (let seed = 1; seed <= 24; seed += 1) {
      const pair = badSectors(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(pair.completed).toBeGreaterThan(200);
    }
  });

  it('is served by the peer, and the block is written again and read back', () => {
    const pair = written(1);
    const seen = watched(pair);
    const places = blocks(pair, 5);
    const h = pair.host(1);
    for (const first of places) h.unreadable.add(first + 3);
    for (const first of places) {
      expect(done(pair, 1, Event.ReqRead, first, BLOCK_SECTORS)).toBe(0);
    }
    until(pair, () => h.unreadable.size === 0);
    pair.runFor(20 * MS);
    const told = seen.filter(({ report }) => report.kind === 'event');
    const repaired = told.filter(({ report }) => {
      return report.kind === 'event' && report.event.kind === 'mirror.repair.done';
    });
    expect([h.unreadable.size, repaired.length]).toEqual([0, 5]);
    expect([h.disk, h.role, h.linkState]).toEqual(['UpToDate', 'Primary', 'Connected']);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('of many blocks leads to the repair of those that are bad, and of no other', () => {
    const pair = written(2);
    const [first] = blocks(pair, 1) as [number];
    const h = pair.host(1);
    h.unreadable.add(first + 2 * BLOCK_SECTORS + 1);
    const seen = watched(pair);
    expect(done(pair, 1, Event.ReqRead, first, 4 * BLOCK_SECTORS)).toBe(0);
    until(pair, () => h.unreadable.size === 0);
    pair.runFor(20 * MS);
    const repaired = seen.flatMap(({ report }) =>
      report.kind === 'event' && report.event.kind === 'mirror.repair.done'
        ? [report.event.d['block']]
        : [],
    );
    expect(repaired).toEqual([first / BLOCK_SECTORS + 2]);
  });

  it('fails alone when both copies are bad, until a client writes the block', () => {
    const pair = written(3);
    const [first, other] = blocks(pair, 2) as [number, number];
    for (const { unreadable } of pair.hosts) unreadable.add(first);
    const seen = watched(pair);
    expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(Status.Io);
    expect(done(pair, 1, Event.ReqRead, other, 8)).toBe(0);
    until(pair, () => named(seen, 'mirror.repair.failed'));
    expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(Status.Io);
    expect(pair.hosts.map(({ disk }) => disk)).toEqual(['UpToDate', 'UpToDate']);
    // A second failure is no news.
    const lost = seen.filter(({ report }) => {
      return report.kind === 'event' && report.event.kind === 'mirror.read.lost';
    });
    expect(lost).toHaveLength(1);
    expect(done(pair, 1, Event.ReqWrite, first, BLOCK_SECTORS)).toBe(0);
    expect(done(pair, 1, Event.ReqRead, first, BLOCK_SECTORS)).toBe(0);
    expect(named(seen, 'mirror.block.rewritten')).toBe(true);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is repaired after all when the peer has the block again', () => {
    const pair = written(4);
    const [first] = blocks(pair, 1) as [number];
    for (const { unreadable } of pair.hosts) unreadable.add(first);
    const seen = watched(pair);
    expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(Status.Io);
    until(pair, () => named(seen, 'mirror.repair.failed'));
    pair.host(2).unreadable.clear();
    expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(0);
    until(pair, () => pair.host(1).unreadable.size === 0);
    expect(pair.host(1).unreadable.size).toBe(0);
  });

  it('leaves a block for which no spare one is left to the peer, and is tried once', () => {
    for (const how of ['refuses', 'lies'] as const) {
      const pair = written(5);
      const [first] = blocks(pair, 1) as [number];
      const h = pair.host(1);
      for (const s of [first, ...spareSectors(h)]) {
        h.unreadable.add(s);
        h.stuck.set(s, how);
      }
      const seen = watched(pair);
      for (let n = 0; n < 30; n += 1) {
        expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(0);
      }
      pair.runFor(50 * MS);
      const failed = seen.flatMap(({ report }) =>
        report.kind === 'event' && report.event.kind === 'mirror.repair.failed'
          ? [report.event.d['what']]
          : [],
      );
      expect(failed).toEqual([how === 'refuses' ? 'rewrite' : 'read-back']);
      expect(pair.host(1).disk).toBe('UpToDate');
    }
  });

  it('never counts as repaired what was not read back', () => {
    for (let seed = 1; seed <= 5; seed += 1) expect(lyingSector(seed).violations).toEqual([]);
  });

  it('never lets the repair overwrite what a client writes meanwhile', () => {
    for (let seed = 1; seed <= 8; seed += 1) expect(repairMeetsWrite(seed).violations).toEqual([]);
  });

  it('never gives up the last copy: without a peer requests fail, one by one', () => {
    const pair = written(8);
    pair.powerOff(2);
    until(pair, () => pair.record.members.length === 1 && pair.activeEpoch === pair.record.epoch);
    const h = pair.host(1);
    const places = blocks(pair, READ_ERRORS_MAX + 10);
    for (const first of places) {
      h.unreadable.add(first);
      expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(Status.Io);
    }
    expect([h.disk, h.role]).toEqual(['UpToDate', 'Primary']);
    // What is bad for once is asked for twice.
    mend(pair);
    h.flaky = 200;
    const ends = places.map((first) => done(pair, 1, Event.ReqRead, first, 1));
    expect(ends.filter((status) => status !== 0).length).toBeLessThan(8);
    h.flaky = 0;
    for (const first of places.slice(0, 5)) h.unreadable.add(first);
    // The peer comes back, and what is still bad is repaired from it where it is clean.
    for (const first of places.slice(0, 5)) done(pair, 1, Event.ReqWrite, first, 8);
    pair.powerOn(2);
    pair.settle();
    expect([pair.violations, h.unreadable.size]).toEqual([[], 0]);
  });

  it('waits for the peer that may come back or take over, and then ends', () => {
    const pair = written(9);
    const [first] = blocks(pair, 1) as [number];
    pair.host(1).unreadable.add(first);
    pair.isolate(1, true);
    pair.cut();
    until(pair, () => pair.host(1).linkState === 'Connecting');
    const seen = watched(pair);
    const read = request(pair, 1, Event.ReqRead, first, 1);
    // It must not fail while the record may still go to the other host.
    pair.runFor(150 * MS);
    expect([read.status, pair.marks.has('mirror.read.parked')]).toEqual([null, true]);
    pair.isolate(1, false);
    pair.heal();
    until(pair, () => read.status !== null);
    expect(read.status).not.toBe(null);
    expect(named(seen, 'mirror.disk.failed')).toBe(false);
    mend(pair);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is served by the last of several that has a good copy', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      expect([seed, ...lastGoodCopy(seed).violations]).toEqual([seed]);
    }
  });

  it('ends the use of a device that is gone', () => {
    expect([5, 61, 84, 74].every(mediumError)).toBe(true);
    expect([Status.Gone, 19, Status.Invalid].some(mediumError)).toBe(false);
  });
});
