/** Campaigns that look for a planted bug. */
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import type { Swarm } from '../../scenarios/generate.ts';
import { hunt } from '../../scenarios/hunt.ts';

/** Where the five campaigns begin, and how long each may look for a bug. */
export const SEEDS: readonly number[] = [1, 100_000, 200_000, 300_000, 400_000];
export const RUNS = 3_000;

/** Runs until a planted bug is found by what it does; -1 when it is not. */
export function found(id: string, seed: number, runs: number, mode: Swarm = 'swarm'): number {
  const hunted = hunt({ id, mode, config: DEMO_CONFIG, seed, runs, shrinkBudget: 0 });
  return hunted.found === null ? -1 : hunted.runs;
}
