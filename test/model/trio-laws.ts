/**
 * The laws that a state of the trio model can break, and what LAW-heals asks of it. They look at
 * replicas that serve now or that the log would let lead now: an application would see these.
 */
import type { TrioRule } from './rules.ts';
import { isGone } from './trio-promises.ts';
import { EVERYBODY, has, REPLICAS, Session, type TrioState, Wrong } from './trio-state.ts';

type Dropped = ReadonlySet<TrioRule>;

/** The first law that the state breaks, or null. */
export function trioViolation(s: TrioState, dropped: Dropped): string | null {
  if (s.wrong === Wrong.SplitBrain) return 'split brain';
  if (s.wrong === Wrong.TwoEpochs) return 'two epochs acknowledge';
  let servers = 0;
  for (const i of REPLICAS) {
    const serving = serves(s, i, dropped);
    if (serving) servers += 1;
    if (servers > 1) return 'two writable primaries';
    if (!serving && !mayLead(s, i, dropped)) continue;
    const { cached, stable } = s.at(i);
    if (cached < s.promised) {
      return s.promised === s.flushed ? 'flushed write lost' : 'acknowledged write lost';
    }
    if (stable < s.flushed) return 'flushed write in a volatile cache alone';
    if (isGone(s, cached)) return 'a write that never was comes back';
  }
  if (diverges(s)) return 'silent divergence';
  // A missing mark does no harm by itself: without a rule we look for the harm.
  return dropped.size === 0 && !covered(s) ? 'a difference that nobody knows' : null;
}

/** Whether an application could read and write through this replica now. */
export function serves(s: TrioState, i: number, dropped: Dropped): boolean {
  const me = s.at(i);
  return me.up === 1 && me.active === 1 && hasEverybody(s, i, dropped);
}

/** Every member that the primary knows of is in step, and who is in step is in its epoch. */
export function hasEverybody(s: TrioState, i: number, dropped: Dropped): boolean {
  const me = s.at(i);
  return REPLICAS.every((k) => {
    if (k === i) return true;
    const member = has(me.members, k);
    if (!inStep(s, i, k)) return !member;
    // RULE-18: who is about to be admitted counts as well.
    if (dropped.has('RULE-18') || (!member && dropped.has('RULE-18 for members only'))) return true;
    return s.at(k).epoch === me.epoch;
  });
}

/** Whether replica `k` has and gets everything that its primary `i` has. */
export function inStep(s: TrioState, i: number, k: number): boolean {
  const { leader, session } = s.at(k);
  return session === Session.Sync && leader === i;
}

/** Whether the log would give the volume to this replica now. */
export function mayLead(s: TrioState, i: number, dropped: Dropped): boolean {
  const me = s.at(i);
  if (!me.up || me.inconsistent || !has(s.members, i)) return false;
  // RULE-06: a rebooted member is not promoted while any other one may be alive.
  return !has(s.lost, i) || s.lost === s.members || dropped.has('RULE-06');
}

/** All three are members, and in step with a primary that serves. */
export function fullyRedundant(s: TrioState): boolean {
  return (
    s.members === EVERYBODY &&
    REPLICAS.some((i) => s.at(i).epoch === s.epoch && serves(s, i, new Set()))
  );
}

/** LAW-cover: of two replicas that differ, members or not, one knows it durably. */
function covered(s: TrioState): boolean {
  return REPLICAS.every((i) => {
    const me = s.at(i);
    return REPLICAS.every((k) => {
      const other = s.at(k);
      if (me.cached === other.cached || me.hot === 1 || other.hot === 1) return true;
      return has(me.dirty, k) || has(other.dirty, i);
    });
  });
}

/** A replica that follows in step, with nothing on the way, shows something else. */
function diverges(s: TrioState): boolean {
  return REPLICAS.some((i) => {
    const me = s.at(i);
    if (!me.up || !me.active || me.write !== 0) return false;
    return REPLICAS.some((k) => k !== i && inStep(s, i, k) && s.at(k).cached !== me.cached);
  });
}
