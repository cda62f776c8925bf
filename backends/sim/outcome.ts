/** What a run came to. */
import type { NodeId } from '../../engine/core/units.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import type { FaultFacts } from './fault-driver.ts';
import type { Finding, Law } from './oracle/verdict.ts';

/** What the world knows beside the faults, for the table of laws. */
export interface WorldFacts {
  /** At some moment no replica was left that had everything and had not lost power. */
  forgot: boolean;
}

/** When something was found, and which hosts' standing still could explain it; none is any. */
export interface Moment {
  readonly t: number;
  readonly nodes: readonly NodeId[];
}

/** Whether a finding breaks its law under these circumstances, or was only to be detected. */
export type Judge = (law: Law, faults: FaultFacts, world: WorldFacts, moment: Moment) => boolean;

export interface GroupOutcome {
  readonly group: string;
  readonly volume: string;
  /** Longest time without a successful request, and when it began. */
  readonly outage: number;
  readonly outageFrom: number;
  /** Hosts that became primary after the first, in order. */
  readonly tookOver: readonly NodeId[];
  /** Most bytes that only one replica had. */
  readonly dataAtRisk: number;
  /** Whether the run ended with the group waiting for a person. */
  readonly blocked: boolean;
  /** Whether acknowledged, unflushed writes may have been lost: no holder kept power. */
  readonly forgot: boolean;
}

export interface RunOutcome {
  readonly traceHash: string;
  readonly events: number;
  readonly simSeconds: number;
  readonly ios: number;
  readonly findings: readonly Finding[];
  readonly faultsFired: { readonly [kind: string]: number };
  readonly statesReached: { readonly [mark: string]: number };
  readonly groups: readonly GroupOutcome[];
  readonly crashes: number;
  readonly crashesWithIoInFlight: number;
  readonly watchdogResets: number;
  readonly resyncs: number;
  readonly timeline: readonly TimelineEvent[];
}
