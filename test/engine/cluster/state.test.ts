import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagsOf } from '../../../engine/cluster/canaries.ts';
import type { ConfigChange } from '../../../engine/cluster/changes.ts';
import type { Entry, Proof } from '../../../engine/cluster/entries.ts';
import {
  agreedOf,
  applyEntry,
  bootOf,
  type ClusterState,
  COMMANDS_MAX,
  commandTaken,
  EMPTY_STATE,
  identityOf,
  leaseEpochOf,
  majorityOf,
  stateBugs,
  stays,
} from '../../../engine/cluster/state.ts';
import { amendEntry, grantEntry } from '../../../engine/cluster/transfer.ts';
import {
  CONFIG,
  candidateOf,
  FORMED,
  GENESIS,
  NO_FLAGS,
  OWNED,
  onlyGroup,
  onlyRecord,
} from '../../support/control-fixtures.ts';

function apply(state: ClusterState, entry: Entry): ClusterState {
  return applyEntry(state, entry, CONFIG, majorityOf(3));
}

function takeOver(state: ClusterState, proof: Proof, to = 2): Entry {
  const members = { keep: false, generation: 99 };
  const taker = candidateOf(to);
  return grantEntry(onlyGroup(state), onlyRecord(state), taker, members, proof, '', NO_FLAGS);
}

const EXPIRED: Proof = {
  kind: 'lease-expired',
  node: 1,
  lease: 1,
  voters: [
    { node: 2, identity: 102 },
    { node: 3, identity: 103 },
  ],
};

describe('the replicated state', () => {
  it('is founded once', () => {
    expect(identityOf(FORMED, 3)).toBe(103);
    expect(apply(FORMED, { ...GENESIS, proposer: 5 })).toBe(FORMED);
    expect(EMPTY_STATE.voters.length).toBe(0);
  });

  it('takes a record only against the epoch that it was proposed for', () => {
    const record = { ...onlyRecord(OWNED), epoch: 3, members: [{ node: 1, boot: 11 }] };
    const entry: Entry = { kind: 'volume', event: '', from: 2, record, reason: 'peer-lost' };
    const after = apply(OWNED, entry);
    expect(onlyRecord(after)).toEqual(record);
    expect(apply(after, entry)).toBe(after);
  });

  it('carries a command out once, and remembers the newest of them', () => {
    const commands = fc.array(fc.nat(2 * COMMANDS_MAX), { maxLength: 3 * COMMANDS_MAX });
    fc.assert(
      fc.property(commands, (ids) => {
        let state = OWNED;
        const taken: number[] = [];
        for (const id of ids) {
          const ref = { node: 2, life: 9, id };
          const known = taken.slice(-COMMANDS_MAX).includes(id);
          expect(commandTaken(state, ref)).toBe(known);
          const entry = amendEntry(onlyGroup(state), { last: id }, '', ref);
          const next = apply(state, entry);
          expect(next === state).toBe(known);
          if (!known) taken.push(id);
          state = next;
        }
        expect(state.commands.length).toBeLessThanOrEqual(COMMANDS_MAX);
        expect(commandTaken(state, { node: 1, life: 9, id: taken[0] ?? 0 })).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('moves owner and primary in one entry, or neither', () => {
    const entry = takeOver(OWNED, EXPIRED);
    const after = apply(OWNED, entry);
    expect(onlyGroup(after).owner).toBe(2);
    expect(onlyRecord(after).primary).toBe(2);
    const record = { ...onlyRecord(OWNED), epoch: 3 };
    const raced = apply(OWNED, { kind: 'volume', event: '', from: 2, record, reason: '' });
    expect(apply(raced, entry)).toBe(raced);
  });

  it('changes no owner without a proof that fits the owner, its epoch and its life', () => {
    const proofs: readonly Proof[] = [
      { kind: 'none' },
      { kind: 'self', node: 1 },
      { kind: 'stopped', node: 1, epoch: 1 },
      { kind: 'stopped', node: 2, epoch: 1 },
      { kind: 'idle', node: 1, life: 1001 },
      { kind: 'rebooted', node: 1, boot: 11 },
      { ...EXPIRED, lease: 2 },
      { ...EXPIRED, node: 2 },
      { ...EXPIRED, voters: [{ node: 2, identity: 102 }] },
      {
        ...EXPIRED,
        voters: [
          { node: 2, identity: 102 },
          { node: 2, identity: 102 },
        ],
      },
      {
        ...EXPIRED,
        voters: [
          { node: 2, identity: 102 },
          { node: 3, identity: 999 },
        ],
      },
    ];
    for (const proof of proofs) expect(apply(OWNED, takeOver(OWNED, proof))).toBe(OWNED);
    const good: readonly Proof[] = [
      EXPIRED,
      { kind: 'rebooted', node: 1, boot: 77 },
      { kind: 'idle', node: 1, life: 77 },
    ];
    for (const proof of good) {
      expect(onlyGroup(apply(OWNED, takeOver(OWNED, proof))).owner).toBe(2);
    }
  });

  it('takes a confirmed stop only from an owner that was told to stop', () => {
    const stopping: ClusterState = {
      ...OWNED,
      groups: [{ ...onlyGroup(OWNED), phase: 'stopping', serial: 3 }],
    };
    const proof: Proof = { kind: 'stopped', node: 1, epoch: 1 };
    expect(onlyGroup(apply(stopping, takeOver(stopping, proof))).owner).toBe(2);
    const late: Proof = { kind: 'stopped', node: 1, epoch: 0 };
    expect(apply(stopping, takeOver(stopping, late))).toBe(stopping);
  });

  it('settles the attestations that a take-over rests on', () => {
    const after = apply(OWNED, takeOver(OWNED, EXPIRED));
    expect(leaseEpochOf(after, 1)).toBe(2);
    expect(leaseEpochOf(after, 2)).toBe(1);
    const settle: Entry = { kind: 'settle', event: '', node: 1, lease: 1 };
    expect(apply(after, settle)).toBe(after);
    expect(leaseEpochOf(apply(OWNED, settle), 1)).toBe(2);
  });

  it('does not let attestations of before a settlement count after it', () => {
    const settled = apply(OWNED, { kind: 'settle', event: '', node: 1, lease: 1 });
    expect(apply(settled, takeOver(settled, EXPIRED))).toBe(settled);
  });

  it('admits a blank voter once, and never an identity that was lost', () => {
    const entry: Entry = { kind: 'readmit', event: '', node: 3, was: 103, identity: 203 };
    const after = apply(FORMED, entry);
    expect(identityOf(after, 3)).toBe(203);
    expect(apply(after, entry)).toBe(after);
    const back: Entry = { kind: 'readmit', event: '', node: 3, was: 203, identity: 103 };
    expect(apply(after, back)).toBe(after);
  });

  it('never takes a past boot for the present one', () => {
    const after = apply(FORMED, { kind: 'boot', event: '', node: 1, was: 11, boot: 21 });
    expect(bootOf(after, 1)).toBe(21);
    expect(apply(after, { kind: 'boot', event: '', node: 1, was: 21, boot: 11 })).toBe(after);
  });

  it('only ever raises epochs, whatever order entries are applied in', () => {
    const entries: readonly Entry[] = [
      takeOver(OWNED, EXPIRED),
      takeOver(OWNED, { kind: 'rebooted', node: 1, boot: 77 }),
      {
        kind: 'volume',
        event: '',
        from: 2,
        record: { ...onlyRecord(OWNED), epoch: 3 },
        reason: '',
      },
      { kind: 'settle', event: '', node: 1, lease: 1 },
      { kind: 'readmit', event: '', node: 3, was: 103, identity: 203 },
      { kind: 'noop', event: '' },
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(entries.length - 1), { maxLength: 12 }), (order) => {
        let state = OWNED;
        for (const i of order) {
          const next = apply(state, entries[i] ?? { kind: 'noop', event: '' });
          expect(onlyRecord(next).epoch).toBeGreaterThanOrEqual(onlyRecord(state).epoch);
          expect(onlyGroup(next).epoch).toBeGreaterThanOrEqual(onlyGroup(state).epoch);
          expect(leaseEpochOf(next, 1)).toBeGreaterThanOrEqual(leaseEpochOf(state, 1));
          if (onlyGroup(next).owner !== onlyGroup(state).owner) {
            expect(onlyGroup(next).epoch).toBe(onlyGroup(state).epoch + 1);
          }
          state = next;
        }
      }),
    );
  });
});

describe('the agreed configuration', () => {
  const GROUP = onlyGroup(OWNED).group;
  const volume = onlyRecord(OWNED).volume;
  const both = onlyRecord(OWNED).members;
  const [other] = both.filter(({ node }) => node === 2);
  const three = { node: 3, boot: 33 };
  /** Node 2 is out of the set; others have everything. */
  const alone = { ...onlyRecord(OWNED), members: both.filter(({ node }) => node === 1) };
  const others = { ...alone, members: [...alone.members, three] };
  const ALONE: ClusterState = { ...OWNED, volumes: [alone] };
  const OTHERS: ClusterState = { ...OWNED, volumes: [others] };
  const remove: ConfigChange = { kind: 'remove-replica', volume, node: 2 };
  const replace: ConfigChange = { kind: 'replace-replica', volume, node: 2, path: 'x', meta: '' };
  const replica = { node: 2, path: 'y', meta: '' };
  const added = { kind: 'add-replica', volume, replica, listen: [], place: -1 } as const;
  const order = (asked: ConfigChange, from: number): Entry => {
    return { kind: 'config', event: '', from, change: asked, command: null };
  };
  const change = (state: ClusterState, asked: ConfigChange, from = agreedOf(state).version) =>
    apply(state, order(asked, from));
  const stepOf = (state: ClusterState, to: 'begun' | 'done' | 'withdrawn', record = -1): Entry => {
    const epoch = record < 0 ? onlyRecord(state).epoch : record;
    const of = agreedOf(state).version;
    return { kind: 'config-step', event: '', of, to, record: epoch, command: null };
  };
  const step = (state: ClusterState, to: 'begun' | 'done' | 'withdrawn', record = -1) =>
    apply(state, stepOf(state, to, record));
  const inUse = (state: ClusterState, asked: ConfigChange) =>
    step(step(change(state, asked), 'begun'), 'done');
  const admit = (state: ClusterState, version?: number): Entry => {
    const before = onlyRecord(state);
    const members = [...before.members, ...(other === undefined ? [] : [other])];
    const record = { ...before, epoch: before.epoch + 1, members };
    const entry = { kind: 'volume', event: '', from: before.epoch, record, reason: '' } as const;
    return version === undefined ? entry : { ...entry, inUse: version };
  };
  const admits = (state: ClusterState, version?: number): boolean => {
    return apply(state, admit(state, version)) !== state;
  };

  it('changes once, against the version that it was decided for', () => {
    const after = change(OWNED, replace);
    const changes = [{ version: 1, change: replace }];
    expect(agreedOf(after)).toEqual({ version: 1, changes, stage: 'ordered' });
    expect(change(after, replace, 0)).toBe(after);
    expect(agreedOf(inUse(inUse(ALONE, replace), replace)).changes).toEqual([
      { version: 2, change: replace },
    ]);
    const known = { node: 1, life: 5, id: 6 };
    const asked: Entry = { kind: 'config', event: '', from: 0, change: replace, command: known };
    expect(commandTaken(apply(OWNED, asked), known)).toBe(true);
  });

  it('takes no other change until the last one is done, or withdrawn', () => {
    const ordered = change(OTHERS, remove);
    expect(change(ordered, added)).toBe(ordered);
    const begun = step(ordered, 'begun');
    expect(agreedOf(begun).stage).toBe('begun');
    for (const asked of [added, replace, remove]) expect(change(begun, asked)).toBe(begun);
    const done = step(begun, 'done');
    expect(agreedOf(change(done, added)).version).toBe(2);
    const bugs = stateBugs(flagsOf(new Set(['second-change'])));
    expect(applyEntry(begun, order(added, 1), CONFIG, 2, bugs)).not.toBe(begun);
    // What was withdrawn leaves nothing, but counts.
    expect(agreedOf(step(ordered, 'withdrawn'))).toEqual({ version: 2, changes: [] });
    expect(step(begun, 'withdrawn')).toBe(begun);
    expect(step(ordered, 'done')).toBe(ordered);
    expect(step(begun, 'begun')).toBe(begun);
  });

  it('knows which disk has been no member since it was put in', () => {
    const replaced = inUse(ALONE, replace);
    expect(agreedOf(replaced).unproved).toEqual([1]);
    const again = inUse(replaced, replace);
    expect(agreedOf(again).unproved).toEqual([2]);
    const member = apply(again, admit(again, 2));
    expect(member).not.toBe(again);
    expect(agreedOf(member)).toEqual({ version: 2, changes: agreedOf(again).changes });
    expect(agreedOf(inUse(OTHERS, remove)).unproved).toBe(undefined);
  });

  it('leaves no order behind that was about whoever is removed', () => {
    const named = { node: 2, generation: 3, keeps: 4, order: 1, by: 'accept-loss' } as const;
    const discard = { ...named, atMost: -1, confirmed: true, taker: 1 };
    const state = { ...OTHERS, volumes: [{ ...others, discard }] };
    const removed = inUse(state, remove);
    expect(onlyRecord(removed)).toEqual({ ...others, epoch: others.epoch + 1 });
    const about = { ...state, volumes: [{ ...others, discard: { ...discard, node: 3 } }] };
    expect(onlyRecord(inUse(about, remove)).discard?.node).toBe(3);
  });

  it('begins under the record that was shown, with whoever is to go out of it', () => {
    const counted = change(OWNED, replace);
    expect(step(counted, 'begun')).toBe(counted);
    const ordered = change(ALONE, replace);
    expect(step(ordered, 'begun', alone.epoch - 1)).toBe(ordered);
    expect(step(ordered, 'begun')).not.toBe(ordered);
    const group = onlyGroup(ALONE);
    for (const moved of [{ base: both }, { target: 2 }]) {
      const moving: ClusterState = { ...ordered, groups: [{ ...group, ...moved }] };
      expect(step(moving, 'begun')).toBe(moving);
    }
    // Others have been lost since it was ordered.
    const removal = { ...change(OTHERS, remove), volumes: [alone] };
    expect(step(removal, 'begun')).toBe(removal);
    const last = stateBugs(flagsOf(new Set(['last-copy-removed'])));
    expect(applyEntry(removal, stepOf(removal, 'begun'), CONFIG, 2, last)).not.toBe(removal);
    const leaver = stateBugs(flagsOf(new Set(['leaver-counted'])));
    expect(applyEntry(counted, stepOf(counted, 'begun'), CONFIG, 2, leaver)).not.toBe(counted);
  });

  it('never loses the replica that leads, or may be about to, or the last but one', () => {
    const reason = (state: ClusterState, asked: ConfigChange) => {
      expect(change(state, asked)).toBe(state);
      return stays(state, GROUP, asked)?.reason;
    };
    expect(reason(OWNED, { ...replace, node: 1 })).toBe('replica-leads');
    const group = onlyGroup(OWNED);
    const taking: ClusterState = { ...OWNED, groups: [{ ...group, base: both }] };
    expect(reason(taking, replace)).toBe('taking-over');
    const going: ClusterState = { ...OWNED, groups: [{ ...group, target: 2 }] };
    expect(reason(going, replace)).toBe('replica-leads');
    expect(reason(OWNED, remove)).toBe('copies-missing');
    expect(reason(ALONE, remove)).toBe('copies-missing');
    const proxied = { ...alone, members: other === undefined ? [] : [other] };
    expect(reason({ ...OWNED, volumes: [proxied] }, replace)).toBe('copies-missing');
    expect(stays(OTHERS, GROUP, remove)).toBe(null);
    expect(stays(ALONE, GROUP, replace)).toBe(null);
    // The guard that keeps two copies, planted off.
    const bugs = stateBugs(flagsOf(new Set(['last-copy-removed'])));
    expect(applyEntry(OWNED, order(remove, 0), CONFIG, 2, bugs)).not.toBe(OWNED);
  });

  it('keeps out of the in-sync set whoever was removed, or is yet to have another disk', () => {
    expect(admits(OTHERS)).toBe(true);
    const ordered = change(OTHERS, remove);
    expect(admits(ordered)).toBe(true);
    const removed = step(ordered, 'begun');
    for (const state of [removed, step(removed, 'done')]) {
      expect([admits(state), admits(state, 9)]).toEqual([false, false]);
    }
    const replaced = step(change(ALONE, replace), 'begun');
    expect([admits(replaced), admits(replaced, 1)]).toEqual([false, false]);
    // What was wished for the disk of before is void: the record is another one.
    const done = step(replaced, 'done');
    expect(onlyRecord(done)).toEqual({ ...alone, epoch: alone.epoch + 1 });
    const unseen = stateBugs(flagsOf(new Set(['copy-unseen'])));
    const bug = applyEntry(replaced, stepOf(replaced, 'done'), CONFIG, 2, unseen);
    expect(onlyRecord(bug)).toEqual(alone);
    expect([admits(done), admits(done, 0), admits(done, 1)]).toEqual([false, false, true]);
    // Nor does one lead that was removed; a member of before may.
    const gone = step(change(OTHERS, remove), 'begun');
    const lost = { ...gone, groups: [{ ...onlyGroup(gone), owner: 0 }] };
    const taken = takeOver(lost, { kind: 'none' });
    expect(apply(lost, taken)).toBe(lost);
    // Where others are gone, a person may have the disk lead that was to be taken out.
    const kept = { ...replaced, groups: [{ ...onlyGroup(replaced), owner: 0 }] };
    expect(apply(kept, takeOver(kept, { kind: 'none' }))).not.toBe(kept);
    const bugs = stateBugs(flagsOf(new Set(['removed-admitted'])));
    expect(applyEntry(removed, admit(removed), CONFIG, 2, bugs)).not.toBe(removed);
  });

  it('is what a replica was added to again, once its node has that in use', () => {
    const gone = inUse(OTHERS, remove);
    const ordered = change(gone, added);
    expect(admits(ordered, 9)).toBe(false);
    const begun = step(ordered, 'begun');
    // Until it is done, nothing is forgotten of the removal.
    expect(admits(begun, 2)).toBe(false);
    // Nor does a person have it lead before: what it has is new.
    const ownerless = (from: ClusterState): ClusterState => {
      return { ...from, groups: [{ ...onlyGroup(from), owner: 0 }] };
    };
    const first = ownerless(step(change(ALONE, added), 'begun'));
    for (const led of [ownerless(begun), first]) {
      expect(apply(led, takeOver(led, { kind: 'none' }))).toBe(led);
    }
    const state = step(begun, 'done');
    expect(agreedOf(state).changes.length).toBe(1);
    expect([admits(state), admits(state, 2)]).toEqual([false, true]);
    const later = ownerless(state);
    expect(apply(later, takeOver(later, { kind: 'none' }))).not.toBe(later);
  });
});
