/**
 * The engine in simulated worlds, per second of processor time: how many events and runs of a
 * random campaign, with trace hash and all laws judged, and how much simulated time of a busy pair.
 * The bars stand in the place of a peer. Beside them runs a fixed loop of integers, turn by turn:
 * where it is slow, the machine was.
 */
import type { Workload } from '../backends/sim/client.ts';
import { LAWS } from '../backends/sim/oracle/verdict.ts';
import type { World } from '../backends/sim/world.ts';
import { checkConfig } from '../engine/cluster/config-check.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { runCampaign } from '../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../scenarios/demo.ts';
import { newWorld, runScenario } from '../scenarios/run.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { heapLoop } from './calibration.ts';
import { median } from './fio.ts';
import type { Figure, Figures } from './report.ts';

/** How thoroughly, and where progress goes. */
export interface EngineBenchOptions {
  readonly quick: boolean;
  readonly log: Log;
}

type Log = (line: string) => void;

/** Bars, and what the calibration loop does on the machine of reference/simulation.md §4.1. */
const EVENTS_BAR = 500_000;
const RUNS_BAR = 30;
const TIME_BAR = 100;
const HEAP_REFERENCE = 12_400_000;

/** Long enough after its start that nearly all of a busy run is the steady state. */
const BUSY_SECONDS = 120;
const BUSY: Workload = {
  iops: 1000,
  reads: 45,
  flushes: 4,
  fua: 6,
  zeroes: 0,
  hot: 50,
  scattered: 40,
  bursts: 0,
};

/** Measures in turns and returns the medians. */
export function benchEngine({ quick, log }: EngineBenchOptions): Figures {
  const rounds = quick ? 2 : 7;
  const runs = quick ? 20 : 40;
  const world = newWorld();
  const busy = busyScenario(quick ? 61 : BUSY_SECONDS);
  // Until the compiler of the runtime has seen enough: a campaign is thousands of runs. Right after
  // its start a process does little but compile.
  swarm(world, 1, quick ? 120 : 600, log);
  runScenario(busy, 1, {}, world);
  heapLoop(500_000);
  const seen = { events: [] as number[], runs: [] as number[], time: [] as number[] };
  const loops: number[] = [];
  const calibrate = (): string => {
    const operations = quick ? 500_000 : 3_000_000;
    const rate = operations / cpuSecondsOf(() => heapLoop(operations));
    loops.push(rate);
    return `${(rate / 1e6).toFixed(1)} M`;
  };
  for (let round = 1; round <= rounds; round += 1) {
    const before = calibrate();
    let events = 0;
    const swarmed = cpuSecondsOf(() => {
      events = swarm(world, 1000 + round * runs, runs, log);
    });
    seen.events.push(events / swarmed);
    seen.runs.push(runs / swarmed);
    const between = calibrate();
    let simulated = 0;
    const took = cpuSecondsOf(() => {
      simulated = runScenario(busy, round, {}, world).simSeconds;
    });
    seen.time.push(simulated / took);
    log(
      `engine round ${round}/${rounds}: ${Math.round(events / swarmed)} events and ` +
        `${(runs / swarmed).toFixed(1)} runs per CPU second, 1000 IOPS at ` +
        `${(simulated / took).toFixed(0)} times real time; heap loop ${before}, ${between}`,
    );
  }
  return {
    'engine-events-per-cpu-second': figure(seen.events, EVENTS_BAR, 'events/CPU s (peer: bar)'),
    'runs-per-cpu-second': figure(seen.runs, RUNS_BAR, 'runs/CPU s (peer: bar)'),
    'simulated-to-cpu-time-1000-iops': figure(seen.time, TIME_BAR, 'sim s/CPU s (peer: bar)'),
    'calibration-heap-ops': figure(loops, HEAP_REFERENCE, 'push+pop/CPU s (peer: reference)'),
  };
}

/** A campaign of random faults, as `understudy rehearse --faults swarm` does it. */
function swarm(world: World, seed: number, runs: number, log: Log): number {
  const result = runCampaign({ config: DEMO_CONFIG, mode: 'swarm', seed, runs }, undefined, world);
  for (const { seed: broken, law } of result.violations) log(`seed ${broken} breaks ${law}`);
  return result.events;
}

/** Two hosts and a witness, heartbeats of one second, 1000 requests per second, no fault. */
function busyScenario(seconds: number): Scenario {
  const config: ClusterConfig = {
    ...DEMO_CONFIG,
    timing: {
      ...DEMO_CONFIG.timing,
      heartbeat: 1_000_000,
      suspect: 3_000_000,
      pet: 2_200_000,
      grant: 4_500_000,
      election: 2_000_000,
    },
  };
  const [problem] = checkConfig(config);
  if (problem !== undefined) throw new Error(`no configuration to measure: ${problem.code}`);
  return {
    name: 'busy',
    title: '1000 requests per second, no fault',
    about: '',
    config,
    workload: BUSY,
    faults: [],
    laws: LAWS,
    seed: 1,
    duration: seconds * 1_000_000,
  };
}

/** Processor time of the whole process, so that garbage collection and compilers count too. */
function cpuSecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}

function figure(values: readonly number[], peer: number, unit: string): Figure {
  const ours = median(values);
  return { ours, peer, ratio: ours / peer, unit, command: 'npm run bench -- --only engine' };
}
