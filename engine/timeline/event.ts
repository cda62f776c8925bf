/**
 * One event of the decisions stream: the same simulated and real (design.md §7).
 *
 * `kind` is a code of the catalogue in viewer/ (prose is never written here). `d` holds its
 * parameters: numbers, strings and booleans only, so that every reader can print them.
 */
import type { Micros, NodeId } from '../core/units.ts';

/**
 * Version of the schema; readers accept this one and the one before. In version 1 the events of a
 * data actor did not name their volume, and those of two volumes of one node could share an id.
 */
export const TIMELINE_SCHEMA = 2;

/** First line of a timeline file. */
export interface TimelineHeader {
  readonly schema: number;
  /** Version of the program. */
  readonly build: string;
  /** Hash of the sources of the engine that decided: 16 hexadecimal digits. */
  readonly engineHash: string;
  /** Hash of the configuration, and the configuration itself for the viewer's lanes. */
  readonly configHash: string;
  readonly config: unknown;
  /**
   * Per node: how to turn its monotonic clock into wall time. `wall` is milliseconds since 1970
   * at the node's monotonic time `mono` (µs). Simulated runs have wall 0 at mono 0.
   */
  readonly clockMap: readonly { node: NodeId; mono: Micros; wall: number }[];
  /** For a simulated run: what replays it. */
  readonly replay?: { readonly command: string; readonly seed: number; readonly schedule: unknown };
  /** For a timeline made of several journals: what it was made of, and what was estimated. */
  readonly merge?: TimelineMerge;
}

/** How a timeline came out of several journals. */
export interface TimelineMerge {
  /** What was read; node 0 where a file holds the events of several nodes. */
  readonly journals: readonly {
    readonly node: NodeId;
    readonly name: string;
    readonly events: number;
    /** Lines left out. */
    readonly damaged: number;
  }[];
  /** Nodes of the configuration without a journal, and where it was looked for. */
  readonly missing: readonly { readonly node: NodeId; readonly name: string }[];
  /**
   * One for each clock: what was added to it, in microseconds, and what causes allow against the
   * other clocks, null without a bound. A `shift` of 0 is the host's own wall clock. Unsound where
   * the bounds contradict each other.
   */
  readonly clocks: readonly {
    readonly node: NodeId;
    readonly shift: Micros;
    readonly least: Micros | null;
    readonly most: Micros | null;
    readonly sound: boolean;
  }[];
  /** Events that stood in several journals. */
  readonly duplicates: number;
  /** Events whose id another event had: they got another. */
  readonly renamed: number;
  /** Events that had to stand before one of their causes. */
  readonly disordered: number;
}

/**
 * Id of the event in which a core starts: the first that its control actor writes. What the rest
 * of the core does of itself at its beginning is caused by it.
 */
export function startOf(node: NodeId, session: number): string {
  return `${node}.${session}.c1`;
}

export type TimelineValue = number | string | boolean;

export interface TimelineEvent {
  /**
   * Unique: "node.session.cN" of a control actor, "node.session.volume.N" of a data actor, where
   * session counts the core's starts on that node; "node.world.N" of the simulated world, and
   * "node.hRUN.N" of a real host's monitor, where RUN tells its own runs apart.
   */
  readonly id: string;
  /** The node's monotonic time. */
  readonly t: Micros;
  readonly node: NodeId;
  readonly kind: string;
  /** The event being handled when this one arose; for a received message, the sender's event. */
  readonly cause?: string;
  /** Ids of the facts that a decision read. */
  readonly reads?: readonly string[];
  readonly d: { readonly [name: string]: TimelineValue };
}
