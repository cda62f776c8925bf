/** Writes both streams of a simulated run to files that the viewer and every reader take. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { engineHash } from '../../backends/real/engine-hash.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { encodeEvent, encodeHeader } from '../../engine/timeline/codec.ts';
import { TIMELINE_SCHEMA } from '../../engine/timeline/event.ts';
import type { FlightReel } from '../../engine/timeline/flight.ts';
import type { RunResult } from '../../scenarios/run.ts';
import { type Scenario, writeScenario } from '../../scenarios/scenario.ts';
import { BUILD } from '../version.ts';

/** Writes `result` to `file`; `command` is what replays it. */
export function writeTimeline(
  file: string,
  config: ClusterConfig,
  scenario: Scenario,
  result: RunResult,
  command: string,
): void {
  const header = encodeHeader({
    schema: TIMELINE_SCHEMA,
    build: BUILD,
    engineHash: engineHash(),
    configHash: createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16),
    config,
    // Simulated clocks begin with the world; clock rate errors show as they were.
    clockMap: config.nodes.map(({ id }) => ({ node: id, mono: 0, wall: 0 })),
    replay: { command, seed: result.seed, schedule: writeScenario(scenario).faults },
  });
  writeFileSync(file, [header, ...result.timeline.map(encodeEvent)].join(''));
}

/** Where the flight recording of a timeline file stands: beside it. */
export function flightFile(timeline: string): string {
  return `${timeline.replace(/\.jsonl$/, '')}.flight`;
}

/** Writes all lives of the run's data actors beside the timeline. */
export function writeFlights(timeline: string, flights: readonly FlightReel[]): void {
  writeFileSync(flightFile(timeline), Buffer.concat(flights.map((reel) => reel.recording())));
}
