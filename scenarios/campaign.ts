/**
 * Many runs: a shard is a pure function of configuration, kind of faults and range of seeds, and
 * results merge, so that a campaign may be cut up at will: over worker threads, machines, or
 * nights.
 */

import { DEFAULT_WORKLOAD, type Workload } from '../backends/sim/client.ts';
import type { Fault } from '../backends/sim/fault.ts';
import { type Finding, LAWS, type Law } from '../backends/sim/oracle/verdict.ts';
import { TraceHash } from '../backends/sim/trace-hash.ts';
import type { World } from '../backends/sim/world.ts';
import { type ClusterConfig, SPLIT_POLICIES } from '../engine/core/config.ts';
import { Rng } from '../engine/core/rng.ts';
import { describeSchedule } from './describe.ts';
import { SWARMS, type Swarm, scheduleOf } from './generate.ts';
import { newWorld, type RunResult, runScenario } from './run.ts';
import { DEFAULT_DURATION, nodeName, type Scenario } from './scenario.ts';
import { shrinkSchedule, shrinkSeed } from './shrink.ts';
import { faultPair, singleFaults } from './single-faults.ts';
import { stepOf } from './sweep.ts';

/** Where the faults of a campaign come from. */
export type FaultMode = 'none' | 'single' | 'pairs' | Swarm;

/** One part of a campaign. */
export interface Shard {
  readonly config: ClusterConfig;
  readonly mode: FaultMode;
  /** The first seed; run i has seed `seed + i`. */
  readonly seed: number;
  readonly runs: number;
  readonly workload?: Workload;
  readonly duration?: number;
  /** A scenario to run with every seed, in place of the mode's schedules. */
  readonly scenario?: Scenario;
  readonly canaries?: ReadonlySet<string>;
  /** Stop after the first run that breaks a law. */
  readonly stopAtFirst?: boolean;
  /** Most runs spent on shrinking one failing schedule; 0 leaves it as it was drawn. */
  readonly shrinkBudget?: number;
}

/** A run that broke a law. */
export interface CampaignViolation {
  readonly law: Law;
  readonly seed: number;
  readonly finding: Finding;
  /** The smallest schedule found that breaks the same law with the same seed. */
  readonly scenario: Scenario;
  /** The schedule in words. */
  readonly schedule: string;
}

/** What a shard came to; shards merge by {@link mergeCampaigns}. */
export interface CampaignResult {
  readonly runs: number;
  readonly events: number;
  readonly simSeconds: number;
  readonly ios: number;
  /** Per run in order of seeds: what the combined trace hash is made of. */
  readonly hashes: readonly { readonly seed: number; readonly traceHash: string }[];
  readonly laws: readonly { readonly law: Law; readonly held: boolean }[];
  readonly violations: readonly CampaignViolation[];
  /** Runs in which a breach was only to be detected. */
  readonly detected: number;
  readonly faultsFired: { readonly [kind: string]: number };
  readonly statesReached: { readonly [mark: string]: number };
  readonly crashes: number;
  readonly crashesWithIoInFlight: number;
  readonly resyncs: number;
  readonly takeOvers: number;
  /** Runs that ended with a group waiting for a person: LAW-heals asks no more of those. */
  readonly blocked: number;
}

/** Random stream of the workload, clear of those of the world. */
const WORKLOAD_STREAM = 99;

const EMPTY: CampaignResult = {
  runs: 0,
  events: 0,
  simSeconds: 0,
  ios: 0,
  hashes: [],
  laws: LAWS.map((law) => ({ law, held: true })),
  violations: [],
  detected: 0,
  faultsFired: {},
  statesReached: {},
  crashes: 0,
  crashesWithIoInFlight: 0,
  resyncs: 0,
  takeOvers: 0,
  blocked: 0,
};

/** The scenario of one run of a campaign. */
export function campaignScenario(shard: Shard, seed: number): Scenario {
  if (shard.scenario !== undefined) return { ...stepOf(shard.scenario, seed), seed };
  const faults = faultsOf(shard, seed);
  const config = configOf(shard, seed);
  return {
    name: `${shard.mode}-${seed}`,
    title: describe(faults, shard.config),
    about: '',
    config,
    workload: shard.workload ?? workloadOf(shard.mode, seed),
    faults,
    laws: LAWS,
    seed,
    duration: shard.duration ?? DEFAULT_DURATION,
  };
}

/** The configuration, changed where a swarm is about something that depends on it. */
function configOf({ mode, config }: Shard, seed: number): ClusterConfig {
  if (mode === 'splits') return policed(config, seed);
  // A watchdog resets a primary that is out of reach, and with that it has lost something too.
  return mode === 'receipts' && seed % 2 === 1 ? unwatched(config) : config;
}

function unwatched(config: ClusterConfig): ClusterConfig {
  const nodes = config.nodes.map((node) => (node.witness ? node : { ...node, watchdog: 'none' }));
  return { ...config, nodes };
}

/** With each policy in turn: one run in seven leaves two branches to people. */
function policed(config: ClusterConfig, seed: number): ClusterConfig {
  const splitBrain = SPLIT_POLICIES[seed % SPLIT_POLICIES.length] ?? 'manual';
  return { ...config, volumes: config.volumes.map((volume) => ({ ...volume, splitBrain })) };
}

/** Whether schedules are drawn at random. */
export function isSwarm(mode: FaultMode): mode is Swarm {
  return SWARMS.some((swarm) => swarm === mode);
}

/** A swarm varies what the application does as well: rare flushes leave much to lose. */
function workloadOf(mode: FaultMode, seed: number): Workload {
  if (!isSwarm(mode)) return DEFAULT_WORKLOAD;
  const rng = new Rng(seed, WORKLOAD_STREAM);
  const pick = (from: readonly number[]): number => from[rng.below(from.length)] as number;
  return {
    ...DEFAULT_WORKLOAD,
    reads: pick([30, 45, 55]),
    flushes: pick([0, 1, 4, 12]),
    fua: pick([0, 6, 30]),
    hot: pick([20, 50, 90]),
    scattered: pick([20, 40, 100]),
    bursts: pick([3, 8, 12]),
  };
}

/** Does all runs of a shard; `onRun` hears each as it ends. */
export function runCampaign(
  shard: Shard,
  onRun: (result: RunResult, scenario: Scenario) => void = () => {},
  world: World = newWorld(),
): CampaignResult {
  const parts: CampaignResult[] = [];
  for (let i = 0; i < shard.runs; i += 1) {
    const seed = (shard.seed + i) >>> 0;
    const scenario = campaignScenario(shard, seed);
    const result = runScenario(scenario, seed, options(shard), world);
    onRun(result, scenario);
    const own = ofRun(result);
    const violations = shrunkViolations(shard, scenario, result, world);
    parts.push({ ...own, violations });
    if (violations.length > 0 && shard.stopAtFirst === true) break;
  }
  return mergeCampaigns(parts);
}

/** Adds shards up. The order of the arguments does not matter: runs are put in order of seed. */
export function mergeCampaigns(parts: readonly CampaignResult[]): CampaignResult {
  let total = EMPTY;
  for (const part of parts) {
    total = {
      runs: total.runs + part.runs,
      events: total.events + part.events,
      simSeconds: total.simSeconds + part.simSeconds,
      ios: total.ios + part.ios,
      hashes: EMPTY.hashes,
      laws: total.laws.map(({ law, held }) => ({
        law,
        held: held && part.laws.every((other) => other.law !== law || other.held),
      })),
      violations: total.violations.concat(part.violations),
      detected: total.detected + part.detected,
      faultsFired: added(total.faultsFired, part.faultsFired),
      statesReached: added(total.statesReached, part.statesReached),
      crashes: total.crashes + part.crashes,
      crashesWithIoInFlight: total.crashesWithIoInFlight + part.crashesWithIoInFlight,
      resyncs: total.resyncs + part.resyncs,
      takeOvers: total.takeOvers + part.takeOvers,
      blocked: total.blocked + part.blocked,
    };
  }
  // Once for all parts: a campaign has thousands.
  const hashes = parts.flatMap((part) => part.hashes).sort((a, b) => a.seed - b.seed);
  return { ...total, hashes };
}

/** The hash of all runs' hashes in order. */
export function combinedHash(result: CampaignResult): string {
  const hash = new TraceHash();
  for (const { traceHash } of result.hashes) hash.value(traceHash);
  return hash.digest();
}

function options(shard: Shard): { canaries: ReadonlySet<string>; stopAtFirst: boolean } {
  return { canaries: shard.canaries ?? new Set(), stopAtFirst: shard.stopAtFirst === true };
}

function faultsOf(shard: Shard, seed: number): readonly Fault[] {
  switch (shard.mode) {
    case 'none':
      return [];
    case 'single': {
      const singles = singleFaults(shard.config);
      const single = singles[seed % singles.length];
      return single === undefined ? [] : [single.fault];
    }
    case 'pairs':
      return faultPair(shard.config, seed).map(({ fault }) => fault);
    case 'swarm':
    case 'disks':
    case 'splits':
    case 'receipts':
      return scheduleOf(seed, shard.config, shard.mode);
  }
}

function ofRun(result: RunResult): CampaignResult {
  let takeOvers = 0;
  for (const group of result.groups) takeOvers += group.tookOver.length;
  return {
    ...EMPTY,
    runs: 1,
    events: result.events,
    simSeconds: result.simSeconds,
    ios: result.ios,
    hashes: [{ seed: result.seed, traceHash: result.traceHash }],
    laws: LAWS.map((law) => ({
      law,
      held: result.violations.every((violation) => violation.law !== law),
    })),
    detected: result.detected.length > 0 ? 1 : 0,
    faultsFired: result.faultsFired,
    statesReached: result.statesReached,
    crashes: result.crashes,
    crashesWithIoInFlight: result.crashesWithIoInFlight,
    resyncs: result.resyncs,
    takeOvers,
    blocked: result.groups.some(({ blocked }) => blocked) ? 1 : 0,
  };
}

/** One violation per law of a run, the first of them shrunk. */
function shrunkViolations(
  shard: Shard,
  scenario: Scenario,
  result: RunResult,
  world: World,
): readonly CampaignViolation[] {
  const [first] = result.violations;
  if (first === undefined) return [];
  const budget = shard.shrinkBudget ?? 0;
  const faults = budget === 0 ? scenario.faults : shrunk(shard, scenario, first.law, budget, world);
  const laws = new Set<Law>();
  const violations: CampaignViolation[] = [];
  for (const finding of result.violations) {
    if (laws.has(finding.law)) continue;
    laws.add(finding.law);
    const own = finding.law === first.law ? { ...scenario, faults } : scenario;
    const words = describe(own.faults, shard.config);
    violations.push({
      law: finding.law,
      seed: result.seed,
      finding,
      scenario: { ...own, title: words },
      schedule: words,
    });
  }
  return violations;
}

function shrunk(
  shard: Shard,
  scenario: Scenario,
  law: Law,
  budget: number,
  world: World,
): readonly Fault[] {
  const canaries = shard.canaries ?? new Set<string>();
  const fails = (faults: readonly Fault[]): boolean => {
    const again = runScenario(
      { ...scenario, faults },
      scenario.seed,
      { canaries, stopAtFirst: true },
      world,
    );
    return again.violations.some((violation) => violation.law === law);
  };
  if (isSwarm(shard.mode) && shard.scenario === undefined) {
    const { faults } = shrinkSeed(scenario.seed, shard.config, fails, budget, shard.mode);
    return faults.length === 0 ? scenario.faults : faults;
  }
  return scenario.faults.length === 0 ? [] : shrinkSchedule(scenario.faults, fails);
}

function describe(faults: readonly Fault[], config: ClusterConfig): string {
  return describeSchedule(faults, (node) => nodeName(config, node));
}

function added(
  a: { readonly [name: string]: number },
  b: { readonly [name: string]: number },
): { readonly [name: string]: number } {
  const sum: { [name: string]: number } = { ...a };
  for (const name of Object.keys(b)) sum[name] = (sum[name] ?? 0) + (b[name] as number);
  return sum;
}
