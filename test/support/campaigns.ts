/** Campaigns that look for a planted bug. */
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import type { Swarm } from '../../scenarios/generate.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';

/** Where the five campaigns begin, and how long each may look for a bug. */
export const SEEDS: readonly number[] = [1, 100_000, 200_000, 300_000, 400_000];
export const RUNS = 3_000;

/**
 * Seen because nothing goes on, not because data is lost: the log's own record of the generation
 * keeps a replica without it from ever counting as a member.
 */
const STUCK: ReadonlySet<string> = new Set(['RULE-13', 'generation-unsynced']);

/** Whether a finding is about data or about who serves. Being stuck is evidence of something. */
function tells(
  id: string,
  { law, code }: { readonly law: string; readonly code: string },
): boolean {
  return law !== 'LAW-heals' || code === 'heals.replicas-differ' || STUCK.has(id);
}

/** Runs until a planted bug is found by what it does; -1 when it is not. */
export function found(id: string, seed: number, runs: number, mode: Swarm = 'swarm'): number {
  const world = newWorld();
  const options = { canaries: new Set([id]), stopAtFirst: true };
  for (let run = 0; run < runs; run += 1) {
    const shard = { config: DEMO_CONFIG, mode, seed, runs } as const;
    const scenario = campaignScenario(shard, seed + run);
    const { violations } = runScenario(scenario, scenario.seed, options, world);
    if (violations.some((finding) => tells(id, finding))) return run + 1;
  }
  return -1;
}
