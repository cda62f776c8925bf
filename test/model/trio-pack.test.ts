import { describe, expect, it } from 'vitest';
import { Exploration } from './explorer.ts';
import { WIDER } from './rule-table.ts';
import { trioViolation } from './trio-laws.ts';
import { TrioModel } from './trio-model.ts';
import { orderOf, packTrio, unpackTrio } from './trio-pack.ts';
import { has, REPLICAS, type TrioState } from './trio-state.ts';

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

const model = new TrioModel(WIDER);

/** Every hundredth of the first 40,000 states: all kinds of session, role and record. */
function samples(): TrioState[] {
  const exploration = new Exploration(model);
  exploration.run({ states: 40_000 }, 'no-edges');
  return Array.from({ length: 400 }, (_, i) => exploration.state(i * 100));
}

/** The same state with other names: replica `order[i]` becomes replica `i`. */
function renamed(s: TrioState, order: readonly number[]): TrioState {
  const set = (old: number): number =>
    REPLICAS.reduce((sum, i) => sum | (has(old, order[i] as number) ? 1 << i : 0), 0);
  const t = s.copy();
  for (const i of REPLICAS) {
    const r = s.at(order[i] as number).copy();
    r.dirty = set(r.dirty);
    r.members = set(r.members);
    r.applied = set(r.applied);
    if (r.session !== 0) r.leader = order.indexOf(r.leader);
    t.replicas[i] = r;
  }
  t.primary = order.indexOf(s.primary);
  t.members = set(s.members);
  t.lost = set(s.lost);
  t.cut = 0;
  for (const [i, j] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const cable = (order[i] as number) + (order[j] as number) - 1;
    if (has(s.cut, cable)) t.cut |= 1 << (i + j - 1);
  }
  return t;
}

function key(s: TrioState): string {
  const words = new Int32Array(model.words);
  packTrio(s, words);
  return words.join(' ');
}

/** One key for all states that differ only in the replicas' names. */
function nameless(s: TrioState): string {
  return ORDERS.map((order) => key(renamed(s, order))).reduce((a, b) => (a < b ? a : b));
}

function successors(s: TrioState): string[] {
  const found: string[] = [];
  model.moves(s, (event, _at, _to, next) => found.push(`${event}: ${nameless(next)}`));
  return found.sort((a, b) => (a < b ? -1 : 1));
}

describe('packing states of three replicas', () => {
  const states = samples();

  it('keeps everything but the names', () => {
    const words = new Int32Array(model.words);
    for (const state of states) {
      packTrio(state, words);
      expect(key(unpackTrio(words))).toBe(key(state));
      expect(key(renamed(state, orderOf(state)))).toBe(key(state));
    }
  });

  it('is right to: whatever the names are, the same moves lead to the same states', () => {
    for (const state of states) {
      const expected = successors(state);
      for (const order of ORDERS) {
        const other = renamed(state, order);
        expect(successors(other)).toEqual(expected);
        expect(trioViolation(other, new Set())).toBe(trioViolation(state, new Set()));
      }
    }
  });
});
