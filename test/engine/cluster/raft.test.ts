import { describe, expect, it } from 'vitest';
import { ControlNet, GROUP, S } from '../../support/control-net.ts';
import { restlessVoters } from '../../support/control-scenarios.ts';
import { deliverAll, Voter } from '../../support/raft-rig.ts';

describe('the replicated log', () => {
  it('elects one leader per term and never changes what is committed', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const net = restlessVoters(seed, []);
      expect({ seed, violations: net.violations }).toEqual({ seed, violations: [] });
    }
  });

  it('has a leader again within seconds of losing it', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const net = new ControlNet({ seed });
      expect(net.await(() => net.leader() !== 0, 10 * S)).toBe(true);
      const old = net.leader();
      net.killCore(old);
      expect(net.await(() => net.leader() !== old && net.leader() !== 0, 8 * S)).toBe(true);
    }
  });

  it('is not disturbed by a voter that was cut off and comes back', () => {
    const net = new ControlNet({ seed: 5 });
    net.pass(4 * S);
    const { leader, term } = net.status(3);
    const away = leader === 2 ? 1 : 2;
    net.isolate(away);
    net.pass(10 * S);
    net.heal();
    net.pass(5 * S);
    expect(net.status(3).leader).toBe(leader);
    expect(net.status(3).term).toBe(term);
  });

  it('makes a leader resign that hears no majority', () => {
    const net = new ControlNet({ seed: 6 });
    net.pass(4 * S);
    const { leader } = net.status(3);
    net.isolate(leader);
    net.pass(6 * S);
    expect(net.status(leader).leader).not.toBe(leader);
  });

  it('brings up a voter whose entries are compacted away with a snapshot', () => {
    const net = new ControlNet({ seed: 7, wire: true });
    net.await(() => net.whole(), 10 * S);
    net.killCore(3);
    for (let i = 0; i < 45; i++) {
      const to = 3 - net.runningOn();
      net.command(1, i + 1, { kind: 'switch', group: GROUP, to });
      net.await(() => net.runningOn() === to, 10 * S);
      net.pass(S);
    }
    expect(net.marks.get('log-compacted')).toBeGreaterThan(0);
    net.startCore(3);
    net.pass(5 * S);
    expect(net.marks.get('log-snapshot-installed')).toBeGreaterThan(0);
    expect(net.status(3).committed).toBe(net.status(1).committed);
    expect(net.status(3).groups).toEqual(net.status(1).groups);
    expect(net.violations).toEqual([]);
  });

  it('keeps what it acknowledged when a snapshot from before arrives late', () => {
    const [a, b, w] = [new Voter(1), new Voter(2), new Voter(3)];
    a.campaign(5_000_000);
    deliverAll([a, b, w], [1, 2, 3]);
    a.propose(...Array.from({ length: 90 }, () => 'early'));
    deliverAll([a, b, w], [1, 2, 3]);
    // Five more reach only w; two after them are on their way to b when w's answer compacts.
    a.propose('five', 'five', 'five', 'five', 'five');
    const toW = a.take('append', 3);
    a.sent = [];
    a.propose('kept', 'kept');
    const toB = a.take('append', 2);
    w.receive(toW);
    a.sent = [];
    a.receive(w.take('append-ack', 1));
    const late = a.take('snapshot', 2);
    b.receive(toB);
    a.receive(b.take('append-ack', 1));
    const kept = (voter: Voter): number => voter.applied.filter((event) => event === 'kept').length;
    expect(kept(a)).toBe(2);
    const before = b.durableLast;
    b.receive(late);
    expect(b.durableLast).toBe(before);
    // a is gone: the other two go on with everything that it committed.
    b.sent = [];
    w.sent = [];
    w.campaign(30_000_000);
    b.campaign(60_000_000);
    deliverAll([b, w], [2, 3]);
    expect(b.raft.leads).toBe(true);
    expect(kept(b)).toBe(2);
  });

  it('waits for no silence of a leader whose core came back in another life', () => {
    const [a, b, w] = [new Voter(1), new Voter(2), new Voter(3)];
    a.campaign(5_000_000);
    deliverAll([a, b, w], [1, 2, 3]);
    expect(a.raft.leads).toBe(true);
    // Another node's new life changes nothing, nor does it for the leader itself.
    expect(b.meetReborn(3)).toBeGreaterThanOrEqual(1_000_000);
    expect(a.meetReborn(2)).toBeLessThan(0);
    expect(a.raft.leads).toBe(true);
    const [dueB, dueW] = [b.meetReborn(1), w.meetReborn(1)];
    for (const due of [dueB, dueW]) expect(due).toBeLessThan(100_000);
    // With the old leader's vote gone, the other two are enough, and have one leader.
    const [first, second] = dueB <= dueW ? [b, w] : [w, b];
    first.wait(100_000);
    deliverAll([b, w], [2, 3]);
    expect(first.raft.leads).toBe(true);
    expect(second.raft.leads).toBe(false);
  });
});
