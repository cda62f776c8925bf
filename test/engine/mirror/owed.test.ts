import { describe, expect, it } from 'vitest';
import { DataMemory } from '../../../engine/data/memory.ts';
import { Owed } from '../../../engine/mirror/owed.ts';
import { Turn, watchOf } from '../../../engine/mirror/turn.ts';
import { LAYOUT } from '../../support/mirror-hosts.ts';

const TIMEOUT = 1000;

/** A turn, and what two peers owe in it. */
function ground(): { turn: Turn; first: Owed; second: Owed } {
  const turn = new Turn(new DataMemory(LAYOUT), { inbox: [], outbox: [] }, 1, 1, 'v', () => {});
  const owed = (index: number) => new Owed(turn, watchOf(index), TIMEOUT);
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
    expect(first.overdue).toBe(false);
    turn.begin(2 * TIMEOUT);
    expect(turn.takeDue(watchOf(0))).toBe(true);
    expect(first.overdue).toBe(true);
  });

  it('is nothing once it was given, or the link is gone', () => {
    const { turn, first, second } = ground();
    first.expect();
    first.got();
    second.expect();
    second.forget();
    turn.begin(TIMEOUT);
    expect([first.overdue, second.overdue]).toEqual([false, false]);
  });

  it('has a time of its own for each peer: who answers does not excuse who does not', () => {
    const { turn, first, second } = ground();
    first.expect();
    second.expect();
    first.got();
    turn.begin(TIMEOUT);
    expect([turn.takeDue(watchOf(0)), turn.takeDue(watchOf(1))]).toEqual([true, true]);
    expect([first.overdue, second.overdue]).toEqual([false, true]);
  });
});
