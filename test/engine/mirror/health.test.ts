import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { READ_ERRORS_MAX } from '../../../engine/mirror/config.ts';
import { until, watched } from '../../support/mirror-cases.ts';
import { blocks, done, named, written } from '../../support/mirror-errors.ts';
import { fillSpare } from '../../support/mirror-moved.ts';

const MS = 1000;

/** What the newest state report of host 1 says of its disk. */
function said(seen: ReturnType<typeof watched>): unknown {
  const states = seen.filter(({ node, report }) => {
    return node === 1 && report.kind === 'state';
  });
  const last = states[states.length - 1]?.report;
  return last?.kind === 'state' ? last.failing : 'no report';
}

describe('a disk that goes bad block by block', () => {
  it('is told of when so many went bad within a day, and given up by nobody', () => {
    const pair = written(6);
    const seen = watched(pair);
    const h = pair.host(1);
    for (const [n, first] of blocks(pair, READ_ERRORS_MAX + 3).entries()) {
      h.unreadable.add(first);
      expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(0);
      until(pair, () => !h.unreadable.has(first));
      pair.runFor(20 * MS);
      const told = named(seen, 'mirror.disk.failing');
      expect([n, told]).toEqual([n, n + 1 >= READ_ERRORS_MAX]);
    }
    expect(said(seen)).toBe('read-errors');
    const events = seen.filter(({ report }) => {
      return report.kind === 'event' && report.event.kind === 'mirror.disk.failing';
    });
    expect(events).toHaveLength(1);
    expect([h.disk, h.role, pair.record.members.length]).toEqual(['UpToDate', 'Primary', 2]);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('counts a block once, however often it fails', () => {
    const pair = written(7);
    const seen = watched(pair);
    const [first] = blocks(pair, 1) as [number];
    const h = pair.host(1);
    for (let n = 0; n < READ_ERRORS_MAX + 5; n += 1) {
      h.unreadable.add(first);
      expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(0);
      until(pair, () => h.unreadable.size === 0);
    }
    pair.runFor(50 * MS);
    expect([h.disk, named(seen, 'mirror.disk.failing')]).toEqual(['UpToDate', false]);
  });

  it('is told of when hardly a spare block is left, and again after a restart', () => {
    const pair = written(8);
    const seen = watched(pair);
    fillSpare(pair, 1, 79);
    expect(said(seen)).toBe('read-errors');
    fillSpare(pair, 1, 80);
    expect(said(seen)).toBe('spare');
    pair.crashCore(1, 5 * MS);
    pair.runFor(1_000 * MS);
    expect(said(seen)).toBe('spare');
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
