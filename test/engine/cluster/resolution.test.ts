import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../engine/cluster/entries.ts';
import type { ResolveCommand } from '../../../engine/cluster/interface.ts';
import { judge } from '../../../engine/cluster/placement.ts';
import { applyEntry, BEGUN_MAX, begunOf } from '../../../engine/cluster/state.ts';
import type { SplitPolicy } from '../../../engine/core/config.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import {
  CONFIG,
  contextOf,
  factsOf,
  NO_FLAGS,
  onlyRecord,
} from '../../support/control-fixtures.ts';
import { VOLUME } from '../../support/control-net.ts';
import { recordAt, type Setup, setup, stateOf } from '../../support/control-split.ts';

/** The record that the only entry proposes. */
function proposed(entries: readonly Entry[]): VolumeRecord {
  const [entry] = entries;
  if (entry?.kind !== 'volume' || entries.length !== 1) throw new Error('one entry of a volume');
  return entry.record;
}

describe('a split brain in the log', () => {
  it('remembers how the last generations began, each with what was before it', () => {
    let state = stateOf();
    expect(begunOf(state, VOLUME, 20)).toMatchObject({ epoch: 3, active: true, after: 7 });
    expect(begunOf(state, VOLUME, 30)).toMatchObject({ epoch: 4, active: false, after: 20 });
    expect(begunOf(state, VOLUME, 7)).toBe(null);
    for (let g = 40; g < 60; g += 1) {
      const { epoch: from } = onlyRecord(state);
      const record = recordAt(g, 2, from + 1);
      const entry: Entry = { kind: 'volume', event: '', from, record, reason: 'settle' };
      state = applyEntry(state, entry, CONFIG, 2);
    }
    expect(state.begun).toHaveLength(BEGUN_MAX);
    expect(begunOf(state, VOLUME, 20)).toBe(null);
  });

  it('knows what was written alone in a generation once that is copied, and the most of it', () => {
    let state = stateOf();
    for (const changed of [40, 7]) {
      const { epoch: from, ...known } = onlyRecord(state);
      const record = { ...known, epoch: from + 1 };
      const entry = { kind: 'volume', event: '', from, record, reason: 'resync-done' } as const;
      state = applyEntry(state, { ...entry, changed }, CONFIG, 2);
    }
    expect(begunOf(state, VOLUME, 30)?.changed).toBe(40);
    expect(begunOf(state, VOLUME, 20)?.changed).toBe(0);
  });

  it('is left alone without a policy', () => {
    const { plan, entries } = setup();
    expect([plan(), entries]).toEqual([false, []]);
  });

  it('becomes an order that names the victim and both generations, once by policy', () => {
    const cases: readonly (readonly [SplitPolicy, number])[] = [
      ['discard-younger-primary', 2],
      ['discard-older-primary', 1],
      ['discard-local', 2],
      ['discard-remote', 1],
    ];
    for (const [policy, node] of cases) {
      const { plan, entries, record } = setup({ policy });
      expect(plan()).toBe(true);
      const [generation, keeps] = node === 1 ? [20, 30] : [30, 20];
      const discard = { node, generation, keeps };
      expect(proposed(entries)).toEqual({ ...record, epoch: record.epoch + 1, discard });
    }
  });

  it('waits until both sides are heard, and each speaks of what the other has', () => {
    const policy = 'discard-local';
    for (const change of [{ here: null }, { there: null }, { there: { peer: 19 } }]) {
      const { plan, entries } = setup({ policy, ...change });
      expect([plan(), entries]).toEqual([false, []]);
    }
  });

  it('waits until the in-sync set is the primary alone', () => {
    const members = [1, 2].map((node) => ({ node, boot: 10 + node }));
    const { plan } = setup({ policy: 'discard-local', record: { members } });
    expect(plan()).toBe(false);
  });

  it('never ends by policy where the two are strangers', () => {
    const verdict = 'unrelated';
    const { plan } = setup({ policy: 'discard-local', here: { verdict }, there: { verdict } });
    expect(plan()).toBe(false);
  });

  it('has no order when the side that would be kept is half copied', () => {
    const { plan } = setup({ policy: 'discard-local', disk: 'Inconsistent' });
    expect(plan()).toBe(false);
  });

  it('raises the epoch over whatever either disk has seen', () => {
    const { plan, entries } = setup({ policy: 'discard-remote', here: { epoch: 99 } });
    expect(plan()).toBe(true);
    expect(proposed(entries).epoch).toBe(100);
  });

  it('keeps an order that stands, and drops one that means other data', () => {
    const discard = { node: 1, generation: 20, keeps: 30 };
    const stands = setup({ policy: 'discard-local', record: { discard } });
    expect([stands.plan(), stands.entries]).toEqual([false, []]);
    for (const other of [{ generation: 19 }, { keeps: 29 }]) {
      const { plan, entries, marks } = setup({ record: { discard: { ...discard, ...other } } });
      expect(plan()).toBe(true);
      expect(proposed(entries).discard).toBeUndefined();
      expect(marks).toContain('branch-order-void');
    }
  });
});

describe('a person’s order', () => {
  it('becomes an entry with the command in it, whichever side is kept', () => {
    for (const [keep, keeps, discards] of [
      [1, 20, 30],
      [2, 30, 20],
    ] as const) {
      const { take, entries } = setup();
      expect(take({ keep, keeps, discards })).toBe(null);
      expect(proposed(entries).discard).toEqual({ node: 3 - keep, generation: discards, keeps });
      expect(entries[0]).toMatchObject({ command: { node: 3, id: 4 } });
    }
  });

  it('is refused where it means data that are no longer there, and why', () => {
    const verdict = 'unrelated';
    const strangers = { here: { verdict }, there: { verdict } } as const;
    const cases: readonly (readonly [Setup, Partial<ResolveCommand>, string])[] = [
      [{}, { keeps: 21 }, 'other-data'],
      [{}, { discards: 31 }, 'other-data'],
      [{}, { keep: 3 }, 'no-replica-there'],
      [{ here: null }, {}, 'no-split-brain'],
      [{ disk: 'Inconsistent' }, {}, 'no-image-to-keep'],
      [strangers, {}, 'unrelated-data'],
      [{ record: { discard: { node: 2, generation: 30, keeps: 20 } } }, {}, 'already-ordered'],
    ];
    for (const [what, command, reason] of cases) {
      const { take, entries } = setup(what);
      const said = take(command);
      if (said === null || said === 'wait') throw new Error(`${reason} is not refused`);
      expect([said.reason, typeof said.remedy, entries]).toEqual([reason, 'string', []]);
    }
    const adopted = setup(strangers);
    expect(adopted.take({ adopt: true })).toBe(null);
    expect(proposed(adopted.entries).discard).toEqual({ node: 2, generation: 30, keeps: 20 });
  });

  it('is taken while the group is stopped, and waits while its primary is being settled', () => {
    const stopped = setup({ record: { primary: 0 }, owner: 0 });
    expect(stopped.take({})).toBe(null);
    expect(proposed(stopped.entries).discard).toEqual({ node: 2, generation: 30, keeps: 20 });
    const moving = setup({ record: { primary: 0 } });
    expect([moving.take({}), moving.entries]).toEqual(['wait', []]);
  });

  it('is taken back by keeping its victim after all, until that is overwritten', () => {
    const discard = { node: 1, generation: 20, keeps: 30 };
    const { take, entries } = setup({ record: { discard } });
    expect(take({ keep: 1, keeps: 20 })).toBe(null);
    expect(proposed(entries).discard).toBeUndefined();
    const late = setup({ record: { discard }, disk: 'Inconsistent' });
    expect(late.take({ keep: 1, keeps: 20 })).toMatchObject({ reason: 'already-overwritten' });
  });
});

describe('what people see of a split brain', () => {
  it('is both sides in numbers, and whom each policy would choose', () => {
    const seen = setup().describe();
    expect(seen).toMatchObject({ verdict: 'split-brain', policy: 'none', ancestor: 7 });
    expect(seen?.sides).toMatchObject([
      { node: 1, generation: 20, owner: false, changed: { atLeast: 0, atMost: null } },
      { node: 2, generation: 30, owner: true, changed: { atLeast: 5, atMost: 5 } },
    ]);
    expect(seen?.choices.map(({ policy, victim }) => [policy, victim])).toEqual([
      ['none', 0],
      ['discard-younger-primary', 2],
      ['discard-older-primary', 1],
      ['discard-unchanged', 0],
      ['discard-fewer-changes', 0],
      ['discard-local', 2],
      ['discard-remote', 1],
    ]);
  });

  it('is the side that is heard, where the other is not', () => {
    const seen = setup({ there: null }).describe();
    expect(seen?.sides.map(({ node }) => node)).toEqual([1]);
    expect(seen?.choices).toEqual([]);
    expect(setup({ here: null, there: null }).describe()).toBe(null);
  });
});

describe('where a group may go while an order stands', () => {
  it('is the side that is kept, in sync or not, and never the one that is given up', () => {
    const { state } = setup();
    const unit = contextOf(3).context.units[0];
    if (unit === undefined) throw new Error('there is a group');
    const { members } = onlyRecord(state);
    const others = { boot: () => 0, doubted: () => false };
    const discard = { node: 2, generation: 30, keeps: 20 };
    const may = (node: number) => {
      const candidate = {
        node,
        reachable: true,
        boot: 10 + node,
        life: 1000 + node,
        facts: factsOf(node),
      };
      return judge(unit, members, candidate, others, NO_FLAGS, discard);
    };
    expect(may(1)).toEqual({ ok: true, standing: 'rebooted' });
    expect(may(2)).toMatchObject({ ok: false, reason: 'branch-given-up' });
  });
});
