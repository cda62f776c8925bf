import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import { blocks, done, request, written } from '../../support/mirror-errors.ts';
import {
  comparedMeanwhile,
  fails,
  failsAmidFaults,
  failsAndGoesOn,
  failsBeforeNoted,
  failsBeforeWritten,
  goesOn,
  PROXY_CONFIG,
  receivedUnwritten,
  repairNeverRecorded,
  repairOutlived,
  repairRecordedLate,
  replaced,
  survivorLost,
  withoutDisk,
} from '../../support/mirror-proxied.ts';

const MS = 1000;
const RUNS = 12;

describe('a primary whose disk fails', () => {
  it('goes on through the other host, and no client hears of it', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = failsAndGoesOn(seed);
      expect([seed, ...pair.violations, ...pair.failedReads]).toEqual([seed]);
    }
  });

  it('breaks no law, whatever else fails', () => {
    const marks = new Set<string>();
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const pair = failsAmidFaults(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      for (const mark of pair.marks) marks.add(mark);
    }
    for (const mark of ['mirror.proxy.on', 'mirror.proxy.ended'])
      expect(marks.has(mark)).toBe(true);
  });

  it('completes nothing before the other host has written what it was sent', () => {
    const { pair, early, wentOn } = failsBeforeWritten(1);
    expect([early, wentOn, ...pair.violations]).toEqual([false, true]);
    expect(failsBeforeWritten(1, ['proxy-unflushed']).early).toBe(true);
  });

  it('completes nothing before the other host has noted that it is the only copy', () => {
    const { pair, early, wentOn } = failsBeforeNoted(1);
    expect([early, wentOn, ...pair.violations]).toEqual([false, true]);
    expect(failsBeforeNoted(1, ['proxy-untold']).early).toBe(true);
  });

  it('waits when the only copy is lost, and then that one leads', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = survivorLost(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
    }
  });

  it('believes nothing of what its own disk shows', () => {
    const pair = withoutDisk(1);
    const [h] = pair.hosts;
    h.broken = false;
    h.cache.fill(0x7777);
    for (const first of blocks(pair, 6)) expect(done(pair, 1, Event.ReqRead, first, 8)).toBe(0);
    expect(pair.violations).toEqual([]);
    replaced(pair);
    expect(pair.violations).toEqual([]);
  });

  it('reads what was unreadable on its own disk before', () => {
    const pair = written(2, [], PROXY_CONFIG);
    const [first] = blocks(pair, 1) as [number];
    for (const h of pair.hosts) {
      h.unreadable.add(first);
      h.stuck.set(first, 'refuses');
    }
    expect(done(pair, 1, Event.ReqRead, first, 8)).not.toBe(0);
    pair.runFor(100 * MS);
    fails(pair);
    const [, other] = pair.hosts;
    other.unreadable.clear();
    other.stuck.clear();
    expect(done(pair, 1, Event.ReqRead, first, 8)).toBe(0);
    expect(pair.violations).toEqual([]);
  });

  it('has written on the other disk what was only received there', () => {
    for (let seed = 1; seed <= 6; seed += 1) expect(receivedUnwritten(seed).violations).toEqual([]);
    expect(receivedUnwritten(1, ['proxy-receipt']).violations.join()).toContain('LAW-acknowledged');
  });

  it('is not held up by a repair that was under way', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      expect([seed, ...repairOutlived(seed).violations]).toEqual([seed]);
    }
  });

  it('nor by one whose block is to be recorded on the disk that failed', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      expect([seed, ...repairNeverRecorded(seed).violations]).toEqual([seed]);
    }
    expect(repairNeverRecorded(1, ['proxy-late-repair']).violations.join()).toContain('LAW-heals');
  });

  it('nor confused by the word that such a block has moved after all', () => {
    let late = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const run = repairRecordedLate(seed);
      expect([seed, ...run.pair.violations]).toEqual([seed]);
      if (run.late) late += 1;
    }
    expect(late).toBeGreaterThan(0);
  });

  it('nor by a comparison that was about to put a block right', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      expect([seed, ...comparedMeanwhile(seed).violations]).toEqual([seed]);
    }
  });

  it('gives the role up in order when it is told to', () => {
    const pair = withoutDisk(3);
    for (let n = 0; n < 8; n += 1) request(pair, 1, Event.ReqWrite, 32 * n, 16);
    pair.commit({});
    pair.runFor(100 * MS);
    expect(goesOn(pair)).toBe(true);
    pair.release();
    until(pair, () => pair.record.primary === 0);
    expect(pair.host(1).proxies).toBe(false);
    pair.commit({ primary: 2 });
    pair.runFor(300 * MS);
    replaced(pair);
    expect(pair.violations).toEqual([]);
  });

  it('does not go on when its disk hangs: nobody would have back what that has in hand', () => {
    const pair = written(4, [], { ...PROXY_CONFIG, diskTimeout: 1_000_000 });
    pair.host(1).hung = true;
    const write = request(pair, 1, Event.ReqWrite, 0, 8);
    pair.runFor(3_000 * MS);
    expect([pair.record.primary, pair.host(1).proxies, write.status]).not.toContain(true);
    expect(pair.record.primary).toBe(2);
  });

  it('does not go on where the configuration says that the volume moves', () => {
    const pair = written(5);
    pair.host(1).broken = true;
    request(pair, 1, Event.ReqWrite, 0, 8);
    pair.runFor(1_500 * MS);
    expect([pair.record.primary, pair.marks.has('mirror.proxy.begun')]).toEqual([2, false]);
  });
});
