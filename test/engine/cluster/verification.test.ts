import { describe, expect, it } from 'vitest';
import type { OperatorAnswer, VerifyCommand } from '../../../engine/cluster/interface.ts';
import type { ClusterState } from '../../../engine/cluster/state.ts';
import { Verification } from '../../../engine/cluster/verification.ts';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import type { VerifyReport } from '../../../engine/data/messages.ts';
import { contextOf, OWNED, ofKind, onlyRecord } from '../../support/control-fixtures.ts';
import { ControlNet, S, VOLUME } from '../../support/control-net.ts';

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
  const attached = { kind: 'attached', volume: VOLUME, disk: 'UpToDate', ...known } as const;
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
  return { ask, volumes };
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
    for (const id of [1, 2]) {
      const { answer, orders } = ask(VERIFY);
      expect(answer).toEqual({ ok: true, verify: id });
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
    expect(net.answers.get(1)).toEqual({ ok: true, verify: 1 });
    expect(net.answers.get(2)).toMatchObject({ ok: false, reason: 'not-primary' });
    expect(net.status(1).committed).toBe(committed);
  });
});
