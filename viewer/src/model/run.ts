/**
 * A timeline in memory: columns for what is drawn, the lines themselves for what is shown in full.
 * Events are parsed again when somebody looks at them, because a million objects would cost
 * several times what their text costs.
 */
import type { TimelineSink } from '../../../engine/timeline/codec.ts';
import { parseEvent } from '../../../engine/timeline/codec.ts';
import type { TimelineEvent, TimelineHeader } from '../../../engine/timeline/event.ts';
import { Axis } from './axis.ts';
import { fold } from './fold.ts';
import { IdIndex } from './ids.ts';
import { SEVERITY_VIOLATION, severityOf } from './kinds.ts';
import { type Lane, Lanes } from './lanes.ts';
import { Names } from './names.ts';
import { Series } from './series.ts';
import { Tracks } from './tracks.ts';

/** Effects shown of one event; a boot may have thousands. */
const EFFECTS_MAX = 32;

export class Run implements TimelineSink {
  /** The first header, null while none came. */
  heading: TimelineHeader | null = null;
  names: Names = new Names(null);
  readonly tracks: Tracks = new Tracks();
  lanes: Lanes = new Lanes(this.names, this.tracks);
  /** All events in order; `values` are indices of `kinds`, `refs` indices of `lanes.all`. */
  readonly all: Series = new Series();
  readonly kinds: string[] = [];
  /** How many events there are of each kind, by the same index. */
  readonly kindCounts: number[] = [];
  /** Indices of the broken laws. */
  readonly violations: number[] = [];
  /** Indices of what was done to the machines. */
  readonly faults: number[] = [];
  /** Indices of the events by which a group went to another node. */
  readonly takeOvers: number[] = [];
  readonly axis: Axis = new Axis();
  #lines: string[] = [];
  #ids = new IdIndex();
  #codes = new Map<string, number>();
  #causes = new Int32Array(1024);

  get length(): number {
    return this.all.length;
  }

  /** First moment on the axis: zero for a simulated run, whatever happened first. */
  get start(): number {
    return this.length === 0 ? 0 : Math.min(0, this.all.times[0]!);
  }

  /** Last moment on the axis. */
  get end(): number {
    return this.length === 0 ? 0 : this.all.times[this.length - 1]!;
  }

  /** The first header names the lanes; a later one only moves clocks. */
  header(header: TimelineHeader): void {
    this.axis.header(header);
    if (this.heading !== null) return;
    this.heading = header;
    this.names = new Names(header.config, header.replay !== undefined);
    if (this.length === 0) this.lanes = new Lanes(this.names, this.tracks);
  }

  /** Appends an event; one that is known already (a feed that reconnected) is left out. */
  event(event: TimelineEvent, line: string): void {
    const ref = this.length;
    if (!this.#ids.add(event.id, ref)) return;
    const time = this.axis.place(event);
    const severity = severityOf(event);
    const kind = this.#code(event.kind);
    const lane = this.lanes.of(event);
    this.all.push(time, kind, severity, lane.index);
    lane.events.push(time, kind, severity, ref);
    this.kindCounts[kind] = (this.kindCounts[kind] ?? 0) + 1;
    if (severity === SEVERITY_VIOLATION) this.violations.push(ref);
    if (event.kind.startsWith('fault.')) this.faults.push(ref);
    this.#noteCause(ref, event.cause);
    this.#lines.push(line);
    if (fold(this.tracks, this.names, event, time, ref)) this.takeOvers.push(ref);
  }

  /** The event itself. */
  at(ref: number): TimelineEvent {
    return parseEvent(this.#lines[ref]!)!;
  }

  time(ref: number): number {
    return this.all.times[ref]!;
  }

  kind(ref: number): string {
    return this.kinds[this.all.values[ref]!]!;
  }

  severity(ref: number): number {
    return this.all.severity(ref);
  }

  lane(ref: number): Lane {
    return this.lanes.all[this.all.refs[ref]!]!;
  }

  /** Where an event stands by its id, -1 when it is not here. */
  find(id: string): number {
    return this.#ids.find(id);
  }

  /** The line as it stood in the file. */
  line(ref: number): string {
    return this.#lines[ref]!;
  }

  /** Index of the cause, -1 for none or one that is not in the file. */
  cause(ref: number): number {
    const known = this.#causes[ref]!;
    if (known !== UNRESOLVED) return known;
    return this.find(this.at(ref).cause ?? '');
  }

  /** The first events that this one caused. */
  effects(ref: number): number[] {
    const found: number[] = [];
    for (let at = ref + 1; at < this.length && found.length < EFFECTS_MAX; at++) {
      if (this.#causes[at] === ref) found.push(at);
    }
    return found;
  }

  #noteCause(ref: number, cause: string | undefined): void {
    if (ref === this.#causes.length) {
      const wide = new Int32Array(ref * 2);
      wide.set(this.#causes);
      this.#causes = wide;
    }
    if (cause === undefined) {
      this.#causes[ref] = -1;
      return;
    }
    const found = this.#ids.find(cause);
    this.#causes[ref] = found < 0 || found === ref ? UNRESOLVED : found;
  }

  #code(kind: string): number {
    let code = this.#codes.get(kind);
    if (code === undefined) {
      code = this.kinds.length;
      this.kinds.push(kind);
      this.#codes.set(kind, code);
    }
    return code;
  }
}

/** The cause was not in the file when its effect was read. */
const UNRESOLVED = -2;
