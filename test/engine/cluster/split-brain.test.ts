import { describe, expect, it } from 'vitest';
import {
  ancestorOf,
  type Began,
  type Choice,
  chooseVictim,
  type Half,
  type Range,
  type Side,
  type SplitBugs,
  sidesOf,
} from '../../../engine/cluster/split-brain.ts';
import { SPLIT_POLICIES, type SplitPolicy } from '../../../engine/core/config.ts';
import type { Branch } from '../../../engine/data/messages.ts';

const SOUND: SplitBugs = {
  'split-guessed': false,
  'split-by-order': false,
  'split-half-kept': false,
};

const BEGAN: readonly Side['began'][] = [
  null,
  { epoch: 4, active: true, after: 1, changed: 0 },
  { epoch: 4, active: false, after: 1, changed: 0 },
  { epoch: 5, active: true, after: 1, changed: 0 },
  { epoch: 5, active: false, after: 1, changed: 0 },
];
const CHANGED: readonly Range[] = [
  { atLeast: 0, atMost: 0 },
  { atLeast: 1, atMost: 1 },
  { atLeast: 2, atMost: 2 },
  { atLeast: 0, atMost: 2 },
  { atLeast: 0, atMost: null },
  { atLeast: 1, atMost: null },
];

function sides(node: number): Side[] {
  const all: Side[] = [];
  for (const began of BEGAN)
    for (const owner of [false, true])
      for (const usable of [false, true])
        for (const changed of CHANGED) all.push({ node, owner, usable, began, changed });
  return all;
}

const ALL_1 = sides(1);
const ALL_2 = sides(2);

/** What is wrong with the choices of `bugs` over every pair of sides and every policy. */
function wrongs(bugs: SplitBugs): string[] {
  const found = new Set<string>();
  for (const a of ALL_1) {
    for (const b of ALL_2) {
      for (const policy of SPLIT_POLICIES) {
        const choice = chooseVictim(policy, a, b, bugs);
        const mirrored = chooseVictim(policy, b, a, bugs);
        if (choice.victim !== mirrored.victim || choice.reason !== mirrored.reason) {
          found.add('depends on who is asked');
        }
        if (choice.victim === 0) continue;
        const kept = choice.victim === 1 ? b : a;
        if (!kept.usable) found.add('keeps no image');
        if (kept.usable && choice.victim !== surely(policy, a, b, choice)) found.add('guesses');
      }
    }
  }
  return [...found].sort();
}

/** The victim, if whatever is not known may be anything and never changes it; else -1. */
function surely(policy: SplitPolicy, a: Side, b: Side, choice: Choice): number {
  const loser = choice.victim === 1 ? a : b;
  // Whoever has nothing to lose loses nothing.
  if (policy === 'discard-unchanged' && loser.changed.atMost === 0) return choice.victim;
  if (policy === 'discard-fewer-changes' || policy === 'discard-unchanged') {
    for (const x of possible(a)) {
      for (const y of possible(b)) {
        if (chooseVictim(policy, x, y, SOUND).victim !== choice.victim) return -1;
      }
    }
  }
  const timed = policy === 'discard-younger-primary' || policy === 'discard-older-primary';
  return timed && (a.began === null || b.began === null) ? -1 : choice.victim;
}

/** The extremes of what a side may be. */
function possible(side: Side): Side[] {
  const all: Side[] = [];
  for (const changed of ends(side.changed)) all.push({ ...side, changed: exactly(changed) });
  return all;
}

function ends({ atLeast, atMost }: Range): number[] {
  return atMost === atLeast ? [atLeast] : [atLeast, atMost ?? 1e9];
}

const SIDE: Side = {
  node: 1,
  owner: false,
  usable: true,
  began: null,
  changed: { atLeast: 0, atMost: null },
};
const exactly = (n: number): Range => ({ atLeast: n, atMost: n });
const at = (node: number, part: Partial<Side>): Side => ({ ...SIDE, node, ...part });
const choose = (policy: SplitPolicy, a: Partial<Side>, b: Partial<Side>): Choice =>
  chooseVictim(policy, at(1, a), at(2, b));

describe('whose branch is given up', () => {
  it('is the same whoever is asked, never an image for half of one, never by a guess', () => {
    expect(wrongs(SOUND)).toEqual([]);
  });

  it('is seen to be wrong with each planted bug', () => {
    expect(wrongs({ ...SOUND, 'split-guessed': true })).toEqual(['guesses']);
    expect(wrongs({ ...SOUND, 'split-by-order': true })).toEqual(['depends on who is asked']);
    expect(wrongs({ ...SOUND, 'split-half-kept': true })).toEqual(['keeps no image']);
  });

  it('is nobody’s without a policy', () => {
    expect(choose('manual', { owner: true }, {})).toMatchObject({ victim: 0, reason: 'no-policy' });
  });

  it('is that of the host that became primary after the two parted, or of the other one', () => {
    const before = { began: { epoch: 9, active: true, after: 1, changed: 0 } };
    const after = { began: { epoch: 4, active: false, after: 1, changed: 0 } };
    expect(choose('discard-younger-primary', before, after)).toMatchObject({
      victim: 2,
      reason: 'younger',
    });
    expect(choose('discard-older-primary', before, after)).toMatchObject({
      victim: 1,
      reason: 'older',
    });
  });

  it('is by the epoch where both, or neither, were primary before', () => {
    for (const active of [false, true]) {
      const early = { began: { epoch: 4, active, after: 1, changed: 0 } };
      const late = { began: { epoch: 7, active, after: 1, changed: 0 } };
      expect(choose('discard-younger-primary', late, early).victim).toBe(1);
      expect(choose('discard-older-primary', late, early).victim).toBe(2);
      expect(choose('discard-younger-primary', early, early).victim).toBe(0);
    }
  });

  it('is the one without changes, and nobody’s when both have some', () => {
    const [no, some, unknown] = [exactly(0), { atLeast: 1, atMost: null }, SIDE.changed];
    const by = (a: Range, b: Range): Choice =>
      choose('discard-unchanged', { changed: a }, { changed: b });
    expect(by(no, some)).toMatchObject({ victim: 1, reason: 'unchanged' });
    expect(by(some, no)).toMatchObject({ victim: 2, reason: 'unchanged' });
    expect(by(some, some)).toMatchObject({ victim: 0, reason: 'both-changed' });
    expect(by(some, unknown)).toMatchObject({ victim: 0, reason: 'changes-unknown' });
    expect(by(no, no)).toMatchObject({ victim: 2, reason: 'both-unchanged' });
    const owner = { changed: no, owner: true };
    expect(choose('discard-unchanged', { changed: no }, owner).victim).toBe(1);
  });

  it('is the one with fewer blocks, then the higher number', () => {
    const by = (a: number, b: number): Choice =>
      choose('discard-fewer-changes', { changed: exactly(a) }, { changed: exactly(b) });
    expect(by(3, 4)).toMatchObject({ victim: 1, reason: 'fewer-blocks' });
    expect(by(4, 3)).toMatchObject({ victim: 2, reason: 'fewer-blocks' });
    expect(by(4, 4)).toMatchObject({ victim: 2, reason: 'equal-by-node' });
  });

  it('is that of the owner, or of the other one, by the log', () => {
    expect(choose('discard-local', { owner: true }, {})).toMatchObject({
      victim: 1,
      reason: 'local',
    });
    expect(choose('discard-remote', { owner: true }, {})).toMatchObject({
      victim: 2,
      reason: 'remote',
    });
    expect(choose('discard-local', {}, {})).toMatchObject({ victim: 0, reason: 'no-owner' });
  });
});

const BRANCH: Branch = {
  verdict: 'split-brain',
  generation: 0,
  parents: [],
  peer: 0,
  shared: 0,
  epoch: 1,
  dirty: 0,
  padded: 0,
  settled: true,
};
const half = (node: number, branch: Partial<Branch>): Half => {
  return { node, owner: node === 1, usable: true, branch: { ...BRANCH, ...branch } };
};
/** The line of the log: 10, then 20 by whoever was primary, then 30 by another host. */
const LOG = new Map([
  [20, { epoch: 20, active: true, after: 10, changed: 0 }],
  [30, { epoch: 30, active: false, after: 20, changed: 0 }],
]);
const both = (
  a: Partial<Branch>,
  b: Partial<Branch>,
  log: ReadonlyMap<number, Began> = LOG,
): readonly [Side, Side] => {
  const found = sidesOf(half(1, a), half(2, b), (g) => log.get(g) ?? null);
  const mirrored = sidesOf(half(2, b), half(1, a), (g) => log.get(g) ?? null);
  expect(mirrored).toEqual([found[1], found[0]]);
  return found;
};
const UNKNOWN = { atLeast: 0, atMost: null };
const LEFT = { generation: 20, parents: [10], shared: 10 };
const PUT_BACK = { generation: 30, parents: [10], shared: 10 };

describe('the numbers of a split brain', () => {
  it('count from the last generation that both had, whoever counts', () => {
    const a = { ...BRANCH, generation: 20, parents: [10, 9] };
    const b = { ...BRANCH, generation: 31, parents: [30, 9, 10] };
    expect(ancestorOf(a, b)).toBe(ancestorOf(b, a));
    const [left, right] = both(LEFT, { ...PUT_BACK, generation: 31, parents: [30, 10] });
    expect([left.began, right.began]).toEqual([LOG.get(20), LOG.get(30)]);
  });

  it('are exact for a disk that was put back, and a least for the other side', () => {
    const [a, b] = both({ ...LEFT, dirty: 3 }, { ...PUT_BACK, dirty: 5 });
    expect(a.changed).toEqual({ atLeast: 3, atMost: null });
    expect(b.changed).toEqual(exactly(5));
  });

  it('never call unchanged who may have gone on after the other was put back', () => {
    const [a, b] = both(LEFT, PUT_BACK);
    expect([a.changed, b.changed]).toEqual([UNKNOWN, exactly(0)]);
  });

  it('do not count what a crash made dirty', () => {
    const [, b] = both({ ...LEFT, dirty: 3 }, { ...PUT_BACK, dirty: 257, padded: 256 });
    expect(b.changed).toEqual({ atLeast: 1, atMost: 257 });
  });

  it('take the map for a least where it began after the ancestor, for nothing before', () => {
    const [after] = both({ ...LEFT, shared: 20, dirty: 2 }, PUT_BACK);
    expect(after.changed).toEqual({ atLeast: 2, atMost: null });
    const [before, put] = both(
      { ...LEFT, parents: [10, 9], shared: 9, dirty: 2 },
      { ...PUT_BACK, parents: [10, 9], shared: 9, dirty: 2 },
    );
    expect([before.changed, put.changed]).toEqual([UNKNOWN, UNKNOWN]);
  });

  it('have at least what the log saw written alone since, though the map has it no more', () => {
    const log = new Map(LOG).set(20, { epoch: 20, active: true, after: 10, changed: 40 });
    const line = { ...LEFT, shared: 20 };
    const [a, b] = both({ ...line, dirty: 2 }, { ...PUT_BACK, dirty: 5 }, log);
    expect([a.changed, b.changed]).toEqual([{ atLeast: 40, atMost: null }, exactly(5)]);
    expect(chooseVictim('discard-fewer-changes', a, b).victim).toBe(2);
  });

  it('are a least on both sides where the log knows neither branch, or both', () => {
    const foreign = { generation: 77, parents: [10], shared: 10, dirty: 4 };
    const [a, b] = both(foreign, { ...foreign, generation: 78 });
    expect([a.began, a.changed]).toEqual([null, { atLeast: 4, atMost: null }]);
    expect([b.began, b.changed]).toEqual([null, { atLeast: 4, atMost: null }]);
    const [, known] = both(foreign, { ...LEFT, dirty: 1 });
    expect(known.changed).toEqual({ atLeast: 1, atMost: null });
  });

  it('are unknown where nothing is common', () => {
    const [a, b] = both(LEFT, { generation: 99, parents: [98], dirty: 9 });
    expect([a.began, a.changed, b.began, b.changed]).toEqual([null, UNKNOWN, null, UNKNOWN]);
  });
});
