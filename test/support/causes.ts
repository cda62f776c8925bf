/**
 * Runs whose timelines are looked through for causes, and the look itself: which events say what
 * they arose from, which began a chain of their own, and which ought to have said something.
 */
import { fileURLToPath } from 'node:url';
import { isOfSimulation } from '../../backends/sim/events.ts';
import { loadConfig } from '../../cli/config/load.ts';
import { scaledConfig } from '../../cli/rehearse/scaled.ts';
import { CLUSTER_BEGINS } from '../../engine/cluster/events.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { MIRROR_BEGINS } from '../../engine/mirror/catalogue.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { campaignScenario, type Shard } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG, demoAsync, demoThird, demoWith } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { CROSSED_CONFIG, TRIO_CONFIG } from './trio-configs.ts';

/** A set of runs with a name. */
export interface CauseRuns {
  readonly name: string;
  readonly config: ClusterConfig;
  readonly mode: Shard['mode'];
}

/** With checksums, and compared every few seconds. */
const SUMMED = demoWith({
  checksums: true,
  logicalBlock: 4096,
  verify: { every: 8_000_000, level: 'digest', bytesPerSecond: 0 },
});

function example(name: string): ClusterConfig {
  const path = fileURLToPath(new URL(`../../examples/${name}.yaml`, import.meta.url));
  return scaledConfig(loadConfig(path).config);
}

/** The configurations and kinds of trouble in which every event is asked for its cause. */
export function causeRuns(): readonly CauseRuns[] {
  return [
    { name: 'two nodes, swarm', config: DEMO_CONFIG, mode: 'swarm' },
    { name: 'two nodes, disks', config: DEMO_CONFIG, mode: 'disks' },
    { name: 'two nodes with checksums, disks', config: SUMMED, mode: 'disks' },
    { name: 'two nodes, splits', config: DEMO_CONFIG, mode: 'splits' },
    { name: 'two nodes, receipts', config: DEMO_CONFIG, mode: 'receipts' },
    { name: 'asynchronous pair, swarm', config: demoAsync(), mode: 'swarm' },
    { name: 'pair and a far third, swarm', config: demoThird(), mode: 'swarm' },
    { name: 'asynchronous example, disks', config: example('asynchronous'), mode: 'disks' },
    { name: 'three replicas, swarm', config: TRIO_CONFIG, mode: 'swarm' },
    { name: 'three replicas, disks', config: TRIO_CONFIG, mode: 'disks' },
    { name: 'crossed pairs, swarm', config: CROSSED_CONFIG, mode: 'swarm' },
    { name: 'three nodes example, swarm', config: example('three-nodes'), mode: 'swarm' },
    { name: 'semi-sync example, receipts', config: example('semi-sync'), mode: 'receipts' },
    { name: 'database example, swarm', config: example('database'), mode: 'swarm' },
    { name: 'database example, splits', config: example('database'), mode: 'splits' },
  ];
}

/** The timelines of every scenario of the library, each with its name. */
export function* libraryTimelines(): Generator<{
  readonly name: string;
  readonly timeline: readonly TimelineEvent[];
}> {
  const world = newWorld();
  for (const scenario of LIBRARY) {
    const { timeline } = runScenario(scenario, scenario.seed, { timeline: true }, world);
    yield { name: scenario.name, timeline };
  }
}

/** The timelines of `runs` runs from `seed` on, each with its seed. */
export function* timelinesOf(
  { config, mode }: CauseRuns,
  seed: number,
  runs: number,
): Generator<{ readonly seed: number; readonly timeline: readonly TimelineEvent[] }> {
  const world = newWorld();
  for (let run = seed; run < seed + runs; run += 1) {
    const scenario = campaignScenario({ config, mode, seed: run, runs: 1 }, run);
    const { timeline } = runScenario(scenario, run, { timeline: true }, world);
    yield { seed: run, timeline };
  }
}

/** Why events of a kind may begin a chain of causes; undefined where they may not. */
export function beginsBy(kind: string): string | undefined {
  if (isOfSimulation(kind)) return 'The world that the engine is in.';
  return (CLUSTER_BEGINS as { readonly [kind: string]: string })[kind] ?? MIRROR_BEGINS[kind];
}

/**
 * Breaches of the law of causes: an event whose kind may not begin a chain has a cause, and a cause
 * is an event that stands earlier, of this node or another. Each as a line of words.
 */
export function breachesIn(timeline: readonly TimelineEvent[]): string[] {
  const breaches: string[] = [];
  const earlier = new Set<string>();
  for (const { id, kind, cause } of timeline) {
    if (cause === undefined) {
      if (beginsBy(kind) === undefined) breaches.push(`${kind} ${id} has no cause`);
    } else if (!earlier.has(cause)) breaches.push(`${kind} ${id} is before its cause ${cause}`);
    earlier.add(id);
  }
  return breaches;
}

/** From an event back to the one that began its chain, itself first. */
export function walkFrom(
  event: TimelineEvent,
  timeline: readonly TimelineEvent[],
): readonly TimelineEvent[] {
  // After the loss of a node's store its ids begin anew: the last one before the effect is meant.
  const byId = new Map<string, TimelineEvent>();
  for (const each of timeline) {
    byId.set(each.id, each);
    if (each === event) break;
  }
  const walk = [event];
  for (let at = event; at.cause !== undefined; ) {
    const cause = byId.get(at.cause);
    if (cause === undefined || walk.includes(cause)) break;
    walk.push(cause);
    at = cause;
  }
  return walk;
}
