/** One run of one scenario: the scenario, a seed and switches in, a result out. */
import { EngineActors } from '../backends/sim/engine-actors.ts';
import type { Finding, Law } from '../backends/sim/oracle/verdict.ts';
import type { GroupOutcome } from '../backends/sim/outcome.ts';
import { World } from '../backends/sim/world.ts';
import { LOOK_MOST } from '../engine/cluster/lost-path.ts';
import type { TimelineEvent } from '../engine/timeline/event.ts';
import type { FlightReel } from '../engine/timeline/flight.ts';
import { mayExcuse } from './fault-classes.ts';
import { breaks } from './laws.ts';
import { CALM_PART, HEALED_PART, type Scenario } from './scenario.ts';

/** Switches of a run. */
export interface RunOptions {
  /** Planted bugs that are on. */
  readonly canaries?: ReadonlySet<string>;
  /** Whether to collect the decisions stream. */
  readonly timeline?: boolean;
  /** End at the first broken law: what comes after is its consequence. */
  readonly stopAtFirst?: boolean;
}

/** What a run came to. */
export interface RunResult {
  readonly scenario: string;
  readonly seed: number;
  readonly traceHash: string;
  /** Queue entries delivered to an actor. */
  readonly events: number;
  readonly simSeconds: number;
  readonly ios: number;
  /** Broken laws. */
  readonly violations: readonly Finding[];
  /** Breaches that the table of laws says must only be detected. */
  readonly detected: readonly Finding[];
  readonly faultsFired: { readonly [kind: string]: number };
  readonly statesReached: { readonly [mark: string]: number };
  readonly groups: readonly GroupOutcome[];
  readonly crashes: number;
  readonly crashesWithIoInFlight: number;
  readonly watchdogResets: number;
  readonly resyncs: number;
  readonly timeline: readonly TimelineEvent[];
}

/** A world that serves run after run; see {@link World}, and {@link EngineActors} for `flights`. */
export function newWorld(
  flights: FlightReel[] | null = null,
  build = 'dev',
  segmentBytes?: number,
): World {
  return new World(new EngineActors(flights, build, segmentBytes));
}

/** Runs `scenario` once. Same scenario, seed and canaries, same result, bit for bit. */
export function runScenario(
  scenario: Scenario,
  seed: number,
  options: RunOptions = {},
  world: World = newWorld(),
): RunResult {
  const { config, duration, laws, faults } = scenario;
  // Nobody mends a lost path: its host looks at its own times whether it is back.
  const looks = faults.some(({ kind }) => kind === 'path-loss') ? LOOK_MOST : 0;
  const outcome = world.run({
    config,
    seed,
    workload: scenario.workload,
    faults,
    healAt: duration - HEALED_PART,
    calmAt: duration + looks - CALM_PART,
    endAt: duration + looks,
    canaries: options.canaries ?? new Set(),
    timeline: options.timeline ?? false,
    stopAtFirst: options.stopAtFirst ?? false,
    judge: (law: Law, faults, facts, moment) => {
      return laws.includes(law) && breaks(law, faults, facts, config, moment);
    },
  });
  const { findings: all, ...rest } = outcome;
  // An oracle excuses nothing that no row of the table does.
  const excused = ({ law }: Finding): boolean => {
    return !laws.includes(law) || mayExcuse(law, outcome.faultsFired, config);
  };
  const findings = all.map((each) => ({ ...each, broken: each.broken || !excused(each) }));
  return {
    scenario: scenario.name,
    seed,
    ...rest,
    violations: findings.filter(({ broken }) => broken),
    detected: findings.filter(({ broken }) => !broken),
  };
}
