import { describe, expect, it } from 'vitest';
import { Decision, Event } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import { blocks, done, request } from '../../support/mirror-errors.ts';
import { LAYOUT, MS } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG, type Pair } from '../../support/mirror-pair.ts';
import { balancedReads, started, swarmRun } from '../../support/mirror-swarm.ts';

const CONFIG = { ...PAIR_CONFIG, balanceReads: true };

/** A pair whose clients have written, and are silent now. */
function quiet(seed: number): Pair {
  const pair = started(seed, [], CONFIG);
  pair.runFor(400 * MS);
  pair.load(false);
  pair.runFor(200 * MS);
  return pair;
}

/** Counts the clients' reads by who was asked first. */
function counted(pair: Pair): { own: number; peer: number } {
  const counts = { own: 0, peer: 0 };
  pair.onDecision = (h, op, slot) => {
    if (h.node !== 1 || slot >= LAYOUT.frontSlots) return;
    if (op === Decision.LocalRead) counts.own += 1;
    if (op === Decision.PeerRead) counts.peer += 1;
  };
  return counts;
}

describe('balanced reads', () => {
  it('break no law, whatever fails, and are served by both copies', () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const pair = swarmRun(seed, [], CONFIG);
      expect([seed, ...pair.violations]).toEqual([seed]);
    }
    for (let seed = 1; seed <= 5; seed += 1) {
      const pair = balancedReads(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(pair.marks).toContain('mirror.read.balanced');
    }
  });

  it('go to the other copy only where the configuration says so', () => {
    const pair = started(3);
    const counts = counted(pair);
    pair.runFor(400 * MS);
    expect(counts.own).toBeGreaterThan(20);
    expect(counts.peer).toBe(0);
  });

  it('leave a disk alone that is slow, but for a look now and then', () => {
    const pair = quiet(4);
    const [first] = blocks(pair, 1) as [number];
    pair.hosts[0].hung = true;
    // The own disk has had this one since before it hung.
    const early = Array.from({ length: 3 }, () => request(pair, 1, Event.ReqRead, first, 1));
    pair.runFor(60 * MS);
    const counts = counted(pair);
    pair.hosts[0].hung = false;
    pair.runFor(60 * MS);
    expect(early.every(({ status }) => status === 0)).toBe(true);
    for (let n = 0; n < 64; n += 1) {
      // Apart from one another, so that none follows where another was.
      expect(done(pair, 1, Event.ReqRead, blocks(pair, 40)[(n * 7) % 40] as number, 1)).toBe(0);
    }
    expect(counts.peer).toBeGreaterThan(counts.own);
    expect(pair.violations).toEqual([]);
  });

  it('ask the own disk alone while anything is dirty', () => {
    const pair = quiet(5);
    pair.cut();
    if (!until(pair, () => pair.record.members.length === 1)) throw new Error('not alone');
    const counts = counted(pair);
    for (const first of blocks(pair, 40)) {
      expect(done(pair, 1, Event.ReqWrite, first, 8)).toBe(0);
      expect(done(pair, 1, Event.ReqRead, first, 8)).toBe(0);
    }
    pair.heal();
    while (pair.record.members.length === 1) {
      expect(done(pair, 1, Event.ReqRead, blocks(pair, 40)[0] as number, 8)).toBe(0);
    }
    expect(counts.own).toBeGreaterThan(40);
    expect(counts.peer).toBe(0);
  });

  it('come back to the own disk when the other one does not serve them', () => {
    for (const way of ['unreadable', 'link lost'] as const) {
      const pair = quiet(6);
      const [first] = blocks(pair, 1) as [number];
      if (way === 'unreadable') pair.hosts[1].unreadable.add(first);
      let asked = false;
      pair.onDecision = (h, op, slot) => {
        if (h.node !== 1 || op !== Decision.PeerRead || slot >= LAYOUT.frontSlots) return;
        asked = true;
        if (way === 'link lost') pair.cut();
      };
      for (let n = 0; n < 80 && !asked; n += 1) {
        expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(0);
      }
      expect([way, asked]).toEqual([way, true]);
      expect(pair.marks).toContain('mirror.read.came-back');
      pair.heal();
      pair.settle();
      expect([way, ...pair.violations]).toEqual([way]);
    }
  });
});
