import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, Proof } from '../../../engine/cluster/entries.ts';
import {
  applyEntry,
  bootOf,
  type ClusterState,
  COMMANDS_MAX,
  commandTaken,
  EMPTY_STATE,
  identityOf,
  leaseEpochOf,
  majorityOf,
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
