/**
 * Makes a failing schedule as small as it gets: fast-check shrinks the genes it was drawn from,
 * then faults are taken out one set after another, then times are rounded to what a person would
 * have written. The noise seed stays as it is.
 */
import fc from 'fast-check';
import { type Fault, PLAIN_FAULT } from '../backends/sim/fault.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { type Swarm, schedules } from './generate.ts';

/** Whether a schedule still fails. */
export type Fails = (faults: readonly Fault[]) => boolean;

export interface Shrunk {
  readonly faults: readonly Fault[];
  /** Runs that it took. */
  readonly runs: number;
}

const ROUND_TO = [1_000_000, 100_000, 10_000, 1_000] as const;

/** Shrinks the schedule that belongs to `seed`; `budget` bounds the runs. */
export function shrinkSeed(
  seed: number,
  config: ClusterConfig,
  fails: Fails,
  budget: number,
  swarm: Swarm = 'swarm',
): Shrunk {
  let runs = 0;
  const bounded: Fails = (faults) => {
    runs += 1;
    return runs <= budget && fails(faults);
  };
  let best: readonly Fault[] | null = null;
  fc.check(
    fc.property(schedules(config, swarm), (faults) => {
      const failed = bounded(faults);
      if (failed) best = faults;
      return !failed;
    }),
    { seed: seed | 0, numRuns: 1 },
  );
  if (best === null) return { faults: [], runs };
  return { faults: shrinkSchedule(best, bounded), runs };
}

/** The second pass alone, for a schedule that a person wrote. */
export function shrinkSchedule(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  let best = withoutNeedless(faults, fails);
  best = simplified(best, fails);
  return rounded(best, fails);
}

/** Takes out ever smaller sets of faults as long as the rest still fails (ddmin). */
function withoutNeedless(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  let best = faults;
  for (let size = Math.ceil(best.length / 2); size >= 1; ) {
    let removed = false;
    for (let from = 0; from < best.length && best.length > 1; ) {
      const rest = [...best.slice(0, from), ...best.slice(from + size)];
      if (rest.length > 0 && fails(rest)) {
        best = rest;
        removed = true;
      } else from += size;
    }
    if (size === 1 && !removed) break;
    size = removed && size === 1 ? 1 : Math.max(1, Math.floor(size / 2));
    if (size === 1 && best.length === 1) break;
  }
  return best;
}

/** Puts the plain value in every field that does not matter. */
function simplified(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  let best = faults;
  const fields = ['when', 'ways', 'links', 'cache', 'clockStops'] as const;
  for (let index = 0; index < best.length; index += 1) {
    for (const field of fields) {
      const fault = best[index] as Fault;
      if (fault[field] === PLAIN_FAULT[field]) continue;
      best = tried(best, index, { ...fault, [field]: PLAIN_FAULT[field] }, fails);
    }
  }
  return best;
}

function rounded(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  let best = faults;
  for (let index = 0; index < best.length; index += 1) {
    for (const field of ['at', 'for'] as const) {
      for (const unit of ROUND_TO) {
        const fault = best[index] as Fault;
        const value = Math.floor((fault[field] + unit / 2) / unit) * unit;
        if (value === fault[field]) break;
        if (value === 0) continue;
        const next = tried(best, index, { ...fault, [field]: value }, fails);
        if (next !== best) {
          best = next;
          break;
        }
      }
    }
  }
  return [...best].sort((a, b) => a.at - b.at);
}

function tried(
  faults: readonly Fault[],
  index: number,
  fault: Fault,
  fails: Fails,
): readonly Fault[] {
  const next = faults.map((each, i) => (i === index ? fault : each));
  return fails(next) ? next : faults;
}
