/**
 * "Why?" as a walk: every event names the event that was being handled when it arose, so the way
 * back to the first cause is read, not guessed.
 */
import type { Run } from './run.ts';
import { NOBODY, servers } from './servers.ts';

/** Steps of one walk; a chain that is longer is cut and says so. */
export const WALK_MAX = 500;

export interface Walk {
  /** From the event itself back to the first cause that is known. */
  readonly steps: readonly number[];
  /** The id that the last step names as its cause, when that event is not in the file. */
  readonly missing: string;
  /** The walk was cut at {@link WALK_MAX}. */
  readonly cut: boolean;
}

/** Walks from an event back to its root. */
export function walkBack(run: Run, ref: number): Walk {
  const steps: number[] = [];
  const seen = new Set<number>();
  let at = ref;
  // A damaged file could hold a circle.
  while (at >= 0 && !seen.has(at) && steps.length < WALK_MAX) {
    steps.push(at);
    seen.add(at);
    at = run.cause(at);
  }
  const last = steps.at(-1)!;
  const cause = run.at(last).cause ?? '';
  return {
    steps,
    missing: at < 0 ? cause : '',
    cut: at >= 0 && steps.length === WALK_MAX,
  };
}

/** How long after its end a fault is still worth naming, in microseconds. */
const AFTERMATH = 3_000_000;
/** Faults named at most. */
const FAULTS_MAX = 6;

/**
 * Faults of the simulated world that were in force at a moment, or had just ended. The engine
 * cannot name them as causes, because it cannot know of them; a reader of a rehearsal can.
 */
export function faultsAt(run: Run, time: number): number[] {
  const begun = new Map<number, { ref: number; until: number }>();
  for (const ref of run.faults) {
    if (run.time(ref) > time) break;
    const event = run.at(ref);
    const number = typeof event.d['fault'] === 'number' ? event.d['fault'] : -1;
    if (event.kind === 'fault.healed') {
      for (const fault of begun.values()) fault.until = Math.min(fault.until, run.time(ref));
    } else if (event.kind === 'fault.over') {
      const fault = begun.get(number);
      if (fault !== undefined) fault.until = Math.min(fault.until, run.time(ref));
    } else begun.set(number, { ref, until: Number.POSITIVE_INFINITY });
  }
  return [...begun.values()]
    .filter(({ ref, until }) => {
      // What strikes once, such as a kill, has no end of its own.
      const struck = ONCE.includes(run.kind(ref)) ? run.time(ref) : until;
      return struck + AFTERMATH >= time;
    })
    .map(({ ref }) => ref)
    .slice(-FAULTS_MAX);
}

const ONCE = ['fault.kill-core', 'fault.kill-monitor', 'fault.switch', 'fault.bit-rot'];

/** The last take-over at or before `time`, else the first after it; -1 when there is none. */
export function takeOver(run: Run, time: number): number {
  const before = run.takeOvers.filter((ref) => run.time(ref) <= time);
  return before.at(-1) ?? run.takeOvers[0] ?? -1;
}

/**
 * The longest time in which nobody served a group that had been served before, as the event that
 * explains it best: the decision that blocked the group, else what ended its service. -1 for none.
 */
export function outage(run: Run): number {
  let longest = 0;
  let found = -1;
  for (const { name } of run.names.groups) {
    const track = run.tracks.find('serving', 0, name);
    if (track === undefined) continue;
    const { series, values } = track;
    let served = false;
    for (let at = 0; at < series.length; at++) {
      const value = values[series.values[at]!]!;
      served ||= servers(value).length > 0;
      const until = at + 1 < series.length ? series.times[at + 1]! : run.end;
      const since = series.times[at]!;
      if (!served || value !== NOBODY || until - since <= longest) continue;
      longest = until - since;
      found = blockedIn(run, name, since, until) ?? series.refs[at]!;
    }
  }
  return found;
}

function blockedIn(run: Run, group: string, since: number, until: number): number | null {
  const blocked = run.kinds.indexOf('group.blocked');
  if (blocked < 0) return null;
  for (let ref = run.all.lowerBound(since); ref < run.length && run.time(ref) < until; ref++) {
    if (run.all.values[ref] === blocked && run.at(ref).d['group'] === group) return ref;
  }
  return null;
}

/** What the journal of a node that fell silent holds. */
export interface LastWords {
  readonly node: number;
  /** Its last event before it was missed, and its first one after; -1 for none. */
  readonly last: number;
  readonly next: number;
  /** What it, or its monitor, says of that time. */
  readonly told: readonly number[];
}

/** A monitor may notice a death a little after the peers miss the dead. */
const TOLD_AFTER = 3_000_000;
/** How long before its last heartbeat something may have begun that ended in silence. */
const TOLD_BEFORE = 3_000_000;
const TELLING = [
  'host.core-ended',
  'host.core-lost',
  'host.core-silent',
  'host.core-exhausted',
  'host.refused',
  'host.stopping',
  'operator.command',
  'mirror.disk.failed',
  'lease.lapsed',
];

/**
 * What a silent node's own journal says: nobody recorded it as the cause, since nobody who lived
 * saw it. Null for an event that misses no node, and in a simulated world, which knows better.
 */
export function lastWords(run: Run, ref: number): LastWords | null {
  const { kind, d } = run.at(ref);
  const node = d['peer'];
  if (run.names.simulated || typeof node !== 'number') return null;
  if (kind !== 'link.down' && kind !== 'peer.suspect') return null;
  const time = run.time(ref);
  const silent = typeof d['silent'] === 'number' ? d['silent'] : 0;
  let last = -1;
  let next = -1;
  const told: number[] = [];
  for (const lane of run.lanes.all) {
    if (lane.node !== node) continue;
    const { refs, length } = lane.events;
    let at = lane.events.lastAt(time);
    while (at >= 0 && refs[at]! > ref) at--;
    if (at >= 0) last = Math.max(last, refs[at]!);
    if (at + 1 < length) next = next < 0 ? refs[at + 1]! : Math.min(next, refs[at + 1]!);
    const from = lane.events.lowerBound(time - silent - TOLD_BEFORE);
    for (let i = from; i < length && run.time(refs[i]!) <= time + TOLD_AFTER; i++) {
      if (TELLING.includes(run.kind(refs[i]!))) told.push(refs[i]!);
    }
  }
  return { node, last, next, told: told.filter((one) => one !== last).sort((a, b) => a - b) };
}
