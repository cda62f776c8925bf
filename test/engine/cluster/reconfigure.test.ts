import { describe, expect, it } from 'vitest';
import {
  agreedWith,
  begunOf,
  type ConfigChange,
  doneOf,
  NOTHING_AGREED,
  type Stage,
} from '../../../engine/cluster/changes.ts';
import { ofKind } from '../../support/control-fixtures.ts';
import {
  ADD,
  EPOCH,
  judge,
  on,
  REMOVE,
  REPLACE,
  restarts,
  stateOf,
  volume,
  waits,
} from '../../support/reconfigure-node.ts';
import { TWO_OF_THREE as PAIR, THREE_OF_THREE as THREE } from '../../support/trio-configs.ts';

describe('a change of the configuration', () => {
  it('is written down before the core starts anew for it, by who leads first', () => {
    const owner = on(1, stateOf(REMOVE, [1, 3]), { 2: 0, 3: 0 });
    const decisions = owner.run();
    expect(restarts(decisions)).toBe(1);
    const kinds = decisions.map(({ kind }) => kind);
    expect(kinds.indexOf('persist') < kinds.indexOf('restart-core')).toBe(true);
    const [written] = ofKind(decisions, 'persist');
    expect(written?.durable['taken']).toEqual({
      version: 1,
      changes: [{ version: 1, change: REMOVE }],
      before: [{ volume, nodes: [1, 2, 3], layout: 0 }],
    });
    // Everybody else waits for that, and says so.
    const other = on(3, stateOf(REMOVE, [1, 3]), { 1: 0, 2: 0 });
    expect(restarts(other.run())).toBe(0);
    expect(other.reconfigure.status?.waits).toEqual({ reason: 'owner-first', node: 1 });
  });

  it('is taken by nobody before it has begun', () => {
    const state = stateOf(REMOVE, [1, 3], 1, 'ordered');
    const owner = on(1, state, { 2: 0, 3: 0 });
    expect(restarts(owner.run())).toBe(0);
    expect(owner.reconfigure.ready).toBe(1);
    expect(owner.reconfigure.version).toBe(0);
    expect(owner.reconfigure.status?.stage).toBe('ordered');
  });

  it('is taken one node after the other, of those that are heard', () => {
    const state = stateOf(ADD, [1, 2]);
    const third = on(3, state, { 1: 1, 2: 0 }, { config: PAIR });
    expect(restarts(third.run())).toBe(0);
    expect(third.reconfigure.status?.waits).toEqual({ reason: 'others-first', node: 2 });
    expect(restarts(on(3, state, { 1: 1, 2: 1 }, { config: PAIR }).run())).toBe(1);
    expect(restarts(on(3, state, { 1: 1 }, { config: PAIR }).run())).toBe(1);
    expect(restarts(on(2, state, { 1: 1, 3: 0 }, { config: PAIR }).run())).toBe(1);
  });

  it('is in use where the replica is open under it, not where a core has it', () => {
    const state = stateOf(ADD, [1, 2]);
    const opening = { config: PAIR, whole: [2, 3] };
    const second = on(2, state, { 1: 1, 3: 0 }, opening);
    expect(restarts(second.run())).toBe(0);
    expect(second.reconfigure.status?.waits).toEqual({ reason: 'owner-first', node: 1 });
    const bug = on(2, state, { 1: 1, 3: 0 }, { ...opening, canaries: ['unopened-counted'] });
    expect(restarts(bug.run())).toBe(1);
  });

  // It could not be reached when the core started: whatever comes next, it is as it was.
  it('is written down with what a replica may be laid out for that was not opened', () => {
    const state = stateOf(ADD, [1]);
    const held = { volume, nodes: [1, 3], layout: 9 };
    const laidOut = (disk: string, canaries: readonly string[] = [], device = 0) => {
      const host = on(1, state, {}, { config: PAIR, whole: [], canaries });
      host.reconfigure.restore({ version: 0, changes: [], before: [held] });
      const attached = disk !== '';
      Object.assign(host.volumes.get(volume) ?? {}, { attached, disk, device });
      const [written] = ofKind(host.run(), 'persist');
      const taken = written?.durable['taken'] as { readonly before: unknown } | undefined;
      return taken?.before;
    };
    const now = [{ volume, nodes: [1, 2], layout: 0 }];
    expect([laidOut(''), laidOut('Failed'), laidOut('UpToDate')]).toEqual([[held], [held], now]);
    expect(laidOut('', ['unlaid-forgotten'])).toEqual(now);
    // It was opened, and has failed since.
    expect(laidOut('Failed', [], 7)).toEqual(now);
    expect(laidOut('Failed', ['failed-counted'])).toEqual(now);
  });

  it('that is done is taken without waiting for one that has begun since', () => {
    const added = doneOf(agreedWith(NOTHING_AGREED, ADD));
    const agreed = begunOf(agreedWith(added, { ...REPLACE, node: 3 }));
    const state = { ...stateOf(ADD, [1, 2]), agreed };
    const late = on(2, state, { 1: 2, 3: 1 }, { config: PAIR });
    const [written] = ofKind(late.run(), 'persist');
    const taken = written?.durable['taken'] as { readonly version: number } | undefined;
    expect(taken?.version).toBe(1);
  });

  it('has the primary let go of whoever is to go until it has the change in use', () => {
    const parted = (inUse: number): unknown => {
      const owner = on(1, stateOf(REPLACE, [1, 2, 3]), { 2: inUse, 3: 0 });
      return ofKind(owner.run(), 'to-data').map(({ command }) => command);
    };
    expect(parted(0)).toEqual([{ kind: 'part', nodes: [2] }]);
    expect(parted(1)).toEqual([]);
  });

  it('about another node’s disk is in use without a new core', () => {
    const owner = on(1, stateOf(REPLACE, [1, 3]), { 2: 0, 3: 0 });
    expect(restarts(owner.run())).toBe(0);
    expect([owner.reconfigure.version, owner.changes()]).toEqual([1, 1]);
    expect(restarts(on(2, stateOf(REPLACE, [1, 3]), { 1: 1, 3: 1 }).run())).toBe(1);
    // Whoever comes late finds it among the members again, with its new disk.
    const late = on(3, stateOf(REPLACE, [1, 2, 3], 1, 'done'), { 1: 1, 2: 1 });
    late.run();
    expect(late.reconfigure.version).toBe(1);
  });

  it('takes a disk away only while another member is heard that has everything', () => {
    const state = stateOf(REPLACE, [1, 3]);
    expect(waits(on(2, state, {}))).toBe('copies-missing');
    expect(waits(on(2, state, { 1: 1, 3: 0 }, { whole: [2] }))).toBe('copies-missing');
    expect(restarts(on(2, state, { 1: 1 }).run())).toBe(1);
    const bug = on(2, state, {}, { canaries: ['begun-unconfirmed'] });
    expect(restarts(bug.run())).toBe(1);
    // Nor one that has another disk open than was admitted, or spoke in an earlier life.
    const volumes = state.volumes.map((each) => ({
      ...each,
      members: each.members.map((member) => ({ ...member, disk: 7 })),
    }));
    const other = (device: number) => on(2, { ...state, volumes }, { 1: 1, 3: 0 }, { device });
    expect([waits(other(8)), waits(other(7))]).toEqual(['copies-missing', '']);
    expect(waits(on(2, state, { 1: 1, 3: 0 }, { reborn: true }))).toBe('copies-missing');
    const groups = state.groups.map((each) => ({ ...each, base: [{ node: 2, boot: 12 }] }));
    expect(waits(on(2, { ...state, groups }, { 1: 1, 3: 0 }))).toBe('leaves-set');
    // Nor while it counts, or leads: even where it was removed while it was away.
    for (const [change, stage] of [
      [REPLACE, 'begun'],
      [REMOVE, 'begun'],
      [REMOVE, 'done'],
    ] as const) {
      expect(waits(on(2, stateOf(change, [1, 2], 1, stage), { 1: 1 }))).toBe('leaves-set');
      expect(waits(on(2, stateOf(change, [1, 2], 2, stage), { 1: 1 }))).toBe('replica-leads');
      expect(waits(on(2, stateOf(change, [1], 1, stage), {}))).toBe('copies-missing');
    }
  });

  // Else the only member could not find its disk again: the one it has open does not count.
  it('is taken at once by a host that lost which disk was agreed on', () => {
    for (const [members, owner] of [
      [[2], 2],
      [[1, 2], 1],
    ] as const) {
      expect(restarts(on(2, stateOf(REPLACE, members, owner, 'done'), {}).run())).toBe(1);
    }
  });

  it('waits where that host was admitted with the disk that it has open all the same', () => {
    const state = stateOf(REPLACE, [1, 2], 1, 'done');
    const named = (disk: number, canaries: readonly string[] = []) => {
      const volumes = state.volumes.map((each) => ({
        ...each,
        members: each.members.map((member) => ({ ...member, disk })),
      }));
      const host = on(2, { ...state, volumes }, { 1: 1 }, { canaries });
      Object.assign(host.volumes.get(volume) ?? {}, { device: 7 });
      return host;
    };
    expect([waits(named(7)), waits(named(8))]).toEqual(['leaves-set', '']);
    expect(waits(named(7, ['other-disk-counts']))).toBe('');
  });

  it('does not end a core that serves before another one stands by', () => {
    const state = stateOf(REMOVE, [1, 3]);
    const young = on(1, state, { 2: 0, 3: 0 }, { age: 4_000_000 });
    expect(restarts(young.run())).toBe(0);
    expect(young.reconfigure.status?.waits).toEqual({ reason: 'just-started', node: 1 });
    expect(restarts(on(1, state, { 2: 0, 3: 0 }, { age: 5_000_000 }).run())).toBe(1);
  });

  it('waits for what the host says is missing, and is asked about again', () => {
    const state = stateOf(ADD, [1, 2]);
    const third = on(3, state, { 1: 1, 2: 1 }, { config: PAIR });
    expect(restarts(third.run('/dev/c does not exist'))).toBe(0);
    const reason = { reason: '/dev/c does not exist', node: 3 };
    expect(third.reconfigure.status?.waits).toEqual(reason);
    expect(third.reconfigure.version).toBe(0);
  });

  // It has lost its folder, and the disk that was agreed on: nothing but another change helps.
  it('of a disk that is lost as well is passed over, where the next one does away with it', () => {
    const first = doneOf(agreedWith(NOTHING_AGREED, REPLACE));
    const next = (change: ConfigChange, stage: Stage, canaries: readonly string[] = []) => {
      const ordered = agreedWith(first, change);
      const agreed = stage === 'ordered' ? ordered : begunOf(ordered);
      const state = { ...stateOf(change, [1, 3]), agreed };
      const host = on(2, state, { 1: 2, 3: 2 }, { canaries });
      const decisions = host.run((version) => (version === 1 ? 'gone' : ''));
      const [written] = ofKind(decisions, 'persist');
      const taken = written?.durable['taken'] as { readonly version: number } | undefined;
      return { taken: taken?.version ?? 0, ready: host.reconfigure.ready };
    };
    const again: ConfigChange = { ...REPLACE, path: '/dev/newer' };
    for (const change of [again, REMOVE]) {
      expect(next(change, 'ordered')).toEqual({ taken: 0, ready: 2 });
      expect(next(change, 'begun')).toEqual({ taken: 2, ready: 2 });
      expect(next(change, 'ordered', ['lost-disk-awaited']).ready).toBe(0);
      expect(next(change, 'begun', ['lost-disk-awaited']).taken).toBe(0);
    }
    // What it can have it takes first, without waiting for what came after it.
    const last = begunOf(agreedWith(first, again));
    const able = on(2, { ...stateOf(again, [1, 3]), agreed: last }, { 1: 2, 3: 2 });
    const [written] = ofKind(able.run(), 'persist');
    expect((written?.durable['taken'] as { readonly version: number } | undefined)?.version).toBe(
      1,
    );
    // A change of another node's disk brings nothing back here.
    expect(next({ ...again, node: 3 }, 'begun').taken).toBe(0);
  });
});

describe('a change that was ordered', () => {
  const ordered = (
    change: ConfigChange,
    members: readonly number[],
    more: Parameters<typeof on>[3] = {},
    others: { readonly [node: number]: number } = { 2: 0, 3: 0 },
    owner = 1,
  ) => {
    const host = on(1, stateOf(change, members, owner, 'ordered'), others, more);
    host.run();
    return host;
  };

  it('begins when whoever is to go has left, and others are shown to have everything', () => {
    for (const change of [REMOVE, REPLACE]) {
      expect(ordered(change, [1, 3]).steps()).toEqual(['begun']);
      const [entry] = ordered(change, [1, 3]).lead();
      expect(entry?.kind === 'config-step' ? [entry.of, entry.record] : []).toEqual([1, EPOCH]);
      expect(waits(ordered(change, [1, 2, 3]))).toBe('leaves-set');
      expect(ordered(change, [1, 2, 3]).steps()).toEqual([]);
      const counted = { canaries: ['leaver-counted'] };
      expect(ordered(change, [1, 2, 3], counted).steps()).toEqual(['begun']);
      // Whoever leads has not said that it has everything stable, in the very record.
      expect(waits(ordered(change, [1, 3], { active: EPOCH - 1 }))).toBe('settles');
      const unconfirmed = { active: EPOCH - 1, canaries: ['begun-unconfirmed'] };
      expect(ordered(change, [1, 3], unconfirmed).steps()).toEqual(['begun']);
      expect(waits(ordered(change, [2, 3], {}, { 2: 0, 3: 0 }, 2))).toBe('replica-leads');
      expect(waits(ordered(change, [1, 3], {}, { 1: 0 }, 3))).not.toBe('');
    }
  });

  it('never begins where too few others are heard that have everything', () => {
    expect(waits(ordered(REMOVE, [1]))).toBe('copies-missing');
    expect(waits(ordered(REMOVE, [1, 2]))).toBe('copies-missing');
    expect(waits(ordered(REMOVE, [1, 2, 3], {}, { 2: 0 }))).toBe('copies-missing');
    expect(waits(ordered(REMOVE, [1, 3], { whole: [1, 2] }))).toBe('copies-missing');
    expect(ordered(REMOVE, [1], { canaries: ['last-copy-removed'] }).steps()).toEqual(['begun']);
    expect(ordered(REPLACE, [1]).steps()).toEqual(['begun']);
    expect(waits(ordered(REPLACE, [3], { whole: [2] }))).toBe('copies-missing');
  });

  it('waits until every host that is heard could follow, and who is to have it is heard', () => {
    for (const change of [ADD, REMOVE]) {
      const config = change === ADD ? PAIR : THREE;
      expect(waits(ordered(change, [1, 3], { config, able: [1] }))).toBe('others-ready');
      const canaries = ['others-unready'];
      expect(ordered(change, [1, 3], { config, able: [1], canaries }).steps()).toEqual(['begun']);
    }
    expect(waits(ordered(ADD, [1, 2], { config: PAIR }, { 2: 0 }))).toBe('not-heard');
    expect(waits(ordered(REPLACE, [1], {}, { 3: 0 }))).toBe('not-heard');
    // Of one that is away nothing can be asked: it may be gone for good, and be removed.
    expect(ordered(REMOVE, [1, 3], {}, { 3: 0 }).steps()).toEqual(['begun']);
  });

  it('leaves a replica in step until nothing but that stands in the way', () => {
    const parted = (more: Parameters<typeof on>[3], change: ConfigChange = REPLACE): unknown => {
      const owner = on(1, stateOf(change, [1, 2, 3], 1, 'ordered'), { 2: 0, 3: 0 }, more);
      return ofKind(owner.run(), 'to-data').map(({ command }) => command);
    };
    expect(parted({ able: [1, 3] })).toEqual([]);
    expect(parted({ whole: [1, 2] }, REMOVE)).toEqual([]);
    expect(parted({})).toEqual([{ kind: 'part', nodes: [2] }]);
  });
});

describe('a change that has begun', () => {
  it('is done when all that are heard have it in use, with their replicas open', () => {
    const done = (
      others: { readonly [node: number]: number },
      more: Parameters<typeof on>[3] = {},
      change: ConfigChange = ADD,
    ): unknown => {
      const config = change === ADD ? PAIR : THREE;
      const host = on(1, stateOf(change, [1, 2]), others, { config, ...more });
      host.reconfigure.restore({ version: 1, changes: [{ version: 1, change }], before: [] });
      return host.steps();
    };
    expect(done({ 2: 1, 3: 1 })).toEqual(['done']);
    expect(done({ 2: 1, 3: 0 })).toEqual([]);
    expect(done({ 2: 1, 3: 1 }, { whole: [1, 2] })).toEqual([]);
    expect(done({ 2: 1, 3: 1 }, { whole: [1, 3] })).toEqual([]);
    const bug = { whole: [1, 3], canaries: ['unopened-counted'] };
    expect(done({ 2: 1, 3: 1 }, bug)).toEqual(['done']);
    // One that is away takes it when it comes; but not whose disk it is about.
    expect(done({ 3: 1 })).toEqual(['done']);
    expect(done({ 2: 1 })).toEqual([]);
    expect(done({ 3: 1 }, {}, REMOVE)).toEqual(['done']);
    expect(done({ 3: 1 }, {}, REPLACE)).toEqual([]);
    const led = on(2, stateOf(ADD, [1, 2]), { 3: 1 }, { config: PAIR });
    led.reconfigure.restore({ version: 1, changes: [{ version: 1, change: ADD }], before: [] });
    expect(led.steps()).toEqual([]);
  });
});

describe('a command to change the configuration', () => {
  it('is refused with the reason, and else becomes an entry', () => {
    expect(judge(REMOVE, [1, 2, 3])).toBe('change');
    expect(judge(REMOVE, [1, 3])).toBe('change');
    expect(judge(REMOVE, [1, 2])).toBe('copies-missing');
    expect(judge({ ...REMOVE, node: 1 }, [1, 2, 3])).toBe('replica-leads');
    expect(judge(REMOVE, [1, 2], PAIR)).toBe('replicas-least');
    expect(judge(ADD, [1, 2], PAIR)).toBe('change');
    expect(judge(ADD, [1, 2, 3])).toBe('replica-there');
    expect(judge(REPLACE, [1, 2], PAIR)).toBe('change');
    expect(judge({ ...REPLACE, node: 3 }, [1, 2], PAIR)).toBe('no-replica-there');
    expect(judge({ ...REMOVE, volume: 'x' }, [1, 2, 3])).toBe('unknown-volume');
    expect(judge({ ...REMOVE, node: 9 }, [1, 2, 3])).toBe('unknown-node');
    expect(judge(REMOVE, [1, 2, 3], THREE, 0)).toBe('config-changed');
    const path = 'p'.repeat(20_480);
    expect(judge({ ...REPLACE, path }, [1, 2, 3])).toBe('changes-full');
  });

  it('is refused while another change is not done, whatever it is about', () => {
    for (const stage of ['ordered', 'begun'] as const) {
      const under = (change: ConfigChange, canaries: readonly string[] = []): string => {
        const state = stateOf(ADD, [1, 2], 1, stage);
        const { reconfigure } = on(1, state, { 2: 0, 3: 0 }, { config: PAIR, canaries });
        const verdict = reconfigure.judge({ kind: 'configure', from: 1, change });
        return typeof verdict === 'string' ? verdict : verdict.reason;
      };
      expect(under(REPLACE)).toBe('change-under-way');
      expect(under(REPLACE, ['second-change'])).toBe('change');
      // What has not begun can be taken back, by what puts everything as it was.
      const back = stage === 'ordered' ? 'withdraw' : 'change-under-way';
      expect(under({ ...REMOVE, node: 3 })).toBe(back);
    }
  });

  it('takes a removal, or another disk, back by the very replica that there was', () => {
    const { reconfigure } = on(1, stateOf(REMOVE, [1, 2, 3], 1, 'ordered'), { 2: 0, 3: 0 });
    const nbd = THREE.volumes[0]?.nbd.find(({ node }) => node === 2);
    const place = THREE.groups[0]?.nodes.indexOf(2) ?? -1;
    const replica = THREE.volumes[0]?.replicas.find(({ node }) => node === 2);
    if (replica === undefined) throw new Error('node 2 has a replica');
    const { listen = [] } = nbd ?? {};
    const same: ConfigChange = { kind: 'add-replica', volume, replica, listen, place };
    const judged = (change: ConfigChange) => {
      return reconfigure.judge({ kind: 'configure', from: 1, change });
    };
    expect(judged(same)).toBe('withdraw');
    const other = { ...same, replica: { ...replica, path: '/dev/other' } };
    expect(judged(other)).toEqual({ reason: 'change-under-way', remedy: 'see-status' });
  });

  it('is refused where metadata have more than the engine lays out anew', () => {
    const summed = { ...THREE.volumes[0], checksums: true, logicalBlock: 4096 } as const;
    const config = { ...THREE, volumes: [summed] } as unknown as typeof THREE;
    expect(judge(REMOVE, [1, 2, 3], config)).toBe('not-changed-online');
    expect(judge(REPLACE, [1, 2, 3], config)).toBe('change');
  });
});
