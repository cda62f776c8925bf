import { describe, expect, it } from 'vitest';
import {
  bothHang,
  hangs,
  hungThenLost,
  lateAttach,
  loneHang,
  until,
} from '../../support/mirror-cases.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import { flushUnanswered, oneUnanswered } from '../../support/mirror-planted.ts';
import { started } from '../../support/mirror-swarm.ts';

const SECOND = 1_000_000;

/** Clients are served, and all is whole once the core of whoever was given up starts again. */
function expectServedAndHealed(pair: Pair): void {
  const done = pair.completed;
  pair.runFor(SECOND);
  expect(pair.completed).toBeGreaterThan(done);
  for (const { node, disk } of pair.hosts) if (disk === 'Failed') pair.crashCore(node, 5_000);
  pair.settle();
  expect(pair.violations).toEqual([]);
}

describe('a local disk that answers nothing', () => {
  it('is given up after its deadline, and the other host serves', () => {
    for (const seed of [1, 2, 3]) {
      const pair = hangs(seed, 14 * SECOND);
      expect(pair.hosts[0].disk).toBe('Failed');
      expect(pair.record).toMatchObject({ primary: 2, members: [{ node: 2 }] });
      const done = pair.completedBy(2);
      pair.runFor(SECOND);
      expect(pair.completedBy(2)).toBeGreaterThan(done);
      // A new core finds a disk that works, and is copied to.
      pair.crashCore(1, 5_000);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is given up for one flush or one write, whatever else it answers', () => {
    for (const seed of [1, 2, 3]) {
      const [flush, write] = [flushUnanswered(seed), oneUnanswered(seed)];
      for (const { record, hosts, violations } of [flush, write]) {
        expect(hosts[0].disk).toBe('Failed');
        expect(record.primary).toBe(2);
        expect(violations).toEqual([]);
      }
    }
  });

  it('is known for one whose path is lost when that is heard, however late', () => {
    for (const seed of [1, 2, 3]) expect(hungThenLost(seed).violations).toEqual([]);
  });

  it('is waited for until then, and everything is answered when it is over', () => {
    const pair = hangs(4, 8 * SECOND);
    expect(pair.hosts[0].disk).toBe('UpToDate');
    pair.settle();
    expect(pair.record.primary).toBe(1);
    expect(pair.violations).toEqual([]);
  });

  it('costs a secondary nothing but its place in the set, and no other host its clients', () => {
    const pair = started(5);
    pair.runFor(SECOND / 5);
    pair.hosts[1].hung = true;
    expect(until(pair, () => pair.record.members.length === 1, 6 * SECOND)).toBe(true);
    const done = pair.completedBy(1);
    pair.runFor(12 * SECOND);
    expect(pair.completedBy(1)).toBeGreaterThan(done);
    expect(pair.hosts[1].disk).toBe('Failed');
    expect(pair.violations).toEqual([]);
  });

  it('is waited for, however long, where no other copy is left', () => {
    for (const seed of [1, 2, 3]) expect(loneHang(seed).violations).toEqual([]);
  });

  it('stops the volume no longer than it hangs, also on both hosts at once', () => {
    for (const seed of [1, 2, 3]) expectServedAndHealed(bothHang(seed));
  });

  it('is given up for good while it is attached to: it never leads and refuses at once', () => {
    for (const seed of [1, 2, 3]) expectServedAndHealed(lateAttach(seed));
  });

  it('is not blamed for a core that stood still, however long', () => {
    for (const seed of [6, 7, 8]) {
      const pair = started(seed);
      pair.runFor(SECOND / 5);
      pair.pause(1, 13 * SECOND);
      pair.runFor(15 * SECOND);
      expect(pair.hosts[0].disk).not.toBe('Failed');
    }
  });
});
