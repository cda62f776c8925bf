/**
 * The table of rules: each dropped alone, and the shortest schedule by which that breaks a law, or
 * the states that never heal. `tools/rule-table.ts` prints it.
 */
import { Exploration, type Model } from './explorer.ts';
import * as pair from './pair-laws.ts';
import { PairModel } from './pair-model.ts';
import type { PairState } from './pair-state.ts';
import { HALF_RULES, RULES, RULES_OF_THREE, type Rule, type TrioRule } from './rules.ts';
import * as trio from './trio-laws.ts';
import { type TrioBounds, TrioModel } from './trio-model.ts';
import { REPLICAS, type TrioState } from './trio-state.ts';

export interface Row {
  readonly model: 'pair' | 'trio';
  /** The rule that is not followed, null when all are. */
  readonly dropped: TrioRule | null;
  readonly states: number;
  /** Whether no more states are reachable. */
  readonly complete: boolean;
  readonly violation: string | null;
  readonly schedule: readonly string[];
  /** States from which nobody can serve, or not all be equal again, without a further fault. */
  readonly stuck: { readonly unserved: number; readonly degraded: number } | null;
}

export type Question = 'safety' | 'liveness';

/** More states than a model has: it is not the model that was meant when it has more. */
const STATES = 20_000_000;

export function pairRow(dropped: Rule | null, question: Question): Row {
  const served = (s: PairState): boolean => pair.serves(s, 0) || pair.serves(s, 1);
  const model = new PairModel(new Set(dropped === null ? [] : [dropped]));
  return explore('pair', model, dropped, question, served, pair.fullyRedundant);
}

/** One write, and a loss of power, a cut and a take-over: what most rules take. */
export const NARROW: TrioBounds = { writes: 1, crashes: 1, cuts: 1, takeOvers: 1 };

/** Two losses of power. */
export const WIDER: TrioBounds = { ...NARROW, crashes: 2 };

/** Two take-overs, one of which a primary may miss. */
export const HANDED_ON: TrioBounds = { ...NARROW, cuts: 0, takeOvers: 2 };

/** Rules whose shortest schedule has two losses of power. */
const TWO_LOSSES: ReadonlySet<TrioRule> = new Set<TrioRule>([
  'RULE-19',
  'RULE-19 for members only',
  'RULE-23',
  'RULE-25',
]);

export function boundsFor(dropped: TrioRule | null): TrioBounds {
  if (dropped === 'RULE-14') return HANDED_ON;
  return dropped !== null && TWO_LOSSES.has(dropped) ? WIDER : NARROW;
}

export function trioRow(dropped: TrioRule | null, question: Question, bounds: TrioBounds): Row {
  const served = (s: TrioState): boolean => REPLICAS.some((i) => trio.serves(s, i, NONE));
  // Where no take-over is left it is the bound that keeps the volume from healing.
  const left = (s: TrioState): boolean => s.takeOvers < bounds.takeOvers;
  const model = new TrioModel(bounds, new Set(dropped === null ? [] : [dropped]));
  return explore('trio', model, dropped, question, served, trio.fullyRedundant, left);
}

const NONE: ReadonlySet<TrioRule> = new Set();

function explore<S>(
  name: Row['model'],
  model: Model<S>,
  dropped: TrioRule | null,
  question: Question,
  served: (s: S) => boolean,
  redundant: (s: S) => boolean,
  counts: (s: S) => boolean = () => true,
): Row {
  const exploration = new Exploration(model);
  exploration.run({ states: STATES }, question === 'liveness' ? 'edges' : 'no-edges');
  const { states, complete, finding } = exploration;
  const never = (goal: (s: S) => boolean): number =>
    exploration.stuck(goal).filter((index) => counts(exploration.state(index))).length;
  const asked = question === 'liveness' && complete;
  const stuck = asked ? { unserved: never(served), degraded: never(redundant) } : null;
  const { violation = null, schedule = [] } = finding ?? {};
  return { model: name, dropped, states, complete, violation, schedule, stuck };
}

/** All rules followed, then each dropped: by two replicas, then by three. */
export function* ruleTable(): Generator<Row> {
  yield pairRow(null, 'liveness');
  // Only RULE-14 is about healing: dropping it breaks no law that a single state shows.
  for (const rule of RULES) yield pairRow(rule, rule === 'RULE-14' ? 'liveness' : 'safety');
  yield trioRow(null, 'liveness', boundsFor(null));
  for (const rule of [...RULES, ...RULES_OF_THREE, ...HALF_RULES]) {
    yield trioRow(rule, rule === 'RULE-14' ? 'liveness' : 'safety', boundsFor(rule));
  }
}
