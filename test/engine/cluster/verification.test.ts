import { describe, expect, it } from 'vitest';
import type { OperatorAnswer, VerifyCommand } from '../../../engine/cluster/interface.ts';
import type { ClusterState } from '../../../engine/cluster/state.ts';
import { Verification } from '../../../engine/cluster/verification.ts';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import type { VerifyOrder, VerifyReport } from '../../../engine/data/messages.ts';
import { contextOf, OWNED, ofKind, onlyRecord } from '../../support/control-fixtures.ts';
import { testConfig } from '../../support/control-host.ts';
import { ControlNet, GROUP, S, VOLUME } from '../../support/control-net.ts';

const RESUME = { kind: 'verify-resume', volume: VOLUME } as const;
const VERIFY = {
  kind: 'verify',
  volume: VOLUME,
  level: 'digest',
  from: 3,
  repair: true,
  bytesPerSecond: 9,
} as const satisfies VerifyCommand;

/** A node of the cluster in which node 1 leads; its data actor says what it is. */
function setup(node: number, role: 'Primary' | 'Secondary', state: ClusterState = OWNED) {
  const { context } = contextOf(node);
  const volumes = new Volumes(context);
  const verification = new Verification(context, volumes, () => state);
  const known = { generation: 7, epoch: 1, hot: false, doubted: false } as const;
  const attached = {
    kind: 'attached',
    cause: '',
    volume: VOLUME,
    disk: 'UpToDate',
    ...known,
  } as const;
  volumes.report(attached, () => 0, null);
  const now = {
    disk: 'UpToDate',
    role,
    epoch: 1,
    link: 'Connected',
    dirty: 0,
    pending: 0,
  } as const;
  volumes.report({ kind: 'state', volume: VOLUME, ...now }, () => 0, null);
  context.take();
  const ask = (command: VerifyCommand): { answer: OperatorAnswer; orders: unknown[] } => {
    verification.take(5, command);
    const decisions = context.take();
    const [answer] = ofKind(decisions, 'answer');
    if (answer === undefined) throw new Error('not answered');
    expect(answer.id).toBe(5);
    return { answer: answer.answer, orders: ofKind(decisions, 'to-data').map((d) => d.command) };
  };
  return { ask, volumes, verification, context };
}

const REPORT: VerifyReport = {
  kind: 'verify',
  volume: VOLUME,
  id: 1,
  level: 'digest',
  repair: true,
  state: 'running',
  reason: '',
  cursor: 8,
  blocks: 4096,
  checked: 5,
  differing: 1,
  repaired: 0,
  unreadable: 0,
  findings: [],
  disagreements: [],
};

describe('an order to compare replicas', () => {
  it('is given to the data actor of the primary, each with a number of its own', () => {
    const { ask } = setup(1, 'Primary');
    const seen = new Set<number>();
    for (let time = 1; time <= 2; time += 1) {
      const { answer, orders } = ask(VERIFY);
      const id = answer.ok ? (answer.verify ?? 0) : 0;
      expect(id).toBeGreaterThan(0);
      expect(seen.has(id)).toBe(false);
      seen.add(id);
      const order = { id, level: 'digest', from: 3, repair: true, bytesPerSecond: 9 };
      expect(orders).toMatchObject([{ kind: 'verify', order }]);
    }
    const { answer, orders } = ask({ kind: 'verify-stop', volume: VOLUME });
    expect([answer, orders]).toMatchObject([{ ok: true }, [{ kind: 'verify', order: null }]]);
  });

  it('is refused where it cannot be carried out, with the reason', () => {
    const alone = { ...onlyRecord(OWNED), members: onlyRecord(OWNED).members.slice(0, 1) };
    const refusals: readonly (readonly [ReturnType<typeof setup>, VerifyCommand, string])[] = [
      [setup(2, 'Secondary'), VERIFY, 'not-primary'],
      [setup(3, 'Secondary'), VERIFY, 'not-primary'],
      [setup(1, 'Secondary'), VERIFY, 'not-primary'],
      [setup(2, 'Secondary'), { kind: 'verify-stop', volume: VOLUME }, 'not-primary'],
      [setup(1, 'Primary'), { ...VERIFY, volume: 'other' }, 'unknown-volume'],
      [setup(1, 'Primary'), { ...VERIFY, from: 4096 }, 'behind-the-end'],
      [setup(1, 'Primary', { ...OWNED, volumes: [alone] }), VERIFY, 'not-in-sync'],
    ];
    for (const [{ ask }, command, reason] of refusals) {
      const { answer, orders } = ask(command);
      expect([answer, orders]).toMatchObject([{ ok: false, reason }, []]);
    }
  });

  it('is told of in the status, and as stopped once its data actor began anew', () => {
    const { volumes } = setup(1, 'Primary');
    volumes.report(REPORT, () => 0, null);
    expect(volumes.get(VOLUME)?.verify).toEqual(REPORT);
    volumes.started(VOLUME);
    const stopped = { ...REPORT, state: 'stopped', reason: 'restarted' };
    expect(volumes.get(VOLUME)?.verify).toEqual(stopped);
    volumes.report({ ...REPORT, state: 'done' }, () => 0, null);
    volumes.started(VOLUME);
    expect(volumes.get(VOLUME)?.verify?.state).toBe('done');
  });

  it('is answered by any node of a running cluster, and leaves the log as it was', () => {
    const net = new ControlNet({ seed: 4 });
    net.await(() => net.whole(), 20 * S);
    net.pass(S);
    const { committed } = net.status(1);
    net.command(1, 1, VERIFY);
    net.command(2, 2, VERIFY);
    net.pass(S / 10);
    expect(net.answers.get(1)).toMatchObject({ ok: true });
    expect(net.answers.get(2)).toMatchObject({ ok: false, reason: 'not-primary' });
    expect(net.status(1).committed).toBe(committed);
  });

  it('that is stopped can be resumed where it was, and one that is done cannot', () => {
    const { ask, volumes, verification } = setup(1, 'Primary');
    expect(ask(RESUME).answer).toMatchObject({ ok: false, reason: 'nothing-to-resume' });
    const { answer } = ask(VERIFY);
    const id = answer.ok ? (answer.verify ?? 0) : 0;
    const report = { ...REPORT, id, cursor: 77, checked: 70 };
    ask({ kind: 'verify-stop', volume: VOLUME });
    volumes.report({ ...report, state: 'stopped', reason: 'order' }, () => 0, null);
    // What people stopped, only people begin again.
    verification.tick();
    const again = ask(RESUME);
    expect(again.answer).toMatchObject({ ok: true });
    const [command] = again.orders as [{ order: VerifyOrder }];
    expect(command.order).toMatchObject({ level: 'digest', repair: true, from: 77 });
    expect(command.order.found).toMatchObject({ checked: 70, differing: 1 });
    expect(command.order.id).not.toBe(id);
    volumes.report({ ...report, id: command.order.id, state: 'done' }, () => 0, null);
    expect(ask(RESUME).answer).toMatchObject({ ok: false, reason: 'nothing-to-resume' });
  });

  it('that compares metadata leaves one that is under way to go on afterwards', () => {
    const { ask, volumes, verification, context } = setup(1, 'Primary');
    const { answer } = ask(VERIFY);
    const id = answer.ok ? (answer.verify ?? 0) : 0;
    volumes.report({ ...REPORT, id, cursor: 99 }, () => 0, null);
    const quick = ask({ ...VERIFY, level: 'quick' }).answer;
    const other = quick.ok ? (quick.verify ?? 0) : 0;
    volumes.report(
      { ...REPORT, id, cursor: 101, state: 'stopped', reason: 'order' },
      () => 0,
      null,
    );
    volumes.report({ ...REPORT, id: other, level: 'quick', state: 'done' }, () => 0, null);
    context.now += 10 * S;
    verification.tick();
    const orders = ofKind(context.take(), 'to-data').map((each) => each.command);
    expect(orders).toMatchObject([{ kind: 'verify', order: { id, from: 101 } }]);
  });
});

describe('a comparison that is interrupted', () => {
  /** A cluster in which node `leader` leads the volume and has got to block 80. */
  function begun(seed: number): { net: ControlNet; id: number; leader: number; other: number } {
    const net = new ControlNet({ seed, wire: true });
    net.await(() => net.whole(), 20 * S);
    net.pass(S);
    const leader = net.status(1).volumes[0]?.primary ?? 0;
    net.command(leader, 1, VERIFY);
    net.pass(S / 10);
    const answer = net.answers.get(1);
    const id = answer?.ok === true ? (answer.verify ?? 0) : 0;
    expect(net.verifications).toMatchObject([{ node: leader, order: { id, from: 3 } }]);
    net.report(leader, { ...REPORT, id, cursor: 80, checked: 70 });
    net.pass(S);
    return { net, id, leader, other: 3 - leader };
  }

  it('goes on by itself where the volume is led next', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const { net, id, leader, other } = begun(seed);
      net.powerOff(leader);
      // A copy alone has nothing to be compared with.
      net.pass(15 * S);
      expect(net.verifications).toHaveLength(1);
      net.powerOn(leader);
      expect(net.await(() => net.whole(), 30 * S)).toBe(true);
      net.pass(5 * S);
      const next = net.verifications.at(-1);
      expect([seed, next]).toMatchObject([seed, { node: other, order: { id, from: 80 } }]);
      expect(next?.order?.found).toMatchObject({ checked: 70, differing: 1 });
      net.report(other, { ...REPORT, id, state: 'done', cursor: 4096 });
      net.pass(20 * S);
      const count = net.verifications.length;
      net.pass(20 * S);
      expect(net.verifications.length).toBe(count);
    }
  });

  it('goes on after the core began anew', () => {
    const { net, id, leader } = begun(3);
    net.killCore(leader);
    net.startCore(leader);
    net.pass(10 * S);
    expect(net.verifications.at(-1)).toMatchObject({ node: leader, order: { id, from: 80 } });
  });

  it('is remembered by both through a loss of all power', () => {
    const { net, id } = begun(2);
    for (const node of [1, 2, 3]) net.powerOff(node);
    for (const node of [1, 2, 3]) net.powerOn(node);
    net.await(() => net.whole(), 60 * S);
    net.pass(10 * S);
    expect(net.verifications.at(-1)).toMatchObject({ order: { id, from: 80 } });
  });

  it('leaves the log as it was, and costs a document every few seconds at most', () => {
    const { net, id, leader } = begun(1);
    const { committed } = net.status(1);
    const before = net.persists;
    for (let n = 1; n <= 100; n += 1) {
      net.report(leader, { ...REPORT, id, cursor: 80 + n });
      net.pass(S / 5);
    }
    expect(net.status(1).committed).toBe(committed);
    // 20 seconds, three nodes.
    expect(net.persists - before).toBeLessThan(20);
    net.command(leader, 2, { kind: 'verify-stop', volume: VOLUME });
    net.pass(20 * S);
    expect(net.verifications.filter(({ order }) => order !== null)).toHaveLength(1);
  });
});

describe('a repair', () => {
  it('goes on where another host leads as a comparison alone: it has a direction', () => {
    const net = new ControlNet({ seed: 1, wire: true });
    net.await(() => net.whole(), 20 * S);
    net.pass(S);
    const leader = net.status(1).volumes[0]?.primary ?? 0;
    net.command(leader, 1, { ...VERIFY, repair: true });
    net.pass(S / 10);
    const answer = net.answers.get(1);
    const id = answer?.ok === true ? (answer.verify ?? 0) : 0;
    expect(net.verifications.at(-1)?.order?.repair).toBe(true);
    net.report(leader, { ...REPORT, id, cursor: 80, checked: 70 });
    net.pass(S);
    net.command(leader, 7, { kind: 'switch', group: GROUP, to: 3 - leader });
    net.await(() => net.status(1).volumes[0]?.primary === 3 - leader, 30 * S);
    const stopped = { state: 'stopped', reason: 'not-primary' } as const;
    net.report(leader, { ...REPORT, id, cursor: 80, checked: 70, ...stopped });
    net.pass(10 * S);
    const last = net.verifications.at(-1);
    expect(last).toMatchObject({ node: 3 - leader, order: { id, from: 80, repair: false } });
  });
});

describe('a comparison by schedule', () => {
  function planned(seed: number, every: number): ControlNet {
    const verify = { every, level: 'digest', bytesPerSecond: 5 } as const;
    const { volumes, ...config } = testConfig();
    const net = new ControlNet({
      seed,
      wire: true,
      config: { ...config, volumes: volumes.map((volume) => ({ ...volume, verify })) },
    });
    net.await(() => net.whole(), 20 * S);
    return net;
  }

  /** Numbers of the orders; nobody carries them out, so that they are given again. */
  function numbers(net: ControlNet): number[] {
    return [...new Set(net.verifications.map(({ order }) => order?.id ?? 0))];
  }

  it('begins when it is due, repairs nothing, and rests from its end on', () => {
    const net = planned(2, 60 * S);
    net.pass(2 * S);
    const leader = net.status(1).volumes[0]?.primary ?? 0;
    const dueIn = net.status(leader).volumes[0]?.local?.nextVerify ?? 0;
    expect(dueIn).toBeGreaterThan(30 * S);
    net.pass(dueIn - 5 * S);
    expect(net.verifications).toEqual([]);
    net.pass(10 * S);
    const order = { level: 'digest', from: 0, repair: false, bytesPerSecond: 5 };
    expect(net.verifications[0]).toMatchObject({ node: leader, order });
    const id = net.verifications[0]?.order?.id ?? 0;
    net.report(leader, { ...REPORT, id });
    net.pass(70 * S);
    expect(numbers(net)).toEqual([id]);
    net.report(leader, { ...REPORT, id, state: 'done', cursor: 4096 });
    net.pass(50 * S);
    expect(numbers(net)).toEqual([id]);
    net.pass(20 * S);
    expect(numbers(net)).toHaveLength(2);
  });

  it('is counted on by whoever leads, and through a core that begins anew', () => {
    const net = planned(3, 80 * S);
    const leader = net.status(1).volumes[0]?.primary ?? 0;
    net.pass(45 * S);
    net.killCore(leader);
    net.startCore(leader);
    net.pass(5 * S);
    net.await(() => net.whole(), 30 * S);
    net.command(leader, 7, { kind: 'switch', group: GROUP, to: 3 - leader });
    net.await(() => net.status(1).volumes[0]?.primary === 3 - leader, 30 * S);
    net.pass(2 * S);
    const next = net.status(3 - leader).volumes[0]?.local?.nextVerify ?? 80 * S;
    net.pass(60 * S);
    expect(next).toBeLessThan(60 * S);
    expect(numbers(net)).toHaveLength(1);
    expect(net.verifications[0]).toMatchObject({ node: 3 - leader, order: { from: 0 } });
  });

  it('of which nobody has written is never begun', () => {
    const net = new ControlNet({ seed: 4 });
    net.await(() => net.whole(), 20 * S);
    net.pass(200 * S);
    expect(net.verifications).toEqual([]);
  });
});
