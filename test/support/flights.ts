/** Flight recordings of simulated runs, for the tests of the recorder's parts. */
import { FlightReel, type FlightRing } from '../../engine/timeline/flight.ts';
import { type Flight, readFlights } from '../../engine/timeline/flight-reader.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG, demoWith } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

/** The same volume with checksums. */
export const SUMMED: typeof DEMO_CONFIG = demoWith({ checksums: true, logicalBlock: 4096 });

/** One scenario of a swarm. */
function swarmScenario(seed: number): Scenario {
  return campaignScenario({ config: DEMO_CONFIG, mode: 'swarm', seed, runs: 1 }, seed);
}

/** All lives of the data actors of one run of a swarm, in segments of `segmentBytes`. */
export function recorded(
  seed: number,
  canaries: ReadonlySet<string> = new Set(),
  segmentBytes?: number,
): FlightReel[] {
  const flights: FlightReel[] = [];
  const world = newWorld(flights, 'dev', segmentBytes);
  runScenario(swarmScenario(seed), seed, { canaries }, world);
  return flights;
}

/** All lives of the data actors of one run in which disks do wrong, and people look for it. */
export function recordedComparisons(seed: number, config = DEMO_CONFIG): FlightReel[] {
  const flights: FlightReel[] = [];
  const shard = { config, mode: 'disks', seed, runs: 1 } as const;
  runScenario(campaignScenario(shard, seed), seed, {}, newWorld(flights));
  return flights;
}

/** All lives of the data actors of one run of a scenario of the library. */
export function recordedScenario(name: string, seed: number): FlightReel[] {
  const scenario = LIBRARY.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario is called ${name}`);
  const flights: FlightReel[] = [];
  runScenario(scenario, seed, {}, newWorld(flights));
  return flights;
}

/** Trace hash of one run of a swarm, recorded or not. */
export function traceHash(seed: number, flights: FlightReel[] | null): string {
  return runScenario(swarmScenario(seed), seed, {}, newWorld(flights)).traceHash;
}

/** The longest life of a run. */
export function longest(reels: readonly FlightReel[]): FlightReel {
  return reels.reduce((a, b) => (b.segments.length > a.segments.length ? b : a), new FlightReel());
}

/** The one life that a reel holds. */
export function flightOf(reel: FlightReel): Flight {
  const [flight, ...others] = readFlights(reel.recording());
  if (flight === undefined || others.length > 0) throw new Error('a reel holds one life');
  return flight;
}

/** Copies a reel into a ring as a recorder would have written it there. */
export function intoRing(reel: FlightReel, ring: FlightRing): void {
  for (const segment of reel.segments) {
    const view = new DataView(segment.buffer);
    ring.segment(view.getFloat64(16, true)).set(segment);
  }
}
