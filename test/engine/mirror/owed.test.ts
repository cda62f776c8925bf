import { describe, expect, it } from 'vitest';
import { DataMemory } from '../../../engine/data/memory.ts';
import { Owed } from '../../../engine/mirror/owed.ts';
import { Turn, watchOf } from '../../../engine/mirror/turn.ts';
import { until } from '../../support/mirror-cases.ts';
import { LAYOUT } from '../../support/mirror-hosts.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import { oneOwed } from '../../support/mirror-planted.ts';
import { started } from '../../support/mirror-swarm.ts';

const TIMEOUT = 1000;
const PATIENCE = 5000;

/** A turn, and what two peers owe in it. */
function ground(): { turn: Turn; first: Owed; second: Owed } {
  const turn = new Turn(new DataMemory(LAYOUT), { inbox: [], outbox: [] }, 1, 1, 'v', () => {});
  const owed = (index: number) =>
    new Owed(turn, { deadline: watchOf(index), timeout: TIMEOUT, patience: PATIENCE, slots: 4 });
  turn.begin(0);
  return { turn, first: owed(0), second: owed(1) };
}

describe('what a peer owes', () => {
  it('is overdue when nothing came for the timeout, and not while answers come', () => {
    const { turn, first } = ground();
    first.expect();
    first.expect();
    turn.begin(TIMEOUT);
    expect(turn.takeDue(watchOf(0))).toBe(true);
    first.got();
    expect(first.look()).toBe('');
    turn.begin(2 * TIMEOUT);
    expect(turn.takeDue(watchOf(0))).toBe(true);
    expect(first.look()).toBe('timeout');
  });

  it('is nothing once it was given, or the link is gone', () => {
    const { turn, first, second } = ground();
    first.expect();
    first.got();
    second.expect();
    second.forget();
    turn.begin(TIMEOUT);
    expect([first.look(), second.look()]).toEqual(['', '']);
  });

  it('has a time of its own for each peer: who answers does not excuse who does not', () => {
    const { turn, first, second } = ground();
    first.expect();
    second.expect();
    first.got();
    turn.begin(TIMEOUT);
    expect([turn.takeDue(watchOf(0)), turn.takeDue(watchOf(1))]).toEqual([true, true]);
    expect([first.look(), second.look()]).toEqual(['', 'timeout']);
  });

  it('has a time of its own for each of two flushes: the first answer is not the second', () => {
    const { turn, first } = ground();
    first.flushSent();
    turn.begin(10);
    first.flushSent();
    turn.begin(20);
    first.flushAnswered();
    // What was asked for later is answered all the while, and the second flush is not.
    let said = '';
    for (let now = 30; now < 3 * PATIENCE && said === ''; now += TIMEOUT / 2) {
      turn.begin(now);
      first.sent(0);
      first.answered(0);
      if (turn.takeDue(watchOf(0))) said = first.look();
    }
    expect(said).toBe('overdue');
    expect(turn.now).toBeGreaterThanOrEqual(10 + PATIENCE);
  });
});

const SECOND = 1_000_000;

/** Whoever left something undone is well again once its core starts anew, and is copied to. */
function expectHealed(pair: Pair): void {
  pair.crashCore(2, 5_000);
  pair.settle();
  expect(pair.violations).toEqual([]);
}

describe('a peer that owes one answer while it gives others', () => {
  for (const what of ['write', 'flush', 'read'] as const) {
    it(`keeps no client waiting for longer than a disk may take: a ${what}`, () => {
      for (const seed of [1, 2, 3]) {
        const pair = oneOwed(what, seed);
        expect(pair.violations).toEqual([]);
        expect(pair.marks.has('mirror.link.overdue')).toBe(true);
        expect(pair.record).toMatchObject({ primary: 1 });
        expectHealed(pair);
      }
    });
  }

  it('is given up by its own host as well once it is no member', () => {
    const pair = oneOwed('write', 4);
    pair.cut();
    expect(until(pair, () => pair.hosts[1].disk === 'Failed', 14 * SECOND)).toBe(true);
    pair.heal();
    expectHealed(pair);
  });
});

describe('a peer that answers in order, however slowly', () => {
  it('is waited for while anything comes: nothing that was asked for later is there', () => {
    const pair = started(7);
    pair.runFor(SECOND / 5);
    // Each answer takes longer than a disk may, and the next one comes right behind it.
    for (let n = 0; n < 200; n += 1) {
      pair.clog(1, 150_000);
      pair.runFor(100_000);
    }
    expect(pair.marks.has('mirror.link.overdue')).toBe(false);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is not blamed because the primary itself stood still, however long', () => {
    for (const seed of [6, 7, 8]) {
      const pair = started(seed);
      pair.runFor(SECOND / 5);
      pair.pause(1, 13 * SECOND);
      pair.runFor(15 * SECOND);
      expect(pair.marks.has('mirror.link.overdue')).toBe(false);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });
});
