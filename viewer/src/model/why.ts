/**
 * "Why?" as a walk: every event names the event that was being handled when it arose, so the way
 * back to the first cause is read, not guessed.
 */
import type { Run } from './run.ts';

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

const ONCE = ['fault.kill-core', 'fault.kill-monitor', 'fault.switch'];

/** The last take-over at or before `time`, else the first after it; -1 when there is none. */
export function takeOver(run: Run, time: number): number {
  const before = run.takeOvers.filter((ref) => run.time(ref) <= time);
  return before.at(-1) ?? run.takeOvers[0] ?? -1;
}
