import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagsOf } from '../../../engine/cluster/canaries.ts';
import type { Entry } from '../../../engine/cluster/entries.ts';
import type { ResolveCommand } from '../../../engine/cluster/interface.ts';
import { judge } from '../../../engine/cluster/placement.ts';
import { applyEntry, BEGUN_MAX, begunOf } from '../../../engine/cluster/state.ts';
import type { SplitPolicy } from '../../../engine/core/config.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import { CONFIG, contextOf, factsOf, onlyRecord } from '../../support/control-fixtures.ts';
import { VOLUME } from '../../support/control-net.ts';
import { orderOf, recordAt, type Setup, setup, stateOf } from '../../support/control-split.ts';

/** The record that the only entry proposes. */
function proposed(entries: readonly Entry[]): VolumeRecord {
  const [entry] = entries;
  if (entry?.kind !== 'volume' || entries.length !== 1) throw new Error('one entry of a volume');
  return entry.record;
}

/** A node that is heard, in the only life that it has here. */
function thereAs(node: number) {
  return { node, reachable: true, boot: 10 + node, life: 1000 + node };
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
      const epoch = record.epoch + 1;
      const discard = orderOf(node, { order: epoch, by: policy });
      expect(proposed(entries)).toEqual({ ...record, epoch, discard });
    }
  });

  it('gives up exactly whom the policy says, whether nobody serves, one host, or two', () => {
    const none = { record: { primary: 0 }, owner: 0, there: { settled: true } };
    const two = { here: { settled: false } };
    // What was written on each side: [here at least, there exactly], and whom each policy gives up.
    const table: readonly (readonly [SplitPolicy, readonly [number, number], number, number])[] = [
      // policy, changes, by one that serves (node 2), and where nobody does
      ['discard-younger-primary', [0, 5], 2, 2],
      ['discard-older-primary', [0, 5], 1, 1],
      ['discard-unchanged', [3, 0], 2, 2],
      ['discard-unchanged', [0, 5], 0, 0],
      ['discard-unchanged', [3, 5], 0, 0],
      ['discard-fewer-changes', [6, 5], 2, 2],
      ['discard-fewer-changes', [5, 5], 0, 0],
      ['discard-fewer-changes', [0, 5], 0, 0],
      ['discard-local', [0, 5], 2, 0],
      ['discard-remote', [0, 5], 1, 0],
      ['manual', [6, 0], 0, 0],
    ];
    const victimOf = (what: Setup): number => {
      const { plan, entries } = setup(what);
      return plan() ? (proposed(entries).discard?.node ?? 0) : 0;
    };
    for (const [policy, [here, there], one, nobody] of table) {
      const counts = { here: { shared: 7, dirty: here }, there: { dirty: there } };
      expect([policy, here, victimOf({ policy, ...counts })]).toEqual([policy, here, one]);
      const still = { ...counts.there, ...none.there };
      const idle = { policy, ...none, here: counts.here, there: still };
      expect([policy, here, victimOf(idle)]).toEqual([policy, here, nobody]);
      // The one that the log does not have do so is fenced first; then as above.
      const both = { policy, ...counts, here: { ...counts.here, ...two.here } };
      expect([policy, here, victimOf(both)]).toEqual([policy, here, 0]);
    }
    expect(setup(two).take({})).toMatchObject({ reason: 'still-serving' });
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
    const discard = orderOf(1, { confirmed: true });
    const stands = setup({ policy: 'discard-local', record: { discard } });
    expect([stands.plan(), stands.entries]).toEqual([false, []]);
    for (const other of [{ generation: 19 }, { keeps: 29 }]) {
      const { plan, entries, marks } = setup({ record: { discard: orderOf(1, other) } });
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
      expect(proposed(entries).discard).toEqual(orderOf(3 - keep));
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
      [{ record: { discard: orderOf(2) } }, {}, 'already-ordered'],
      [{}, { epoch: 3 }, 'decided-since'],
      [{}, { atMost: 4 }, 'more-changes'],
    ];
    for (const [what, command, reason] of cases) {
      const { take, entries } = setup(what);
      const said = take(command);
      if (said === null || said === 'wait') throw new Error(`${reason} is not refused`);
      expect([said.reason, typeof said.remedy, entries]).toEqual([reason, 'string', []]);
    }
    const adopted = setup(strangers);
    expect(adopted.take({ adopt: true })).toBe(null);
    expect(proposed(adopted.entries).discard).toEqual(orderOf(2));
  });

  it('is taken while the group is stopped, and waits while its primary is being settled', () => {
    const there = { settled: true };
    const stopped = setup({ record: { primary: 0 }, owner: 0, there });
    expect(stopped.take({})).toBe(null);
    expect(proposed(stopped.entries).discard).toEqual(orderOf(2));
    const moving = setup({ record: { primary: 0 } });
    expect([moving.take({}), moving.entries]).toEqual(['wait', []]);
  });

  it('is taken back by its name alone, once, and until it is confirmed', () => {
    const record = { discard: orderOf(1) };
    const { takeBack, entries } = setup({ record });
    expect(takeBack(5)).toBe(null);
    const told = proposed(entries);
    expect([told.discard, told.takenBack]).toEqual([undefined, orderOf(1)]);
    const cases: readonly (readonly [Setup, number, string])[] = [
      [{ record }, 4, 'no-such-order'],
      [{}, 5, 'no-such-order'],
      [{ record: { takenBack: orderOf(1) } }, 5, 'already-taken-back'],
      [{ record: { discard: orderOf(1, { confirmed: true }) } }, 5, 'already-confirmed'],
      [{ record, disk: 'Inconsistent' }, 5, 'already-overwritten'],
      // A later order stands: the word was about the one before.
      [{ record: { discard: orderOf(1, { order: 9 }) } }, 5, 'no-such-order'],
    ];
    for (const [what, order, reason] of cases) {
      const late = setup(what);
      expect([late.takeBack(order), late.entries]).toMatchObject([{ reason }, []]);
    }
    const bug = setup({
      record: { discard: orderOf(1, { order: 9 }) },
      canaries: ['take-back-any'],
    });
    expect(bug.takeBack(5)).toBe(null);
  });

  it('means what it meant whoever says what again, late or in another order', () => {
    const wrong = (canaries: readonly string[]): number => {
      let found = 0;
      // Everything that was ever said is said again at every point; only what is new counts.
      fc.assert(
        fc.property(fc.array(fc.nat(5), { maxLength: 12 }), (words) => {
          const said: (() => void)[] = [];
          let record: Partial<VolumeRecord> = {};
          let wanted: 'nothing' | 'order' = 'nothing';
          const commit = (entries: readonly Entry[]): void => {
            const [entry] = entries;
            if (entry?.kind === 'volume') record = entry.record;
          };
          for (const word of words) {
            const at = setup({ record, canaries });
            const { epoch } = at.record;
            if (word === 0) {
              const order = () => {
                const now = setup({ record, canaries });
                now.take({ epoch });
                commit(now.entries);
              };
              order();
              if (wanted === 'nothing') wanted = 'order';
              said.push(order);
            } else if (word === 1 && record.discard !== undefined) {
              const name = record.discard.order;
              const back = () => {
                const now = setup({ record, canaries });
                now.takeBack(name);
                commit(now.entries);
              };
              back();
              wanted = 'nothing';
              said.push(back);
            } else for (const again of word % 2 === 0 ? said : [...said].reverse()) again();
            if ((record.discard !== undefined) !== (wanted === 'order')) found += 1;
          }
        }),
        { seed: 7, numRuns: 400 },
      );
      return found;
    };
    expect(wrong([])).toBe(0);
    expect(wrong(['take-back-any'])).toBeGreaterThan(0);
  });
});

describe('a policy after a person took its order back', () => {
  const policy = 'discard-remote';
  const takenBack = orderOf(1, { by: policy });

  it('gives it no more, nor the opposite one, while both have what it named, or went on', () => {
    const lines: readonly Setup[] = [
      {},
      { here: { generation: 21, parents: [20, 7] }, there: { peer: 21 } },
      { there: { generation: 31, parents: [30, 7] }, here: { peer: 31 } },
      { here: { dirty: 40 }, there: { dirty: 50 } },
    ];
    for (const each of ['discard-remote', 'discard-local'] as const) {
      for (const line of lines) {
        const { plan, entries } = setup({ ...line, policy: each, record: { takenBack } });
        expect([plan(), entries]).toEqual([false, []]);
      }
    }
    const bug = setup({ policy, record: { takenBack }, canaries: ['policy-repeats'] });
    expect(bug.plan()).toBe(true);
  });

  it('decides again where a disk has other data than then, and a person may at any time', () => {
    const other = { generation: 25, parents: [7] };
    const { plan, entries } = setup({
      policy,
      here: other,
      there: { peer: 25 },
      record: { takenBack },
    });
    expect(plan()).toBe(true);
    expect(proposed(entries).takenBack).toBeUndefined();
    const person = setup({ policy, record: { takenBack } });
    expect(person.take({})).toBe(null);
    expect(proposed(person.entries).takenBack).toBeUndefined();
  });
});

describe('an order before it is carried out', () => {
  const by = 'discard-unchanged';
  const unwritten = { dirty: 0, settled: true };
  const led = (primary: number) => ({ primary, members: [{ node: primary, boot: 10 + primary }] });

  it('is confirmed when the other side leads, and not while the victim does', () => {
    const discard = orderOf(2, { by, atMost: 0 });
    const early = setup({ there: unwritten, record: { discard } });
    expect([early.plan(), early.entries]).toEqual([false, []]);
    const { plan, entries, marks } = setup({
      there: unwritten,
      record: { discard, ...led(1) },
      owner: 1,
    });
    expect(plan()).toBe(true);
    expect(proposed(entries).discard).toEqual({ ...discard, confirmed: true });
    expect(marks).toContain('branch-order-confirmed');
  });

  it('ends where anything was written to what was unchanged, before or after the stop', () => {
    for (const primary of [1, 2]) {
      const record = { discard: orderOf(2, { by, atMost: 0 }), ...led(primary) };
      const there = { dirty: 1, settled: true };
      const { plan, entries } = setup({ there, record, owner: primary });
      expect(plan()).toBe(true);
      expect(proposed(entries).discard).toBeUndefined();
      const bug = setup({ there, record, owner: primary, canaries: ['order-unchecked'] });
      bug.plan();
      expect(bug.entries.every((e) => e.kind === 'volume' && e.record.discard)).toBe(true);
    }
  });

  it('waits for the last word of whoever served, and for nobody who cannot say more', () => {
    const counted = { discard: orderOf(2, { by, atMost: 0 }) };
    const any = { discard: orderOf(2) };
    expect(setup({ there: unwritten, record: counted }).ripe()).toBe('go');
    expect(setup({ there: { dirty: 0, settled: false }, record: counted }).ripe()).toBe('wait');
    expect(setup({ there: { dirty: 1, settled: true }, record: counted }).ripe()).toBe('void');
    expect(setup({ there: { settled: true }, record: any }).ripe()).toBe('go');
    expect(setup({ there: null, record: any }).ripe()).toBe('wait');
    expect(setup({ there: null, record: any, away: 2 }).ripe()).toBe('go');
    expect(setup({ there: null, record: counted, away: 2 }).ripe()).toBe('wait');
  });

  it('ends where the kept side is known to have fewer changes than when it was chosen', () => {
    const fewer = 'discard-fewer-changes';
    const discard = orderOf(2, { by: fewer, atMost: 6 });
    const [here, there] = [{ shared: 7, dirty: 7 }, { dirty: 5 }];
    expect(setup({ here, there, record: { discard } }).plan()).toBe(false);
    const { plan, entries } = setup({ here: { ...here, dirty: 2 }, there, record: { discard } });
    expect(plan()).toBe(true);
    expect(proposed(entries).discard).toBeUndefined();
  });

  it('ends when what was to be kept is gone, unless the log has gone over to it', () => {
    const keeps = [false, undefined] as const;
    const discard = orderOf(2);
    // Nobody reports a branch any more: an empty disk parts from nothing.
    const gone = { here: null, there: null, keeps };
    const { plan, entries } = setup({ ...gone, record: { discard } });
    expect(plan()).toBe(true);
    expect(proposed(entries).discard).toBeUndefined();
    const over = setup({ ...gone, record: { discard, ...led(1) }, owner: 1 });
    expect([over.plan(), over.entries]).toEqual([false, []]);
    const bug = setup({ ...gone, record: { discard }, canaries: ['kept-unjudged'] });
    expect(bug.plan()).toBe(false);
  });
});

describe('what people see of a split brain', () => {
  it('is both sides in numbers, and whom each policy would choose', () => {
    const seen = setup().describe();
    expect(seen).toMatchObject({ verdict: 'split-brain', policy: 'manual', ancestor: 7 });
    expect(seen?.sides).toMatchObject([
      { node: 1, generation: 20, owner: false, changed: { atLeast: 0, atMost: null } },
      { node: 2, generation: 30, owner: true, changed: { atLeast: 5, atMost: 5 } },
    ]);
    expect(seen?.choices.map(({ policy, victim }) => [policy, victim])).toEqual([
      ['manual', 0],
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
    const others = { boot: () => 0, doubted: () => false, lacking: () => false };
    const discard = orderOf(2);
    const may = (node: number, keeps?: boolean, canaries: readonly string[] = []) => {
      const facts = factsOf(node);
      const volumes = facts.volumes.map((v) => (keeps === undefined ? v : { ...v, keeps }));
      const candidate = { ...thereAs(node), facts: { ...facts, volumes } };
      const flags = flagsOf(new Set(canaries));
      return judge(unit, members, candidate, others, flags, discard);
    };
    expect(may(1, true)).toEqual({ ok: true, standing: 'rebooted' });
    expect(may(2)).toMatchObject({ ok: false, reason: 'branch-given-up' });
    expect(may(1)).toMatchObject({ ok: false, reason: 'order-unheard' });
    // Its disk was replaced, or put back, meanwhile.
    expect(may(1, false)).toMatchObject({ reason: 'kept-data-gone', remedy: 'put-kept-back' });
    expect(may(1, false, ['kept-unjudged']).ok).toBe(true);
  });
});

describe('going on by accepted loss', () => {
  const lost: Setup = { late: [1], away: 2, here: null, there: null };
  const standing = { ...orderOf(2), by: 'accept-loss', taker: 1, keeps: 7, order: 5 } as const;

  it('is an order that names who leads, and whose data are given up, unseen', () => {
    const { takeOver, entries, record, marks } = setup(lost);
    expect(takeOver({})).toBe(null);
    expect(proposed(entries)).toMatchObject({
      epoch: record.epoch + 1,
      primary: 2,
      members: record.members,
      discard: { node: 2, generation: 30, by: 'accept-loss', atMost: -1, taker: 1 },
    });
    expect(marks).toContain('loss-accepted');
  });

  it('is refused while anybody is heard who has everything', () => {
    const { takeOver, entries } = setup({ ...lost, away: 0 });
    expect([takeOver({}), entries]).toMatchObject([{ reason: 'members-there' }, []]);
    const planted = setup({ ...lost, away: 0, canaries: ['taken-from-members'] });
    expect(planted.takeOver({})).toBe(null);
  });

  it('is refused for what is in sync, no image, not sure to be there, or was decided since', () => {
    const why = (setting: Setup, command = {}): string => {
      const answer = setup(setting).takeOver(command);
      return answer === null || answer === 'wait' ? 'taken' : answer.reason;
    };
    expect(why(lost, { to: 2 })).toBe('in-sync-already');
    expect(why(lost, { to: 3 })).toBe('not-a-node-of-the-group');
    expect(why(lost, { epoch: 1 })).toBe('decided-since');
    // Of a pair the one that was left out may go on as well.
    expect(why({ ...lost, late: [] })).toBe('taken');
    const unsure: Setup = { ...lost, late: [], doubted: true };
    expect(why(unsure)).toBe('replica-doubted');
    expect(why({ ...unsure, canaries: ['doubted-taken'] })).toBe('taken');
    // What only a core took with it is no image that the disk has not; and an asynchronous replica
    // has said what is stable.
    expect(why({ ...unsure, lacking: true })).toBe('taken');
    expect(why({ ...lost, doubted: true })).toBe('taken');
    expect(why({ ...lost, disk: 'Inconsistent' })).toBe('replica-inconsistent');
    expect(why({ ...lost, disk: 'Failed' })).toBe('replica-failed');
    expect(why({ ...lost, record: { discard: standing } })).toBe('already-ordered');
  });

  it('is taken for one of two in sync that lost its power, while the other is not heard', () => {
    const members = [
      { node: 1, boot: 9 },
      { node: 2, boot: 12 },
    ];
    const dark: Setup = { late: [], away: 2, here: null, record: { members, primary: 1 } };
    const { takeOver, entries } = setup(dark);
    expect(takeOver({})).toBe(null);
    expect(proposed(entries).discard).toMatchObject({ node: 2, taker: 1, by: 'accept-loss' });
    const why = (change: Setup): string | undefined => {
      const answer = setup({ ...dark, ...change }).takeOver({});
      return answer === null || answer === 'wait' ? 'taken' : answer.reason;
    };
    expect(why({ away: 0 })).toBe('members-there');
    expect(why({ disk: 'Inconsistent' })).toBe('in-sync-already');
    // It has not lost its power: it leads by itself.
    const here = { node: 1, boot: 11 };
    expect(why({ record: { members: [here, { node: 2, boot: 12 }] } })).toBe('in-sync-already');
    // Where nobody else is in sync, nothing need be accepted.
    expect(why({ record: { members: [{ node: 1, boot: 9 }] } })).toBe('in-sync-already');
  });

  it('ends for such a one, too, when the other one is back before it has served', () => {
    const members = [
      { node: 1, boot: 9 },
      { node: 2, boot: 12 },
    ];
    const record = { members, primary: 1, discard: standing };
    const back = setup({ ...lost, late: [], away: 0, record });
    expect(back.plan()).toBe(true);
    expect(proposed(back.entries).discard).toBe(undefined);
    const away = setup({ ...lost, late: [], record });
    expect([away.plan(), away.entries]).toEqual([false, []]);
  });

  it('lets such a one lead once: not after the other one was filled', () => {
    const unit = contextOf(3).context.units[0];
    if (unit === undefined) throw new Error('there is a group');
    const others = { boot: () => 0, doubted: () => false, lacking: () => false };
    const members = [
      { node: 1, boot: 9 },
      { node: 2, boot: 12 },
    ];
    const facts = factsOf(1);
    const volumes = facts.volumes.map((v) => ({ ...v, keeps: true }));
    const candidate = { ...thereAs(1), facts: { ...facts, volumes } };
    const may = (confirmed: boolean, canaries: readonly string[] = []) => {
      const flags = flagsOf(new Set(canaries));
      return judge(unit, members, candidate, others, flags, { ...standing, confirmed });
    };
    expect(may(false)).toEqual({ ok: true, standing: 'rebooted' });
    expect(may(true)).toMatchObject({ ok: false, reason: 'rebooted-member' });
    expect(may(true, ['taken-again']).ok).toBe(true);
  });

  it('ends where somebody in sync comes back before anybody has served', () => {
    const { plan, entries } = setup({ ...lost, away: 0, record: { discard: standing } });
    expect(plan()).toBe(true);
    expect(proposed(entries).discard).toBe(undefined);
    const away = setup({ ...lost, record: { discard: standing } });
    expect([away.plan(), away.entries]).toEqual([false, []]);
  });

  it('goes on beside a host whose disk is gone, though that host is there', () => {
    const given = { ...orderOf(1), by: 'accept-loss', taker: 2 } as const;
    const dead: Setup = { late: [2], here: null, there: null, record: { discard: given } };
    expect(setup({ ...dead, disk: 'Failed' }).ripe()).toBe('go');
    expect(setup({ ...dead, away: 1 }).ripe()).toBe('go');
  });

  it('is looked at again when the other side is back, and confirmed with what that one has', () => {
    // Node 1 leads by it; node 2 has written 3 blocks in the generation of the image.
    const members = [{ node: 1, boot: 11 }];
    const record = { discard: standing, primary: 1, members, generation: 40 };
    const here = { generation: 40, parents: [20, 7], peer: 7 };
    const there = { generation: 7, parents: [], peer: 40, dirty: 3, settled: true };
    const { plan, entries } = setup({ late: [1], here, there, record, owner: 1 });
    expect(plan()).toBe(true);
    expect(proposed(entries).discard).toMatchObject({ confirmed: true, generation: 7, node: 2 });
  });

  it('is taken back only until somebody has served by it', () => {
    const before = setup({ ...lost, record: { discard: standing } });
    expect(before.takeBack(5)).toBe(null);
    const members = [{ node: 1, boot: 11 }];
    const after = setup({ ...lost, record: { discard: standing, primary: 1, members } });
    expect(after.takeBack(5)).toMatchObject({ reason: 'already-served' });
  });

  it('lets one node lead, and whoever was in sync, but no other', () => {
    const unit = contextOf(3).context.units[0];
    if (unit === undefined) throw new Error('there is a group');
    const others = { boot: () => 0, doubted: () => false, lacking: () => false };
    const may = (
      node: number,
      taker: number,
      canaries: readonly string[] = [],
      said: { readonly doubted?: boolean; readonly lacking?: boolean } = {},
    ) => {
      const facts = factsOf(node);
      const volumes = facts.volumes.map((v) => ({ ...v, keeps: true, ...said }));
      const candidate = { ...thereAs(node), facts: { ...facts, volumes } };
      const discard = { ...standing, node: 3, taker };
      const flags = flagsOf(new Set(canaries));
      return judge(unit, members, candidate, others, flags, discard);
    };
    let members = [{ node: 3, boot: 13 }];
    expect(may(1, 1)).toEqual({ ok: true, standing: 'rebooted' });
    expect(may(2, 1)).toMatchObject({ ok: false, reason: 'not-in-sync' });
    expect(may(2, 1, ['any-taker']).ok).toBe(true);
    // It is looked at once more when the group moves: its disk may have failed since.
    expect(may(1, 1, [], { doubted: true })).toMatchObject({ reason: 'replica-doubted' });
    expect(may(1, 1, [], { doubted: true, lacking: true }).ok).toBe(true);
    // Once: when another one has gone on from there, what the taker has is old.
    members = [{ node: 2, boot: 12 }];
    expect(may(1, 1)).toMatchObject({ ok: false, reason: 'not-in-sync' });
    expect(may(1, 1, ['any-taker']).ok).toBe(true);
  });
});
