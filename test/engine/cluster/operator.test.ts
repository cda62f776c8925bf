import { describe, expect, it } from 'vitest';
import type { OperatorCommand } from '../../../engine/cluster/interface.ts';
import type { KeptBranch } from '../../../engine/data/messages.ts';
import { ControlNet, GROUP, S, VOLUME } from '../../support/control-net.ts';
import { HERE, THERE } from '../../support/control-split.ts';

function formed(seed: number): ControlNet {
  const net = new ControlNet({ seed });
  net.await(() => net.whole(), 20 * S);
  net.pass(S);
  return net;
}

function ask(net: ControlNet, node: number, command: OperatorCommand) {
  const id = 1 + net.answers.size;
  net.command(node, id, command);
  net.await(() => net.answers.has(id), 15 * S);
  return net.answers.get(id);
}

describe('an operator', () => {
  it('sees the status from any node', () => {
    const net = formed(1);
    for (const node of [1, 2, 3]) {
      const answer = ask(net, node, { kind: 'status' });
      expect(answer?.ok === true && answer.status?.groups[0]?.owner).toBe(1);
    }
  });

  it('switches the group without losing sync, from any node', () => {
    for (const node of [1, 2, 3]) {
      const net = formed(1 + node);
      expect(ask(net, node, { kind: 'switch', group: GROUP, to: 2 })).toEqual({ ok: true });
      expect(net.await(() => net.runningOn() === 2, 3 * S)).toBe(true);
      net.pass(S);
      expect(net.record(1)?.members.length).toBe(2);
      expect(net.ofKind('group.takeover')).toEqual([]);
      expect(net.violations).toEqual([]);
    }
  });

  it('gets the group back on the giver when the taker cannot start it', () => {
    const net = formed(5);
    net.host(2).startFails = true;
    expect(ask(net, 1, { kind: 'switch', group: GROUP, to: 2 })).toEqual({ ok: true });
    expect(net.await(() => net.marks.has('group-rollback'), 20 * S)).toBe(true);
    expect(net.await(() => net.runningOn() === 1, 10 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });

  it('is refused with a reason what cannot be', () => {
    const net = formed(6);
    const refusals: readonly (readonly [OperatorCommand, string])[] = [
      [{ kind: 'switch', group: 'nothing', to: 2 }, 'unknown-group'],
      [{ kind: 'switch', group: GROUP, to: 1 }, 'already-there'],
      [{ kind: 'switch', group: GROUP, to: 3 }, 'not-a-node-of-the-group'],
      [{ kind: 'start-group', group: GROUP }, 'already-started'],
    ];
    for (const [command, reason] of refusals) {
      const answer = ask(net, 3, command);
      expect(answer?.ok === false && answer.reason).toBe(reason);
    }
    net.cutData();
    net.pass(2 * S);
    const answer = ask(net, 1, { kind: 'switch', group: GROUP, to: 2 });
    expect(answer?.ok === false && answer.reason).toBe('not-in-sync');
  });

  it('stops a group, which then stays stopped through a restart of everything', () => {
    const net = formed(7);
    expect(ask(net, 2, { kind: 'stop-group', group: GROUP })).toEqual({ ok: true });
    expect(net.await(() => net.holders().length === 0, 5 * S)).toBe(true);
    net.pass(2 * S);
    expect(net.status(3).groups[0]?.state).toBe('stopped');
    for (const node of [1, 2, 3]) net.powerOff(node);
    for (const node of [1, 2, 3]) net.powerOn(node);
    net.pass(10 * S);
    expect(net.holders()).toEqual([]);
    expect(ask(net, 3, { kind: 'start-group', group: GROUP })).toEqual({ ok: true });
    expect(net.await(() => net.runningOn() !== 0, 5 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });

  it('is told when there is no majority to ask', () => {
    const net = formed(8);
    net.isolate(1);
    net.pass(5 * S);
    const answer = ask(net, 1, { kind: 'stop-group', group: GROUP });
    expect(answer?.ok === false && answer.reason).toBe('no-majority');
  });

  it('restarts an application that failed everywhere', () => {
    const net = formed(9);
    net.host(1).startFails = true;
    net.host(2).startFails = true;
    net.failApp(1);
    net.pass(30 * S);
    expect(net.status(3).groups[0]?.blocked?.reason).toBe('application-failed');
    net.host(1).startFails = false;
    net.host(2).startFails = false;
    net.pass(5 * S);
    expect(net.runningOn()).toBe(0);
    expect(ask(net, 3, { kind: 'start-group', group: GROUP })).toEqual({ ok: true });
    expect(net.await(() => net.runningOn() !== 0, 15 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });

  /** A stop that took effect while its origin could not hear the leader, who may die then. */
  function unheard(seed: number, dies: boolean, canaries: readonly string[]) {
    const net = new ControlNet({ seed, compactAt: 1, wire: true, canaries });
    net.await(() => net.whole(), 20 * S);
    net.pass(S);
    const leader = net.leader();
    const origin = 1 + (leader % 3);
    net.cut(leader, origin);
    net.command(origin, 1, { kind: 'stop-group', group: GROUP });
    net.await(() => net.status(6 - leader - origin).groups[0]?.state === 'stopped', 5 * S);
    if (dies) net.killCore(leader);
    net.heal();
    net.await(() => net.answers.has(1), 12 * S);
    expect(net.holders()).toEqual([]);
    expect(net.violations).toEqual([]);
    return net.answers.get(1);
  }

  it('is told that a command took effect, whoever leads when it is sent again', () => {
    let wrong = 0;
    for (let seed = 1; seed <= 12; seed++) {
      for (const dies of [false, true]) {
        expect(unheard(seed, dies, [])).toEqual({ ok: true });
        if (unheard(seed, dies, ['command-repeated'])?.ok !== true) wrong += 1;
      }
    }
    expect(wrong).toBeGreaterThan(0);
  });

  it('leaves an audit of every command', () => {
    const net = formed(10);
    ask(net, 2, { kind: 'switch', group: GROUP, to: 2 });
    const [command] = net.ofKind('operator.command');
    const stop = net.ofKind('group.stop').find((event) => event.cause === command?.id);
    expect(command?.d).toEqual({ command: 'switch', group: GROUP, to: 2 });
    expect(stop).toBeDefined();
  });

  it('resolves a split brain that both sides report, and nothing else', () => {
    const net = formed(9);
    const order = { kind: 'resolve', volume: VOLUME, keep: 1, adopt: false } as const;
    const told = { ...order, keeps: 20, discards: 30, atMost: -1 };
    const known = { ...told, epoch: net.record(3)?.epoch ?? 0 };
    expect(ask(net, 2, known)).toMatchObject({ ok: false, reason: 'no-split-brain' });
    const other = { ...known, volume: 'nothing' };
    expect(ask(net, 2, other)).toMatchObject({ ok: false, reason: 'unknown-volume' });
    net.cutData();
    net.await(() => net.record(1)?.members.length === 1, 10 * S);
    net.report(1, { kind: 'branch', volume: VOLUME, branch: HERE });
    net.report(2, { kind: 'branch', volume: VOLUME, branch: { ...THERE, settled: true } });
    net.pass(2 * S);
    expect(net.status(3).volumes[0]?.split?.sides).toMatchObject([{ node: 1 }, { node: 2 }]);
    expect(ask(net, 2, known)).toMatchObject({ ok: false, reason: 'decided-since' });
    expect(ask(net, 2, { ...told, epoch: net.record(3)?.epoch ?? 0 })).toEqual({ ok: true });
    const { discard } = net.record(3) ?? {};
    expect(discard).toMatchObject({ node: 2, generation: 30, keeps: 20, by: 'operator' });
    const order2 = discard?.order ?? 0;
    const back = { kind: 'take-back', volume: VOLUME, order: order2 } as const;
    expect(ask(net, 1, { ...back, order: order2 + 1 })).toMatchObject({ reason: 'no-such-order' });
    const taken = ask(net, 1, back);
    if (discard?.confirmed !== true && net.record(3)?.discard === undefined) {
      expect(taken).toEqual({ ok: true });
      expect(ask(net, 2, back)).toMatchObject({ ok: false, reason: 'already-taken-back' });
    }
    expect(net.violations).toEqual([]);
  });
});

describe('a branch that a node keeps', () => {
  const branch: KeptBranch = {
    ...{ state: 'whole', generation: 5, epoch: 9, keeps: 7, shared: 3, order: 8, by: 'operator' },
    usedBytes: 0,
  };

  it('is in the status of that node, until the node says that it is gone', () => {
    const net = formed(31);
    const told = (node: number) => net.status(node).volumes[0]?.local?.keptBranch;
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch });
    expect([told(1), told(2)]).toEqual([undefined, branch]);
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch: null });
    expect(told(2)).toBeUndefined();
  });

  it('is named by every node that hears of it, with whether it holds a copy up', () => {
    const net = formed(33);
    const told = (node: number) => net.status(node).volumes[0]?.keptBranches;
    expect([told(1), told(2), told(3)]).toEqual([undefined, undefined, undefined]);
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch });
    net.pass(S);
    const kept = [{ node: 2, generation: 5, holds: false }];
    expect([told(1), told(2), told(3)]).toEqual([kept, kept, kept]);
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch: { ...branch, holds: true } });
    net.pass(S);
    const holds = [{ node: 2, generation: 5, holds: true }];
    expect([told(1), told(2), told(3)]).toEqual([holds, holds, holds]);
    // What a node says of itself counts while it is heard, and no longer than it is so.
    net.cutBoth(1, 2);
    net.cutBoth(3, 2);
    net.pass(4 * S);
    expect([told(1), told(2)]).toEqual([undefined, holds]);
    net.heal();
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch: null });
    net.pass(4 * S);
    expect([told(1), told(2), told(3)]).toEqual([undefined, undefined, undefined]);
  });

  it('is dropped where it is, and nothing else is', () => {
    const net = formed(32);
    const drop = (node: number, generation: number, volume = VOLUME) => {
      return ask(net, node, { kind: 'drop-branch', volume, generation });
    };
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch });
    expect(drop(1, 5)).toEqual({ ok: false, reason: 'no-branch', remedy: 'see-status' });
    expect(drop(2, 4)).toEqual({ ok: false, reason: 'another-branch', remedy: 'see-status' });
    expect(drop(2, 5, 'else')).toMatchObject({ ok: false, reason: 'unknown-volume' });
    expect(drop(2, 5)).toEqual({ ok: true });
    // What could not be kept is told of, until a person has seen it.
    const plain = { reason: 'full', generation: 6, keeps: 7, order: 8, by: 'operator' } as const;
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch: null, lost: plain });
    expect(net.status(2).volumes[0]?.local?.lostBranch).toEqual(plain);
    expect(drop(2, 5)).toMatchObject({ reason: 'no-branch' });
    expect(drop(2, 6)).toEqual({ ok: true });
    net.report(2, { kind: 'kept-branch', volume: VOLUME, branch: null });
    expect(net.status(2).volumes[0]?.local?.lostBranch).toBeUndefined();
    expect(net.ofKind('operator.command').map(({ d }) => d['command'])).toContain('drop-branch');
  });
});
