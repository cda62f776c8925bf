/** Campaigns that look for a planted bug. */
import { plantedBugs } from '../../scenarios/canaries.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import type { Swarm } from '../../scenarios/generate.ts';
import { hunt } from '../../scenarios/hunt.ts';
import { configOn, shownBy } from '../../scenarios/shown-by.ts';
import { FOUND_AT } from './found-at.ts';

/** Where the five campaigns begin, and how long each may look for a bug. */
export const SEEDS: readonly number[] = [1, 100_000, 200_000, 300_000, 400_000];
export const RUNS = 3_000;

/** A campaign that has to find a planted bug. */
export interface Hunt {
  readonly id: string;
  readonly mode: Swarm;
  /** The first seed; run i, from 1 on, has seed `seed + i - 1`. */
  readonly seed: number;
  /** So many runs may do it. */
  readonly runs: number;
}

/** Where the log keeps a rule, and the mirror keeps it once more by itself: that second guard. */
const BEHIND_THE_LOG: readonly string[] = ['reboot-unnoticed', 'survivor-yields'];

/**
 * Planted bugs of the rules of a mirror of two, with those of the mirror's own guard where the log
 * has one before it. What more replicas need has tests of its own.
 */
export function rulesOfTwo(): readonly { readonly id: string; readonly what: string }[] {
  return plantedBugs().filter(({ id }) => {
    const by = shownBy(id);
    return isOfRule(id) && 'campaign' in by && by.on === undefined;
  });
}

export function isOfRule(id: string): boolean {
  return id.startsWith('RULE-') || BEHIND_THE_LOG.includes(id);
}

/** Every hunt that takes more than a handful of runs. */
export function longHunts(): readonly Hunt[] {
  const rules = rulesOfTwo().flatMap(({ id }) =>
    SEEDS.map((seed): Hunt => ({ id, mode: 'swarm', seed, runs: RUNS })),
  );
  const others = plantedBugs().flatMap(({ id }): Hunt[] => {
    const by = shownBy(id);
    if ('test' in by || (isOfRule(id) && by.on === undefined)) return [];
    return [{ id, mode: by.campaign, seed: by.from ?? (SEEDS[0] as number), runs: RUNS }];
  });
  return [...rules, ...others, ...forgottenHunts()];
}

/** The bug that only the rarest of what disks do brings to light. */
export function forgottenHunts(): readonly Hunt[] {
  return SEEDS.slice(1, 3).map((seed) => {
    return { id: 'failure-forgotten', mode: 'disks', seed, runs: 2 * RUNS };
  });
}

/**
 * Runs until a planted bug is found by what it does; -1 when it is not. A run is drawn by its seed
 * alone, so one that is known to find it shows as much as all the runs before it do: that one is
 * done first. Where it finds it no more, because the engine or the world has changed, all are.
 */
export function found(id: string, seed: number, runs: number, mode: Swarm = 'swarm'): number {
  const known = knownRun({ id, mode, seed, runs });
  if (known > 0 && search(id, seed + known - 1, 1, mode) === 1) return known;
  return search(id, seed, runs, mode);
}

/** The run of a hunt that is known to find the bug; 0 for none. */
export function knownRun({ id, mode, seed, runs }: Hunt): number {
  const row = FOUND_AT.find(([each, how, from]) => each === id && how === mode && from === seed);
  return row === undefined || row[3] > runs ? 0 : row[3];
}

/** The same as {@link found}, by doing one run after the other. */
export function search(id: string, seed: number, runs: number, mode: Swarm): number {
  const by = shownBy(id);
  const on = 'on' in by ? by.on : undefined;
  const config = on === undefined ? DEMO_CONFIG : configOn(on);
  const hunted = hunt({ id, mode, config, seed, runs, shrinkBudget: 0 });
  return hunted.found === null ? -1 : hunted.runs;
}
