/**
 * A sweep: one scenario many times, some of its faults a little later each time. A mistake that
 * needs two things at one instant is not found by one run, however well the instant is known.
 */
import { BY_CHANCE, type Fault } from '../backends/sim/fault.ts';
import type { Scenario } from './scenario.ts';

/** What a sweep moves: a time, an exact distance from a moment, a length, or a count. */
export const SWEPT = ['at', 'after', 'for', 'nth'] as const;
export type Swept = (typeof SWEPT)[number];

/** Steps of one sweep: more would be a campaign. */
export const STEPS_MAX = 200;

export interface Sweep {
  /** Which faults move, by their place in the list. */
  readonly faults: readonly number[];
  readonly moves: Swept;
  /** How far from step to step: microseconds, or whole times for `nth`. */
  readonly by: number;
  readonly steps: number;
}

/** Every step of the sweep as a scenario of its own; the scenario alone where it has none. */
export function stepsOf(scenario: Scenario): readonly Scenario[] {
  const { sweep, ...rest } = scenario;
  if (sweep === undefined) return [scenario];
  return Array.from({ length: sweep.steps }, (_, step) => {
    const faults = scenario.faults.map((fault, index) => {
      return sweep.faults.includes(index) ? moved(fault, sweep, step) : fault;
    });
    return { ...rest, faults };
  });
}

/** The step that belongs to a seed: as many seeds as there are steps take each of them once. */
export function stepOf(scenario: Scenario, seed: number): Scenario {
  const steps = stepsOf(scenario);
  return steps[seed % steps.length] as Scenario;
}

function moved(fault: Fault, { moves, by }: Sweep, step: number): Fault {
  // One that strikes by chance after its moment is aimed from the moment on.
  const from = moves === 'after' && fault.after === BY_CHANCE ? 0 : fault[moves];
  return { ...fault, [moves]: from + by * step };
}
