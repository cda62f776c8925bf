/**
 * What the world outside sees of the trio model and may hold it to: writes begin, are acknowledged,
 * become part of what a new primary shows, or are gone for ever. No replica reads any of it.
 */
import { has, REPLICAS, type TrioState, Wrong } from './trio-state.ts';

/** A write of replica `i` begins; a deposed primary's can no longer take effect. */
export function begin(t: TrioState, i: number): void {
  t.begun += 1;
  const newer = t.at(t.primary);
  if (t.primary !== i && newer.primary && newer.active) t.gone |= bit(t.begun);
}

export function acknowledge(t: TrioState, i: number): void {
  const { write, members } = t.at(i);
  if (isGone(t, write)) t.wrong = Wrong.TwoEpochs;
  if (write > t.acknowledged) countOn(t, members, write);
  t.acknowledged = Math.max(t.acknowledged, write);
  t.promised = t.acknowledged;
}

/** A new primary shows what it has: later writes took no effect, this one did. */
export function activate(t: TrioState, i: number): void {
  const me = t.at(i);
  for (let write = me.cached + 1; write <= t.begun; write += 1) t.gone |= bit(write);
  if (me.cached > t.acknowledged) countOn(t, me.members, me.cached);
  t.acknowledged = me.cached;
  t.promised = me.cached;
  me.kept = 1;
}

/** Replica `i` loses power: what nobody has kept is excused, what was flushed is not. */
export function crash(t: TrioState, i: number): void {
  t.at(i).kept = 0;
  let kept = t.flushed;
  for (const k of REPLICAS) {
    const r = t.at(k);
    if (!r.up || !r.kept || isGone(t, r.cached)) continue;
    kept = Math.max(kept, Math.min(r.cached, t.acknowledged));
  }
  t.promised = Math.min(t.promised, kept);
}

/** The write takes effect by `members`: others may have it, and nobody counts on that. */
function countOn(t: TrioState, members: number, write: number): void {
  for (const k of REPLICAS) if (!has(members, k) && t.at(k).cached === write) t.at(k).kept = 0;
}

export function isGone(s: TrioState, write: number): boolean {
  return write > 0 && has(s.gone, write - 1);
}

function bit(write: number): number {
  return 1 << (write - 1);
}
