/**
 * Makes one timeline of several journals, each of which one process wrote in the order in which it
 * saw things. Causes decide: no event stands before one that it names as its cause or read. Where
 * they are silent the clocks decide, shifted as little as causes demand (clock-shifts.ts). Pure:
 * the same journals give the same timeline, in whatever order they are handed in.
 */
import type { Micros, NodeId } from '../core/units.ts';
import { ClockBounds, type ClockShift } from './clock-shifts.ts';
import { encodeEvent, encodeHeader } from './codec.ts';
import {
  TIMELINE_SCHEMA,
  type TimelineEvent,
  type TimelineHeader,
  type TimelineMerge,
} from './event.ts';
import type { Journal } from './journal.ts';

/** A journal that ought to be there: the configuration names its node. */
export interface ExpectedJournal {
  readonly node: NodeId;
  /** Where it was looked for. */
  readonly name: string;
}

/** An event in its place. */
export interface MergedEvent {
  readonly event: TimelineEvent;
  /** Microseconds since 1970 on the shifted clock; null where no header maps the node's clock. */
  readonly time: Micros | null;
  /** What turns the event's own time into that one. */
  readonly offset: Micros | null;
}

export interface Merged {
  readonly header: TimelineHeader;
  readonly events: readonly MergedEvent[];
}

/** Maps of one node's clock this close are one clock; further apart, the host started anew. */
const ONE_CLOCK: Micros = 1_000_000;
/** Places are one number: journal and position. */
const PLACES = 0x1_0000_0000;

interface Clock {
  readonly node: NodeId;
  readonly offset: Micros;
}

interface Entry {
  readonly event: TimelineEvent;
  /** On the host's own idea of wall time; null without a map. */
  readonly wall: Micros | null;
  readonly clock: number;
  /** Places of the events that must stand before it. */
  before: readonly number[];
}

/** Merges; `expected` names journals that should have been among them. */
export function mergeJournals(
  journals: readonly Journal[],
  expected: readonly ExpectedJournal[] = [],
): Merged {
  const sorted = [...journals].sort(byName);
  const clocks = clocksOf(sorted);
  const found = collect(sorted, clocks);
  const shifts = settle(found.chains, clocks.length);
  const { events, disordered } = order(found.chains, shifts);
  const { duplicates, renamed } = found;
  const header = headerOf(sorted);
  const awaited = expected.length > 0 ? expected : nodesIn(header.config);
  const merge = noteOf(sorted, awaited, { clocks, shifts, duplicates, renamed, disordered });
  return { header: { ...header, merge }, events };
}

/** The lines of a timeline that every reader takes; a header moves a clock where it changes. */
export function* mergedLines({ header, events }: Merged): Iterable<string> {
  yield encodeHeader(header);
  const maps = new Map<NodeId, Micros>();
  for (const { event, offset } of events) {
    if (offset !== null && maps.get(event.node) !== offset) {
      maps.set(event.node, offset);
      const { schema, build, engineHash, configHash } = header;
      const clockMap = [{ node: event.node, mono: 0, wall: offset / 1000 }];
      yield encodeHeader({ schema, build, engineHash, configHash, config: null, clockMap });
    }
    yield encodeEvent(event);
  }
}

function byName(a: Journal, b: Journal): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return (a.segments[0]?.events[0]?.t ?? 0) - (b.segments[0]?.events[0]?.t ?? 0);
}

/** Every clock that some header maps; processes of one host share theirs. */
function clocksOf(journals: readonly Journal[]): readonly Clock[] {
  const clocks: Clock[] = [];
  for (const { segments } of journals) {
    for (const { header } of segments) {
      for (const { node, mono, wall } of header?.clockMap ?? []) {
        const offset = wall * 1000 - mono;
        if (clockAt(clocks, node, offset) < 0) clocks.push({ node, offset });
      }
    }
  }
  return clocks.sort((a, b) => a.node - b.node || a.offset - b.offset);
}

function clockAt(clocks: readonly Clock[], node: NodeId, offset: Micros): number {
  return clocks.findIndex((clock) => {
    return clock.node === node && Math.abs(clock.offset - offset) <= ONE_CLOCK;
  });
}

/** Entries of each journal, without those that another journal holds too, and their constraints. */
function collect(journals: readonly Journal[], clocks: readonly Clock[]) {
  const chains: Entry[][] = journals.map(() => []);
  const places = new Map<string, number>();
  /** Per journal: what an id of its own events became. */
  const renames = journals.map(() => new Map<string, string>());
  let duplicates = 0;
  let renamed = 0;
  for (const [at, { segments }] of journals.entries()) {
    const chain = chains[at] as Entry[];
    // A header that moves one node's clock leaves the others where they were.
    const offsets = new Map<NodeId, Micros>();
    for (const { header, events } of segments) {
      for (const { node, mono, wall } of header?.clockMap ?? []) {
        offsets.set(node, wall * 1000 - mono);
      }
      for (const original of events) {
        let event = original;
        const known = places.get(event.id);
        if (known !== undefined) {
          const other = chains[Math.floor(known / PLACES)]?.[known % PLACES]?.event;
          if (other !== undefined && encodeEvent(other) === encodeEvent(event)) {
            duplicates += 1;
            continue;
          }
          renamed += 1;
          event = { ...event, id: freshId(event.id, places) };
          renames[at]?.set(original.id, event.id);
        }
        const offset = offsets.get(event.node);
        const wall = offset === undefined ? null : event.t + offset;
        const clock = offset === undefined ? -1 : clockAt(clocks, event.node, offset);
        places.set(event.id, at * PLACES + chain.length);
        chain.push({ event, wall, clock, before: [] });
      }
    }
  }
  for (const [at, chain] of chains.entries()) {
    for (const [position, entry] of chain.entries()) {
      entry.before = placesBefore(entry.event, at * PLACES + position, places, renames[at]);
    }
  }
  return { chains, duplicates, renamed };
}

/** Two different events under one id: a folder was wiped, or an older program wrote it. */
function freshId(id: string, places: ReadonlyMap<string, number>): string {
  for (let n = 2; ; n++) {
    const fresh = `${id}~${n}`;
    if (!places.has(fresh)) return fresh;
  }
}

function placesBefore(
  { cause, reads }: TimelineEvent,
  own: number,
  places: ReadonlyMap<string, number>,
  renames: ReadonlyMap<string, string> | undefined,
): readonly number[] {
  const before: number[] = [];
  for (const id of cause === undefined ? (reads ?? []) : [cause, ...(reads ?? [])]) {
    const place = places.get(renames?.get(id) ?? id);
    if (place !== undefined && place !== own) before.push(place);
  }
  return before;
}

function settle(chains: readonly Entry[][], clocks: number): readonly ClockShift[] {
  const bounds = new ClockBounds(clocks);
  for (const chain of chains) {
    for (const { wall, clock, before } of chain) {
      if (wall === null) continue;
      for (const place of before) {
        const cause = chains[Math.floor(place / PLACES)]?.[place % PLACES];
        if (cause === undefined || cause.wall === null) continue;
        bounds.caused(cause.clock, cause.wall, clock, wall);
      }
    }
  }
  return bounds.settle();
}

/** Takes the earliest head whose causes are all there, again and again. */
function order(chains: readonly Entry[][], shifts: readonly ClockShift[]) {
  const events: MergedEvent[] = [];
  const next = chains.map(() => 0);
  /** Where each journal has got to: its own order counts for more than its clock. */
  const reached = chains.map(() => Number.NEGATIVE_INFINITY);
  let disordered = 0;
  for (;;) {
    let best = -1;
    let bestTime = 0;
    let blockedBest = -1;
    let blockedTime = 0;
    for (const [at, chain] of chains.entries()) {
      const entry = chain[next[at] ?? 0];
      if (entry === undefined) continue;
      const shift = shifts[entry.clock]?.shift ?? 0;
      const floor = reached[at] ?? Number.NEGATIVE_INFINITY;
      const time = entry.wall === null ? floor : Math.max(floor, entry.wall + shift);
      if (entry.before.every((place) => isOut(place, at, next))) {
        if (best < 0 || time < bestTime) [best, bestTime] = [at, time];
      } else if (blockedBest < 0 || time < blockedTime) [blockedBest, blockedTime] = [at, time];
    }
    if (best < 0) {
      if (blockedBest < 0) return { events, disordered };
      // A circle, which only a damaged or forged journal can hold.
      disordered += 1;
      [best, bestTime] = [blockedBest, blockedTime];
    }
    const entry = chains[best]?.[next[best] ?? 0] as Entry;
    const shift = shifts[entry.clock]?.shift ?? 0;
    const time = entry.wall === null ? null : entry.wall + shift;
    events.push({
      event: entry.event,
      time,
      offset: time === null ? null : time - entry.event.t,
    });
    next[best] = (next[best] ?? 0) + 1;
    reached[best] = bestTime;
  }
}

/** Whether what stands at `place` is out; within its own journal nothing is waited for. */
function isOut(place: number, own: number, next: readonly number[]): boolean {
  const chain = Math.floor(place / PLACES);
  return chain === own || place % PLACES < (next[chain] ?? 0);
}

interface Findings {
  readonly clocks: readonly Clock[];
  readonly shifts: readonly ClockShift[];
  readonly duplicates: number;
  readonly renamed: number;
  readonly disordered: number;
}

function noteOf(
  journals: readonly Journal[],
  expected: readonly ExpectedJournal[],
  findings: Findings,
): TimelineMerge {
  const { clocks, shifts, duplicates, renamed, disordered } = findings;
  const there = new Set<NodeId>();
  const read = journals.map(({ name, segments, damaged }) => {
    const nodes = nodesOf(segments);
    for (const node of nodes) there.add(node);
    const [node = 0] = nodes;
    const events = segments.reduce((sum, segment) => sum + segment.events.length, 0);
    return { node: nodes.size === 1 ? node : 0, name, events, damaged };
  });
  return {
    journals: read,
    missing: expected.filter(({ node }) => !there.has(node)),
    clocks: clocks.map(({ node }, at) => {
      const { shift, least, most, sound } = shifts[at] as ClockShift;
      return { node, shift, least, most, sound };
    }),
    duplicates,
    renamed,
    disordered,
  };
}

/** The nodes whose events a journal holds; of one without events, those whose clocks it maps. */
function nodesOf(segments: Journal['segments']): ReadonlySet<NodeId> {
  const nodes = new Set<NodeId>();
  for (const { header, events } of segments) {
    for (const { node } of events) nodes.add(node);
    if (events.length === 0) for (const { node } of header?.clockMap ?? []) nodes.add(node);
  }
  return nodes;
}

/** The newest configuration that a journal holds stands for all. */
function headerOf(journals: readonly Journal[]): TimelineHeader {
  let newest: TimelineHeader | null = null;
  let at = Number.NEGATIVE_INFINITY;
  for (const { segments } of journals) {
    for (const { header } of segments) {
      if (header === null || header.config === null) continue;
      const wall = Math.max(0, ...header.clockMap.map((point) => point.wall));
      if (wall <= at) continue;
      newest = header;
      at = wall;
    }
  }
  return {
    schema: TIMELINE_SCHEMA,
    build: newest?.build ?? '',
    engineHash: newest?.engineHash ?? '',
    configHash: newest?.configHash ?? '',
    config: newest?.config ?? null,
    clockMap: [],
    ...(newest?.replay === undefined ? {} : { replay: newest.replay }),
  };
}

/** The nodes that a configuration names; a header may hold anything. */
function nodesIn(config: unknown): readonly ExpectedJournal[] {
  const { nodes } = (config ?? {}) as { readonly nodes?: unknown };
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: { readonly id?: unknown; readonly name?: unknown } | null) => {
    const { id, name } = node ?? {};
    return typeof id === 'number' ? [{ node: id, name: String(name ?? id) }] : [];
  });
}
