/**
 * Looks for one planted bug: a campaign runs until a law breaks because of it, then the schedule is
 * shrunk. A hunt is a pure function of its task, like a shard of a campaign.
 */
import type { Fault } from '../backends/sim/fault.ts';
import type { Finding, Law } from '../backends/sim/oracle/verdict.ts';
import type { World } from '../backends/sim/world.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { campaignScenario } from './campaign.ts';
import { describeSchedule } from './describe.ts';
import type { Swarm } from './generate.ts';
import { newWorld, runScenario } from './run.ts';
import { nodeName } from './scenario.ts';
import { shrinkSeed } from './shrink.ts';

export interface HuntTask {
  /** The planted bug. */
  readonly id: string;
  readonly mode: Swarm;
  readonly config: ClusterConfig;
  /** The first seed; run i has seed `seed + i`. */
  readonly seed: number;
  /** After so many runs it is given up. */
  readonly runs: number;
  /** Most runs spent on shrinking the schedule; 0 leaves it as it was drawn. */
  readonly shrinkBudget: number;
}

/** What found a planted bug. */
export interface Found {
  readonly seed: number;
  readonly law: Law;
  readonly code: string;
  /** The schedule as it was drawn, and the smallest that breaks the same law. */
  readonly drawn: readonly Fault[];
  readonly faults: readonly Fault[];
  /** The latter in words. */
  readonly schedule: string;
  readonly shrinkRuns: number;
}

export interface Hunted {
  readonly id: string;
  readonly mode: Swarm;
  /** Runs until it was found, that one included; all of them when it was not. */
  readonly runs: number;
  readonly found: Found | null;
}

/** Told how far a hunt is. */
export interface HuntWatch {
  /** So many runs are done. */
  run(runs: number): void;
  /** It is found; shrinking begins. */
  found(): void;
}

const UNWATCHED: HuntWatch = { run: () => {}, found: () => {} };

/**
 * Bugs that are seen because nothing goes on, not because data is lost. RULE-13: the log's own
 * record of the generation keeps a replica without it from ever counting as a member.
 * survivor-yields: whoever lost power is not who leads by the log, and a primary is no target, so
 * the two refuse each other for good.
 */
const STUCK: ReadonlySet<string> = new Set(['RULE-13', 'survivor-yields']);

/** Whether a finding is about data or about who serves. Being stuck is evidence of something. */
export function tells(id: string, { law, code }: Pick<Finding, 'law' | 'code'>): boolean {
  return law !== 'LAW-heals' || code === 'heals.replicas-differ' || STUCK.has(id);
}

/** Runs until the planted bug is found by what it does. */
export function hunt(
  task: HuntTask,
  watch: HuntWatch = UNWATCHED,
  world: World = newWorld(),
): Hunted {
  const { id, mode, config, runs } = task;
  const shard = { config, mode, seed: task.seed, runs };
  for (let run = 0; run < runs; run += 1) {
    const seed = (task.seed + run) >>> 0;
    const telling = tellingRun(task, campaignScenario(shard, seed).faults, seed, world);
    watch.run(run + 1);
    if (telling === null) continue;
    watch.found();
    return { id, mode, runs: run + 1, found: shrunk(task, telling, seed, world) };
  }
  return { id, mode, runs, found: null };
}

interface Telling {
  readonly faults: readonly Fault[];
  readonly finding: Finding;
}

/** The run of `seed` with these faults, when it tells of the bug. */
function tellingRun(
  { id, mode, config }: HuntTask,
  faults: readonly Fault[],
  seed: number,
  world: World,
): Telling | null {
  const shard = { config, mode, seed, runs: 1 };
  const scenario = { ...campaignScenario(shard, seed), faults };
  const options = { canaries: new Set([id]), stopAtFirst: true };
  const { violations } = runScenario(scenario, seed, options, world);
  const finding = violations.find((each) => tells(id, each));
  return finding === undefined ? null : { faults, finding };
}

function shrunk(task: HuntTask, telling: Telling, seed: number, world: World): Found {
  const { config, mode, shrinkBudget } = task;
  const { law, code } = telling.finding;
  let faults = telling.faults;
  let shrinkRuns = 0;
  if (shrinkBudget > 0) {
    const fails = (fewer: readonly Fault[]): boolean =>
      tellingRun(task, fewer, seed, world)?.finding.law === law;
    const small = shrinkSeed(seed, config, fails, shrinkBudget, mode);
    if (small.faults.length > 0) faults = small.faults;
    shrinkRuns = small.runs;
  }
  const schedule = describeSchedule(faults, (node) => nodeName(config, node));
  return { seed, law, code, drawn: telling.faults, faults, schedule, shrinkRuns };
}
