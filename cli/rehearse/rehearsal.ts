/** A rehearsal: one or more campaigns over one configuration, spread over worker threads. */
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import type { FlightReel } from '../../engine/timeline/flight.ts';
import {
  type CampaignResult,
  campaignScenario,
  combinedHash,
  type FaultMode,
  mergeCampaigns,
} from '../../scenarios/campaign.ts';
import { type NotExercised, notExercised } from '../../scenarios/coverage.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { BUILD } from '../version.ts';
import { runShards } from './pool.ts';
import { startProgress } from './progress.ts';
import { mergeRows, type Row, worse } from './rows.ts';
import type { ShardAnswer, ShardTask } from './shard-worker.ts';

/** One campaign of a rehearsal. */
export interface Phase {
  readonly mode: FaultMode;
  readonly seed: number;
  readonly runs: number;
  /** A scenario to run with every seed, in place of the mode's schedules. */
  readonly scenario?: Scenario;
}

/** What to rehearse. */
export interface RehearsalOptions {
  /** As it is simulated: see scaled.ts. */
  readonly config: ClusterConfig;
  readonly phases: readonly Phase[];
  readonly canaries: readonly string[];
  /** End at the first run that breaks a law. */
  readonly stopAtFirst: boolean;
  /** Most runs spent on shrinking one failing schedule. */
  readonly shrinkBudget: number;
  /** Most threads at once. */
  readonly jobs: number;
  /** No progress on standard error. */
  readonly quiet: boolean;
}

/** One run among many: the phase that it belongs to, and its seed. */
export interface RunPlace {
  readonly phase: Phase;
  readonly seed: number;
}

/** What a rehearsal came to. */
export interface Rehearsal {
  readonly campaign: CampaignResult;
  /**
   * What no run exercised of what is declared; null when nothing of it was a swarm, or a planted
   * bug was to be found.
   */
  readonly notExercised: NotExercised | null;
  /** The hash of all runs' hashes, in order of phases and seeds. */
  readonly traceHash: string;
  readonly rows: readonly Row[];
  /** The first run that broke a law, else the one with the longest outage. */
  readonly worst: RunPlace;
  /** Processor seconds of all threads, start-up and compilation included. */
  readonly cpuSeconds: number;
}

/** Runs per shard: small enough for a live bar, large enough that handing over costs nothing. */
const SHARD_RUNS = 10;

/** Runs all phases. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const began = process.cpuUsage();
  const tasks = options.phases.flatMap((phase, index) => {
    return shardsOf(phase, options).map((task) => ({ index, task }));
  });
  const total = tasks.reduce((sum, { task }) => sum + task.runs, 0);
  const progress = startProgress('Rehearsing', total, options.quiet);
  let done = 0;
  let broken = 0;
  const answers = await runShards<ShardTask, ShardAnswer>(
    new URL('./shard-worker.ts', import.meta.url),
    tasks.map(({ task }) => task),
    options.jobs,
    ({ campaign }) => {
      done += campaign.runs;
      broken += new Set(campaign.violations.map(({ seed }) => seed)).size;
      progress.update(done, broken === 0 ? 'all laws hold' : `${broken} runs broke a law`);
      return !(options.stopAtFirst && broken > 0);
    },
  ).finally(() => progress.stop());
  const used = process.cpuUsage(began);
  return gather(options, tasks, upToFirst(answers, options.stopAtFirst), {
    cpuSeconds: (used.user + used.system) / 1e6,
  });
}

function shardsOf(phase: Phase, options: RehearsalOptions): readonly ShardTask[] {
  const { config, canaries, stopAtFirst, shrinkBudget } = options;
  const { mode, scenario } = phase;
  const tasks: ShardTask[] = [];
  for (let from = 0; from < phase.runs; from += SHARD_RUNS) {
    tasks.push({
      config,
      mode,
      seed: phase.seed + from,
      runs: Math.min(SHARD_RUNS, phase.runs - from),
      canaries,
      stopAtFirst,
      shrinkBudget,
      ...(scenario === undefined ? {} : { scenario }),
    });
  }
  return tasks;
}

/** What other threads did after the first broken run depends on luck: it does not count. */
function upToFirst(answers: readonly ShardAnswer[], stopAtFirst: boolean): readonly ShardAnswer[] {
  if (!stopAtFirst) return answers;
  const first = answers.findIndex(({ campaign }) => campaign.violations.length > 0);
  return first < 0 ? answers : answers.slice(0, first + 1);
}

function gather(
  options: RehearsalOptions,
  tasks: readonly { readonly index: number; readonly task: ShardTask }[],
  answers: readonly ShardAnswer[],
  { cpuSeconds }: { readonly cpuSeconds: number },
): Rehearsal {
  const hash = new TraceHash();
  const perPhase = options.phases.map((_, index) => {
    const own = answers.filter((_answer, i) => tasks[i]?.index === index);
    return mergeCampaigns(own.map(({ campaign }) => campaign));
  });
  for (const campaign of perPhase) hash.value(combinedHash(campaign));
  const [only] = perPhase;
  const traceHash = perPhase.length === 1 && only ? combinedHash(only) : hash.digest();
  let worst: (RunPlace & { readonly rank: Row['worst'] }) | null = null;
  for (const [i, { rows }] of answers.entries()) {
    const phase = options.phases[tasks[i]?.index ?? 0] as Phase;
    for (const row of rows) {
      const place = { phase, seed: row.worst.seed, rank: row.worst };
      if (worst === null || worse(row.worst, worst.rank) !== worst.rank) worst = place;
    }
  }
  const campaign = mergeCampaigns(perPhase);
  const swarms = options.phases.flatMap(({ mode, scenario }, index) =>
    mode === 'swarm' && scenario === undefined ? [perPhase[index]?.runs ?? 0] : [],
  );
  const swarmRuns = swarms.reduce((sum, runs) => sum + runs, 0);
  const judged = swarms.length > 0 && options.canaries.length === 0;
  return {
    campaign,
    notExercised: judged ? notExercised(campaign, swarmRuns) : null,
    traceHash,
    rows: mergeRows(answers.flatMap(({ rows }) => rows)),
    worst: worst ?? { phase: options.phases[0] as Phase, seed: options.phases[0]?.seed ?? 1 },
    cpuSeconds,
  };
}

/** Runs one run again, this time keeping its timeline and its flight recording. */
export function replayWithTimeline(
  options: Pick<RehearsalOptions, 'config' | 'canaries'>,
  { phase, seed }: RunPlace,
): { readonly scenario: Scenario; readonly result: RunResult; readonly flights: FlightReel[] } {
  const { config } = options;
  const { mode } = phase;
  const own = phase.scenario === undefined ? {} : { scenario: phase.scenario };
  const scenario = campaignScenario({ config, mode, seed, runs: 1, ...own }, seed);
  const canaries = new Set(options.canaries);
  const flights: FlightReel[] = [];
  const world = newWorld(flights, BUILD);
  const result = runScenario(scenario, seed, { canaries, timeline: true }, world);
  return { scenario, result, flights };
}
