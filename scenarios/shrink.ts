/**
 * Makes a failing schedule as small as it gets: faults are taken out one set after another, then
 * the smallest of all sets are tried outright, fast-check shrinks the genes that the schedule was
 * drawn from, and what is left is made plain, at times that a person would have written. The noise
 * seed stays as it is.
 */
import fc from 'fast-check';
import { type Fault, PLAIN_FAULT } from '../backends/sim/fault.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { type Swarm, scheduleOf, schedules } from './generate.ts';

/** Whether a schedule still fails. */
export type Fails = (faults: readonly Fault[]) => boolean;

export interface Shrunk {
  readonly faults: readonly Fault[];
  /** Runs that it took. */
  readonly runs: number;
}

const ROUND_TO = [1_000_000, 100_000, 10_000, 1_000] as const;

/** Up to so many faults are looked for among all that there were. */
const OUTRIGHT = 3;

/** Shrinks the schedule that belongs to `seed`; `budget` bounds the runs. */
export function shrinkSeed(
  seed: number,
  config: ClusterConfig,
  fails: Fails,
  budget: number,
  swarm: Swarm = 'swarm',
): Shrunk {
  let runs = 0;
  const bounded =
    (most: number): Fails =>
    (faults) => {
      if (runs >= most) return false;
      runs += 1;
      return fails(faults);
    };
  const within = bounded(budget);
  const drawn = scheduleOf(seed, config, swarm);
  if (!within(drawn)) return { faults: [], runs };
  let best = fewest(drawn, within);
  if (best.length > 1) {
    // Genes shrink towards other faults too, which may be fewer; but not for the whole budget.
    const most = runs + Math.floor((budget - runs) / 2);
    const bred = shrinkGenes(seed, config, bounded(most), swarm);
    if (bred !== null && bred.length < best.length) best = bred;
  }
  return { faults: plain(best, within), runs };
}

/** The second pass alone, for a schedule that a person wrote. */
export function shrinkSchedule(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  return plain(fewest(faults, fails), fails);
}

/** What fast-check makes of the schedule of `seed`; null where not even that fails. */
function shrinkGenes(
  seed: number,
  config: ClusterConfig,
  fails: Fails,
  swarm: Swarm,
): readonly Fault[] | null {
  let best: readonly Fault[] | null = null;
  fc.check(
    fc.property(schedules(config, swarm), (faults) => {
      const failed = fails(faults);
      if (failed) best = faults;
      return !failed;
    }),
    { seed: seed | 0, numRuns: 1 },
  );
  return best === null ? null : withoutNeedless(best, fails);
}

/** Plain values and round times; what they make needless goes as well. */
function plain(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  for (let best = faults; ; ) {
    const next = rounded(simplified(best, fails), fails);
    if (next.length === 1) return next;
    const fewer = withoutNeedless(next, fails);
    if (fewer.length === next.length) return next;
    best = fewer;
  }
}

/**
 * Taking out one set after another may end where nothing more can be spared though other faults of
 * the same schedule do by themselves: few enough are looked for among all of them.
 */
function fewest(faults: readonly Fault[], fails: Fails): readonly Fault[] {
  const best = withoutNeedless(faults, fails);
  for (let size = 1; size <= OUTRIGHT && size < best.length; size += 1) {
    for (const some of subsets(faults, size)) if (fails(some)) return some;
  }
  return best;
}

/** Every choice of `size` faults, in the order in which they stand. */
function* subsets(faults: readonly Fault[], size: number, from = 0): Generator<readonly Fault[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let i = from; i + size <= faults.length; i += 1) {
    for (const rest of subsets(faults, size - 1, i + 1)) yield [faults[i] as Fault, ...rest];
  }
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
