import { describe, expect, it } from 'vitest';
import { flagsOf } from '../../../engine/cluster/canaries.ts';
import type { Entry } from '../../../engine/cluster/entries.ts';
import { amendEntry, grantEntry, releaseEntry } from '../../../engine/cluster/transfer.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import {
  candidateOf,
  NO_FLAGS,
  OWNED,
  onlyGroup,
  onlyRecord,
} from '../../support/control-fixtures.ts';
import { orderOf } from '../../support/control-split.ts';

const GROUP = onlyGroup(OWNED);
const RECORD = onlyRecord(OWNED);
const STOPPED = { kind: 'stopped', node: 1, epoch: 1 } as const;
const REBOOTED = { kind: 'rebooted', node: 1, boot: 21 } as const;

function group(entry: Entry): Extract<Entry, { kind: 'group' }> {
  if (entry.kind !== 'group') throw new Error('a group entry');
  return entry;
}

function onlyRecordOf(entry: Extract<Entry, { kind: 'group' }>): VolumeRecord {
  if (entry.record === null) throw new Error('an entry with a record');
  return entry.record;
}

describe('a transfer', () => {
  it('raises the epoch of the group and of the record', () => {
    for (const keep of [true, false]) {
      const members = { keep, generation: 99 };
      const { next, record } = group(
        grantEntry(GROUP, RECORD, candidateOf(2), members, STOPPED, 'e', NO_FLAGS),
      );
      expect(next.epoch).toBe(GROUP.epoch + 1);
      expect(record?.epoch).toBe(RECORD.epoch + 1);
      expect(next.recordEpoch).toBe(RECORD.epoch + 1);
      expect(record?.primary).toBe(2);
    }
  });

  it('keeps members and generation when the replicas are equal, else neither', () => {
    const kept = group(
      grantEntry(
        GROUP,
        RECORD,
        candidateOf(2),
        { keep: true, generation: 7 },
        STOPPED,
        '',
        NO_FLAGS,
      ),
    );
    expect(kept.record?.members).toEqual(RECORD.members);
    expect(kept.record?.generation).toBe(RECORD.generation);
    expect(kept.next.base).toEqual([]);
    const fresh = group(
      grantEntry(
        GROUP,
        RECORD,
        candidateOf(2),
        { keep: false, generation: 99 },
        REBOOTED,
        '',
        NO_FLAGS,
      ),
    );
    expect(fresh.record?.members).toEqual([{ node: 2, boot: 12 }]);
    expect(fresh.record?.generation).toBe(99);
    expect(fresh.next.base).toEqual(RECORD.members);
  });

  it('names the disk that the taker says it has, where any is said', () => {
    const taker = candidateOf(2);
    const { facts } = taker;
    if (facts === null) throw new Error('it says something');
    const volumes = facts.volumes.map((each) => ({ ...each, device: 7 }));
    const told = { ...taker, facts: { ...facts, volumes } };
    const alone = { keep: false, generation: 99 };
    const named = (from: typeof taker) => {
      const entry = group(grantEntry(GROUP, RECORD, from, alone, REBOOTED, 'e', NO_FLAGS));
      return onlyRecordOf(entry).members;
    };
    expect(named(told)).toEqual([{ node: 2, boot: 12, disk: 7 }]);
    expect(named(taker)).toEqual([{ node: 2, boot: 12 }]);
  });

  it('names the last generation a parent among several: a taker may never have had it', () => {
    const voided = (flags = NO_FLAGS, several = true): VolumeRecord['voided'] => {
      const members = { keep: false, generation: 99, several };
      const entry = grantEntry(GROUP, RECORD, candidateOf(2), members, REBOOTED, '', flags);
      return onlyRecordOf(group(entry)).voided;
    };
    expect(voided()).toEqual([RECORD.generation]);
    expect(voided(NO_FLAGS, false)).toBe(undefined);
    expect(voided(flagsOf(new Set(['RULE-22'])))).toBe(undefined);
  });

  it('carries the set that still counts from one taker to the next', () => {
    const pending = { ...GROUP, base: RECORD.members };
    const record = { ...RECORD, members: [{ node: 1, boot: 11 }] };
    const entry = group(
      grantEntry(
        pending,
        record,
        candidateOf(2),
        { keep: false, generation: 5 },
        REBOOTED,
        '',
        NO_FLAGS,
      ),
    );
    expect(entry.next.base).toEqual(RECORD.members);
    // A replica that began the first one durably is then an ancestor, not a split brain.
    expect(entry.record?.voided).toEqual([record.generation]);
    const members = { keep: false, generation: 6 };
    const given = [onlyRecordOf(entry), candidateOf(1), members, REBOOTED, '', NO_FLAGS] as const;
    expect(group(grantEntry(entry.next, ...given)).record?.voided).toEqual([record.generation, 5]);
    const served = group(grantEntry({ ...entry.next, base: [] }, ...given)).record;
    expect(Object.keys(served ?? {})).not.toContain('voided');
  });

  it('never calls void what began by order: its holder is on the other branch', () => {
    const discard = orderOf(1, { order: 4 });
    const members = { keep: false, generation: 6 };
    const one = [{ node: 1, boot: 11 }];
    const wrong = (canaries: readonly string[]): number => {
      let found = 0;
      for (const orders of [{ discard }, { takenBack: discard }]) {
        for (const base of [one, RECORD.members]) {
          for (const voided of [[], [4]]) {
            for (const taker of [1, 2]) {
              const record = { ...RECORD, members: [{ node: 2, boot: 12 }], voided, ...orders };
              const candidate = candidateOf(taker);
              const flags = flagsOf(new Set(canaries));
              const moving = { ...GROUP, base };
              const next = grantEntry(moving, record, candidate, members, REBOOTED, '', flags);
              if (group(next).record?.voided !== undefined) found += 1;
            }
          }
        }
      }
      return found;
    };
    expect(wrong([])).toBe(0);
    expect(wrong(['order-voided'])).toBeGreaterThan(0);
  });

  it('asks for no flush of a taker that was alone already, in the same life', () => {
    const record = { ...RECORD, members: [{ node: 1, boot: 11 }] };
    const proof = { kind: 'self', node: 1 } as const;
    const entry = group(
      grantEntry(
        GROUP,
        record,
        candidateOf(1),
        { keep: false, generation: 5 },
        proof,
        '',
        NO_FLAGS,
      ),
    );
    expect(entry.next.base).toEqual([]);
  });

  it('releases to nobody, and lets the next begin alone unless the stop was confirmed', () => {
    const calm = group(releaseEntry(GROUP, RECORD, STOPPED, ''));
    expect(calm.next.owner).toBe(0);
    expect(calm.record?.primary).toBe(0);
    expect(calm.next.base).toEqual([]);
    // It may have led by a record that it told nobody of.
    const untold = group(releaseEntry(GROUP, RECORD, STOPPED, '', true));
    expect(untold.next.base).toEqual(RECORD.members);
    const rough = group(releaseEntry(GROUP, RECORD, REBOOTED, ''));
    expect(rough.next.base).toEqual(RECORD.members);
    expect(group(releaseEntry({ ...GROUP, wanted: 'stop' }, RECORD, STOPPED, '')).next.phase).toBe(
      'stopped',
    );
  });

  it('amends without moving owner or epoch', () => {
    const { next, record } = group(amendEntry(GROUP, { phase: 'stopping' }, '', null));
    expect(next).toEqual({ ...GROUP, phase: 'stopping', serial: GROUP.serial + 1 });
    expect(record).toBeNull();
  });

  it('keeps epoch or generation when the bug for it is planted', () => {
    const members = { keep: false, generation: 99 };
    const plant = (id: string): Extract<Entry, { kind: 'group' }> =>
      group(
        grantEntry(GROUP, RECORD, candidateOf(2), members, REBOOTED, '', flagsOf(new Set([id]))),
      );
    expect(plant('epoch-not-raised').record?.epoch).toBe(RECORD.epoch);
    expect(plant('generation-kept').record?.generation).toBe(RECORD.generation);
  });
});
