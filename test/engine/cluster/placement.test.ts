import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagsOf } from '../../../engine/cluster/canaries.ts';
import { unitsOf } from '../../../engine/cluster/groups.ts';
import {
  effectiveMembers,
  judge,
  type Others,
  type Placement,
  place,
} from '../../../engine/cluster/placement.ts';
import type { DiskState } from '../../../engine/data/messages.ts';
import {
  CONFIG,
  candidateOf,
  factsOf,
  NO_FLAGS,
  OWNED,
  onlyGroup,
  onlyRecord,
} from '../../support/control-fixtures.ts';

const UNIT = unitsOf(CONFIG)[0];
if (UNIT === undefined) throw new Error('the test configuration has a group');
const GROUP = onlyGroup(OWNED);
const RECORD = onlyRecord(OWNED);
const ALIVE: Others = { boot: (node) => 10 + node, doubted: () => false, lacking: () => false };

/** The committed boots, and nobody's disk failed. */
function booted(boot: (node: number) => number): Others {
  return { boot, doubted: () => false, lacking: () => false };
}

function takerOf(placement: Placement): number | string {
  return placement.ok ? placement.taker.node : placement.reason;
}

describe('placement', () => {
  it('prefers the last owner, then the order of the group', () => {
    const both = [candidateOf(1), candidateOf(2)];
    expect(takerOf(place(UNIT, GROUP, RECORD, both, ALIVE, NO_FLAGS))).toBe(1);
    const moved = { ...GROUP, last: 2 };
    expect(takerOf(place(UNIT, moved, RECORD, both, ALIVE, NO_FLAGS))).toBe(2);
    const target = { ...GROUP, target: 2 };
    expect(takerOf(place(UNIT, target, RECORD, both, ALIVE, NO_FLAGS))).toBe(2);
    const fresh = { ...GROUP, last: 0 };
    expect(takerOf(place(UNIT, fresh, RECORD, both, ALIVE, NO_FLAGS))).toBe(1);
  });

  it('never promotes a replica outside the committed in-sync set', () => {
    const record = { ...RECORD, members: [{ node: 1, boot: 11 }] };
    const only = [candidateOf(2)];
    expect(takerOf(place(UNIT, GROUP, record, only, ALIVE, NO_FLAGS))).toBe('not-in-sync');
    const planted = flagsOf(new Set(['outdated-promoted']));
    expect(takerOf(place(UNIT, GROUP, record, only, ALIVE, planted))).toBe(2);
  });

  it('never promotes another disk than the one that was admitted', () => {
    const on = (device?: number) => {
      const facts = factsOf(2);
      const told = device === undefined ? {} : { device };
      const volumes = facts.volumes.map((volume) => ({ ...volume, ...told }));
      return [candidateOf(2, { facts: { ...facts, volumes } })];
    };
    const record = { ...RECORD, members: [{ node: 2, boot: 12, disk: 7 }] };
    expect(takerOf(place(UNIT, GROUP, record, on(7), ALIVE, NO_FLAGS))).toBe(2);
    expect(takerOf(place(UNIT, GROUP, record, on(8), ALIVE, NO_FLAGS))).toBe('not-in-sync');
    const planted = flagsOf(new Set(['other-disk-counts']));
    expect(takerOf(place(UNIT, GROUP, record, on(8), ALIVE, planted))).toBe(2);
    // Where nothing was ever changed online nobody says it.
    expect(takerOf(place(UNIT, GROUP, record, on(), ALIVE, NO_FLAGS))).toBe(2);
    expect(takerOf(place(UNIT, GROUP, RECORD, on(8), ALIVE, NO_FLAGS))).toBe(2);
  });

  it('promotes a member that lost power only when every other member has too (RULE-06)', () => {
    const rebooted = candidateOf(2, { boot: 22 });
    const alone = [candidateOf(1, { reachable: false }), rebooted];
    expect(takerOf(place(UNIT, GROUP, RECORD, alone, ALIVE, NO_FLAGS))).toBe('rebooted-member');
    const bothLost = booted((node) => 20 + node);
    expect(takerOf(place(UNIT, GROUP, RECORD, alone, bothLost, NO_FLAGS))).toBe(2);
    const planted = flagsOf(new Set(['RULE-06']));
    expect(takerOf(place(UNIT, GROUP, RECORD, alone, ALIVE, planted))).toBe(2);
    const sole = { ...RECORD, members: [{ node: 2, boot: 12 }] };
    expect(takerOf(place(UNIT, GROUP, sole, alone, ALIVE, NO_FLAGS))).toBe(2);
  });

  it('takes a replica whose disk failed for one that lost its cache, until nobody has more', () => {
    const doubted = (node: number) => {
      const facts = factsOf(node);
      const volumes = facts.volumes.map((volume) => ({ ...volume, doubted: true }));
      return candidateOf(node, { facts: { ...facts, volumes } });
    };
    const away = [doubted(1), candidateOf(2, { reachable: false })];
    expect(takerOf(place(UNIT, GROUP, RECORD, away, ALIVE, NO_FLAGS))).toBe('rebooted-member');
    expect(takerOf(place(UNIT, GROUP, RECORD, [doubted(1), candidateOf(2)], ALIVE, NO_FLAGS))).toBe(
      2,
    );
    const both: Others = { ...ALIVE, doubted: () => true };
    const two = [doubted(1), doubted(2)];
    expect(takerOf(place(UNIT, GROUP, RECORD, two, both, NO_FLAGS))).toBe(1);
    const planted = flagsOf(new Set(['failure-forgotten']));
    expect(takerOf(place(UNIT, GROUP, RECORD, away, ALIVE, planted))).toBe(1);
  });

  it('holds a replica whose core died with receipts for better than a rebooted one', () => {
    const lacking = (node: number) => {
      const facts = factsOf(node);
      const say = { doubted: true, lacking: true };
      const volumes = facts.volumes.map((volume) => ({ ...volume, ...say }));
      return candidateOf(node, { facts: { ...facts, volumes } });
    };
    const said = (nodes: readonly number[], boot = ALIVE.boot): Others => {
      return { boot, doubted: () => false, lacking: (node) => nodes.includes(node) };
    };
    const take = (candidates: Parameters<typeof place>[3], others: Others, flags = NO_FLAGS) =>
      takerOf(place(UNIT, GROUP, RECORD, candidates, others, flags));
    // While the other may have everything it waits, and gives way where that one is there.
    const away = [candidateOf(1, { reachable: false }), lacking(2)];
    expect(take(away, said([2]))).toBe('rebooted-member');
    expect(take([candidateOf(1), lacking(2)], said([2]))).toBe(1);
    // The other one has lost its power: that is more, or as much, but never less.
    const dark = (node: number): number => (node === 1 ? 21 : 12);
    const back = [candidateOf(1, { boot: 21 }), lacking(2)];
    expect(take(back, said([2], dark))).toBe(2);
    const unready = [candidateOf(1, { boot: 21 }), candidateOf(2, { reachable: false })];
    expect(take(unready, said([2], dark))).toBe('rebooted-member');
    expect(take([lacking(1), lacking(2)], said([1, 2]))).toBe(1);
    const planted = flagsOf(new Set(['lacking-like-power']));
    expect(take(unready, said([2], dark), planted)).toBe(1);
  });

  it('prefers a member that kept its caches to one that did not', () => {
    const record = RECORD;
    const lost = booted((node) => (node === 1 ? 21 : 12));
    const candidates = [candidateOf(1, { boot: 21 }), candidateOf(2)];
    expect(takerOf(place(UNIT, GROUP, record, candidates, lost, NO_FLAGS))).toBe(2);
  });

  it('lets the in-sync set of before count while the taker has not flushed', () => {
    const record = { ...RECORD, members: [{ node: 1, boot: 11 }] };
    const group = { ...GROUP, base: RECORD.members };
    expect(effectiveMembers(group, record)).toEqual(RECORD.members);
    const only = [candidateOf(2)];
    expect(takerOf(place(UNIT, group, record, only, ALIVE, NO_FLAGS))).toBe(2);
  });

  it('never promotes a disk that is gone, broken, half-copied or not read yet', () => {
    const bad: readonly DiskState[] = ['Diskless', 'Failed', 'Inconsistent'];
    for (const disk of bad) {
      const candidate = candidateOf(2, { facts: factsOf(2, disk) });
      expect(judge(UNIT, RECORD.members, candidate, ALIVE, NO_FLAGS).ok).toBe(false);
    }
    const unread = candidateOf(2, { facts: { ...factsOf(2), volumes: [] } });
    expect(judge(UNIT, RECORD.members, unread, ALIVE, NO_FLAGS).ok).toBe(false);
  });

  it('passes over nodes on which the application failed for good, and says so', () => {
    const both = [candidateOf(1), candidateOf(2)];
    const once = { ...GROUP, failed: [1] };
    expect(takerOf(place(UNIT, once, RECORD, both, ALIVE, NO_FLAGS))).toBe(2);
    const all = { ...GROUP, failed: [1, 2] };
    expect(takerOf(place(UNIT, all, RECORD, both, ALIVE, NO_FLAGS))).toBe('application-failed');
  });

  it('gives a reason and a remedy whenever it finds nobody', () => {
    const arbitrary = fc.record({
      reachable: fc.boolean(),
      boot: fc.constantFrom(11, 12, 21, 22),
      disk: fc.constantFrom<DiskState>('UpToDate', 'Consistent', 'Inconsistent', 'Failed'),
    });
    fc.assert(
      fc.property(arbitrary, arbitrary, fc.boolean(), (a, b, alone) => {
        const candidates = [a, b].map(({ reachable, boot, disk }, i) =>
          candidateOf(i + 1, { reachable, boot, facts: factsOf(i + 1, disk) }),
        );
        const members = alone ? [{ node: 1, boot: 11 }] : RECORD.members;
        const found = place(UNIT, GROUP, { ...RECORD, members }, candidates, ALIVE, NO_FLAGS);
        if (!found.ok) {
          expect(found.reason).not.toBe('');
          expect(found.remedy).not.toBe('');
          return;
        }
        const named = members.find((m) => m.node === found.taker.node);
        expect(named).toBeDefined();
        expect(found.taker.reachable).toBe(true);
        if (named?.boot !== found.taker.boot) expect(alone).toBe(true);
      }),
    );
  });
});
