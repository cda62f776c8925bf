/**
 * The table of rules: each dropped alone, and the shortest schedule by which that breaks a law, or
 * the states that never heal. `tools/rule-table.ts` prints it.
 */
import { Exploration } from './explorer.ts';
import { fullyRedundant, serves } from './pair-laws.ts';
import { PairModel } from './pair-model.ts';
import type { PairState } from './pair-state.ts';
import { RULES, type Rule } from './rules.ts';

export interface Row {
  readonly model: 'pair';
  /** The rule that is not followed, null when all are. */
  readonly dropped: Rule | null;
  readonly states: number;
  /** Whether no more states are reachable. */
  readonly complete: boolean;
  readonly violation: string | null;
  readonly schedule: readonly string[];
  /** States from which no replica can serve, or both be equal, without a further fault. */
  readonly stuck: { readonly unserved: number; readonly degraded: number } | null;
}

/** More states than the pair has with any one rule dropped. */
const PAIR_STATES = 1_000_000;

/** Explores the pair with one rule dropped, and looks for states that never heal if asked to. */
export function pairRow(dropped: Rule | null, ask: 'safety' | 'liveness'): Row {
  const exploration = new Exploration(new PairModel(new Set(dropped === null ? [] : [dropped])));
  exploration.run({ states: PAIR_STATES }, ask === 'liveness' ? 'edges' : 'no-edges');
  const { states, complete, finding } = exploration;
  const served = (s: PairState): boolean => serves(s, 0) || serves(s, 1);
  const stuck =
    ask === 'liveness' && complete
      ? {
          unserved: exploration.stuck(served).length,
          degraded: exploration.stuck(fullyRedundant).length,
        }
      : null;
  const violation = finding?.violation ?? null;
  return {
    model: 'pair',
    dropped,
    states,
    complete,
    violation,
    schedule: finding?.schedule ?? [],
    stuck,
  };
}

/** All rules followed, then each dropped. */
export function* pairTable(): Generator<Row> {
  yield pairRow(null, 'liveness');
  // Only RULE-14 is about healing: dropping it breaks no law that a single state shows.
  for (const rule of RULES) yield pairRow(rule, rule === 'RULE-14' ? 'liveness' : 'safety');
}
