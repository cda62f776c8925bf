import { describe, expect, it } from 'vitest';
import type {
  ControlDecision,
  OperatorAnswer,
  QuiesceCommand,
} from '../../../engine/cluster/interface.ts';
import { isQuiesce, Quiescence } from '../../../engine/cluster/quiescence.ts';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import { QUIESCE_MAX, type QuiesceReport } from '../../../engine/data/messages.ts';
import { contextOf, OWNED, ofKind } from '../../support/control-fixtures.ts';
import { VOLUME } from '../../support/control-net.ts';

const QUIESCE = { kind: 'quiesce', volumes: [VOLUME], micros: 4_000_000 } as const;
const OTHER = 'other';

/** A node, with two volumes that it leads; its data actors say nothing of themselves. */
function setup(node = 1, canaries: readonly string[] = []) {
  const { context } = contextOf(node, canaries);
  const volumes = new Volumes(context);
  const [own] = volumes.all;
  if (own !== undefined) own.role = 'Primary';
  const known = volumes.get.bind(volumes);
  volumes.get = (name) => known(name === OTHER ? VOLUME : name);
  const [record] = OWNED.volumes;
  if (record === undefined) throw new Error('the state has no record');
  const state = { ...OWNED, volumes: [record, { ...record, volume: OTHER }] };
  const quiescence = new Quiescence(context, volumes, () => state);
  context.take();
  let asked = 0;
  const taken = (): readonly ControlDecision[] => context.take();
  const answers = (): readonly OperatorAnswer[] => ofKind(taken(), 'answer').map((d) => d.answer);
  return {
    context,
    quiescence,
    taken,
    answers,
    ask: (command: QuiesceCommand): void => {
      asked += 1;
      quiescence.take(asked, command);
    },
    say: (id: number, change: Partial<QuiesceReport> = {}): void => {
      volumes.onQuiesce({
        kind: 'quiesce',
        volume: VOLUME,
        id,
        state: 'quiet',
        reason: '',
        epoch: 2,
        members: [1, 2],
        cause: '',
        ...change,
      });
    },
  };
}

type Setup = ReturnType<typeof setup>;

/** Asks for a point, and returns its number. */
function begun(node: Setup, volumes: readonly string[] = [VOLUME]): number {
  node.ask({ ...QUIESCE, volumes });
  const orders = ofKind(node.taken(), 'to-data');
  expect(orders.map(({ volume }) => volume)).toEqual(volumes);
  const [first] = orders;
  if (first?.command.kind !== 'quiesce') throw new Error('nothing was ordered');
  return first.command.order.id;
}

describe('an order for a quiesce point', () => {
  it('is answered when the point stands, and its end by whether it stood until then', () => {
    const node = setup();
    const id = begun(node);
    node.say(id);
    const point = { id, volumes: [{ volume: VOLUME, members: [1, 2] }] };
    expect(node.answers()).toEqual([{ ok: true, point }]);
    node.ask({ kind: 'resume', point: id });
    expect(ofKind(node.taken(), 'to-data')).toMatchObject([{ command: { kind: 'resume', id } }]);
    node.say(id, { state: 'ended', reason: 'released' });
    expect(node.answers()).toEqual([{ ok: true }]);
  });

  it('of several volumes is answered when all are quiet at once', () => {
    const node = setup();
    const id = begun(node, [VOLUME, OTHER]);
    node.say(id);
    expect(node.answers()).toEqual([]);
    node.say(id, { volume: OTHER, members: [1] });
    expect(node.answers()).toMatchObject([
      { ok: true, point: { volumes: [{}, { members: [1] }] } },
    ]);
    node.ask({ kind: 'resume', point: id });
    node.say(id, { state: 'ended', reason: 'released' });
    expect(node.answers()).toEqual([]);
    node.say(id, { volume: OTHER, state: 'ended', reason: 'released' });
    expect(node.answers()).toEqual([{ ok: true }]);
  });

  it('of several volumes is over for all when one of them is, and the others go on', () => {
    const node = setup();
    const id = begun(node, [VOLUME, OTHER]);
    node.say(id);
    node.say(id, { volume: OTHER, state: 'ended', reason: 'not-primary' });
    const decisions = node.taken();
    expect(ofKind(decisions, 'to-data')).toMatchObject([{ volume: VOLUME }]);
    expect(ofKind(decisions, 'answer')).toMatchObject([
      { answer: { ok: false, reason: 'point-not-primary' } },
    ]);
    node.say(id, { state: 'ended', reason: 'released' });
    node.ask({ kind: 'resume', point: id });
    expect(node.answers()).toMatchObject([{ ok: false, reason: 'point-not-primary' }]);
  });

  it('that ended early is never answered as one that stood', () => {
    for (const reason of ['expired', 'not-primary', 'released']) {
      const node = setup();
      const id = begun(node);
      node.say(id);
      node.say(id, { state: 'ended', reason });
      node.taken();
      node.ask({ kind: 'resume', point: id });
      expect(node.answers()).toMatchObject([{ ok: false, reason: `point-${reason}` }]);
    }
    const trusting = setup(1, ['quiesce-trusted']);
    const id = begun(trusting);
    trusting.say(id);
    trusting.say(id, { state: 'ended', reason: 'expired' });
    trusting.taken();
    trusting.ask({ kind: 'resume', point: id });
    expect(trusting.answers()).toMatchObject([{ ok: true }]);
  });

  it('that no data actor answers is refused after its time', () => {
    const node = setup();
    const id = begun(node);
    node.quiescence.tick();
    expect(node.answers()).toEqual([]);
    node.context.now += QUIESCE.micros + 3_000_000;
    node.quiescence.tick();
    expect(node.answers()).toMatchObject([{ ok: false, reason: 'point-no-answer' }]);
    node.say(id);
    expect(node.answers()).toEqual([]);
  });

  it('is for no longer than clients bear', () => {
    const node = setup();
    node.ask({ ...QUIESCE, micros: 10 * QUIESCE_MAX });
    const until = node.context.now + QUIESCE_MAX;
    expect(ofKind(node.taken(), 'to-data')).toMatchObject([{ command: { order: { until } } }]);
  });

  it('is refused where the volume is not led or known, and a point that is none here', () => {
    const refusals: readonly (readonly [Setup, QuiesceCommand, string])[] = [
      [setup(2), QUIESCE, 'not-primary'],
      [setup(), { ...QUIESCE, volumes: [VOLUME, 'no'] }, 'unknown-volume'],
      [setup(), { ...QUIESCE, volumes: [] }, 'unknown-volume'],
      [setup(), { kind: 'resume', point: 7 }, 'unknown-point'],
    ];
    for (const [node, command, reason] of refusals) {
      node.ask(command);
      const decisions = node.taken();
      expect(ofKind(decisions, 'to-data')).toEqual([]);
      expect(ofKind(decisions, 'answer')).toMatchObject([{ answer: { ok: false, reason } }]);
    }
  });

  it('is told apart from every other command', () => {
    expect([QUIESCE, { kind: 'resume', point: 1 } as const].every(isQuiesce)).toBe(true);
    expect(isQuiesce({ kind: 'status' })).toBe(false);
  });
});
