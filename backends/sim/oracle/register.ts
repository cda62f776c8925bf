/**
 * LAW-register: each 512-byte sector is a strictly linearizable register.
 *
 * Writes carry unique stamps, so a history is linearizable exactly if the zones of its values do
 * not conflict (Gibbons and Korach): a value's operations span from their first completion `f` to
 * their last invocation `s`, and two values conflict when f(u) < s(v) and f(v) < s(u). The check is
 * incremental: a sector keeps only the values that a read might still return. Without concurrency
 * that is one.
 *
 * Strict: a write that is pending when its session ends takes effect before the next session's
 * first success or never: its `f` is that moment, as soon as anybody reads it.
 */
import type { ArrayPool } from '../arrays.ts';
import { type History, Request } from '../history.ts';
import { Spoils } from '../spoils.ts';
import { Orphan } from './truth.ts';
import type { Verdict } from './verdict.ts';

/** Stands for "any value not older than the last flushed one". */
const UNCERTAIN = -1;

export class RegisterOracle {
  readonly #history: History;
  readonly #verdict: Verdict;
  readonly #spoils: Spoils;
  /** Sectors of which nobody can know any more what they hold: see truth.ts. */
  readonly #orphaned: Uint8Array;
  /** Whether the engine must have known that what was read of a sector is spoiled. */
  readonly #mustKnow: (sector: number, stamp: number) => boolean;
  /** Latest moment of invocation among the flushed writes of each sector. */
  readonly #flushed: Int32Array;
  // The newest value of each sector: stamp, f, s.
  readonly #stamp: Int32Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  /** Operations in flight on each sector. */
  readonly #pending: Int32Array;
  /** Other values that are still possible, as triples, and which sectors have any. */
  readonly #more = new Map<number, number[]>();
  readonly #several: Int32Array;
  /** The values of one sector while an operation is added; empty between two. */
  readonly #joined: number[] = [];
  /** What a decision kept, where it is known stable, and when it was made; -1 for none. */
  #floor: Int32Array | null = null;
  #decidedAt = -1;
  /** When all holders had lost what no flush covered last; 0 for never. */
  #forgotAt = 0;

  constructor(
    name: string,
    pool: ArrayPool,
    sectors: number,
    history: History,
    flushed: Int32Array,
    verdict: Verdict,
    spoils: Spoils = new Spoils(),
    orphaned: Uint8Array = new Uint8Array(sectors),
    mustKnow: (sector: number, stamp: number) => boolean = () => false,
  ) {
    this.#mustKnow = mustKnow;
    this.#spoils = spoils;
    this.#orphaned = orphaned;
    this.#history = history;
    this.#verdict = verdict;
    this.#flushed = flushed;
    this.#stamp = pool.ints(`${name}.reg.stamp`, sectors);
    this.#first = pool.ints(`${name}.reg.first`, sectors);
    this.#last = pool.ints(`${name}.reg.last`, sectors);
    this.#pending = pool.ints(`${name}.reg.pending`, sectors);
    this.#several = pool.ints(`${name}.reg.several`, sectors);
  }

  invoked(op: number): void {
    this.#count(op, 1);
  }

  /** The operation will not be answered any more. */
  dropped(op: number): void {
    this.#count(op, -1);
  }

  /** A write completed with success. */
  written(op: number): void {
    const { sector, length, completed, invoked } = this.#history;
    const from = sector[op] as number;
    const to = from + (length[op] as number);
    const f = completed[op] as number;
    const s = invoked[op] as number;
    const pending = this.#pending;
    const first = this.#first;
    const stamp = this.#stamp;
    const last = this.#last;
    const several = this.#several;
    for (let at = from; at < to; at += 1) {
      const left = (pending[at] as number) - 1;
      pending[at] = left;
      if (left === 0 && (first[at] as number) < s && stamp[at] !== op && several[at] === 0) {
        stamp[at] = op;
        first[at] = f;
        last[at] = s;
      } else this.#slow(at, op, f, s);
    }
  }

  /**
   * A write of a session that was over is acknowledged all the same: it took effect before the next
   * session's first success. False when what was seen since says otherwise.
   */
  late(op: number): boolean {
    const { sector, length, closed, invoked } = this.#history;
    const from = sector[op] as number;
    let agrees = true;
    for (let at = from; at < from + (length[op] as number); at += 1) {
      agrees = this.#slow(at, op, closed[op] as number, invoked[op] as number) && agrees;
    }
    return agrees;
  }

  /** A read completed with success and found `stamps` from `base` on. */
  read(op: number, stamps: Int32Array, base: number): void {
    const { sector, length, completed, invoked, node } = this.#history;
    const from = sector[op] as number;
    const count = length[op] as number;
    const s = invoked[op] as number;
    const f = completed[op] as number;
    const pending = this.#pending;
    const newest = this.#stamp;
    const last = this.#last;
    const several = this.#several;
    for (let i = 0; i < count; i += 1) {
      const at = from + i;
      pending[at] = (pending[at] as number) - 1;
      let stamp = stamps[base + i] as number;
      if (this.#spoils.spoiled(stamp)) {
        if (this.#mustKnow(at, stamp)) this.#breach(op, at, stamp);
        else this.#witness(op, at, stamp);
        stamp = this.#spoils.ought(stamp);
      }
      if (stamp === newest[at] && several[at] === 0) {
        if (s > (last[at] as number)) last[at] = s;
      } else if (!this.#returned(at, stamp, f, s)) {
        if (this.#orphaned[at] === Orphan.Everywhere) {
          this.#witness(op, at, stamp);
          continue;
        }
        this.#verdict.find('LAW-register', node[op] as number, 'register.stale-read', {
          sector: at,
          got: stamp,
          expected: this.#stamp[at] as number,
          read: op,
        });
        return;
      }
    }
  }

  #witness(op: number, sector: number, stamp: number): void {
    const [node, d] = this.#spoiled(op, sector, stamp);
    this.#verdict.witness('LAW-register', node, 'register.spoiled-read', d);
  }

  #breach(op: number, sector: number, stamp: number): void {
    const [node, d] = this.#spoiled(op, sector, stamp);
    this.#verdict.find('LAW-register', node, 'register.spoiled-read', d);
  }

  #spoiled(op: number, sector: number, stamp: number) {
    const got = this.#spoils.content(stamp);
    const d = { sector, got, expected: this.#stamp[sector] as number };
    return [this.#history.node[op] as number, d] as const;
  }

  /**
   * The first sector of which a read that began now could not return what `view` has; or -1. Of
   * those that were written anew after `until` nothing is asked.
   */
  firstRefused(view: Int32Array, until: number = Number.POSITIVE_INFINITY): number {
    const newest = this.#stamp;
    for (let at = 0; at < view.length; at += 1) {
      const held = view[at] as number;
      if (held === newest[at] || this.#orphaned[at] === Orphan.Everywhere) continue;
      const stamp = this.#spoils.ought(held);
      if (stamp === newest[at] || (this.#last[at] as number) > until) continue;
      if (!this.admits(at, stamp)) return at;
    }
    return -1;
  }

  /** Whether a read that began now could return `stamp`. */
  admits(at: number, stamp: number): boolean {
    if (stamp === this.#stamp[at] && stamp !== UNCERTAIN) return true;
    const { closed } = this.#history;
    if (this.#several[at] === 0) {
      // Nearly everywhere there is one value: no list of them is made.
      const uncertain = this.#stamp[at] === UNCERTAIN;
      if (uncertain && this.#survived(at, stamp, this.#first[at] as number)) return true;
      if (!this.#isOpen(stamp, at)) return false;
      const by = closed[stamp] as number;
      return by === 0 || by >= (this.#last[at] as number);
    }
    const values = this.#values(at);
    for (let i = 0; i < values.length; i += 3) {
      if (values[i] === stamp) return true;
      if (values[i] === UNCERTAIN && this.#survived(at, stamp, values[i + 1] as number))
        return true;
    }
    if (!this.#isOpen(stamp, at)) return false;
    const f = closed[stamp] as number;
    if (f === 0) return true;
    for (let i = 0; i < values.length; i += 3) {
      if (f < (values[i + 2] as number)) return false;
    }
    return true;
  }

  /**
   * Whether a write that completed at `done` may be gone, and `stamp` be in its place: every holder
   * had lost it, and nobody has seen since what of it was left.
   */
  mayBeGone(at: number, stamp: number, done: number): boolean {
    return done <= this.#forgotAt && this.admits(at, stamp);
  }

  /**
   * Every holder of the volume lost power at moment `t`: a sector may go back to any value that is
   * not older than its last flushed one.
   */
  forget(t: number): void {
    const { count, kind, sector, length } = this.#history;
    this.#forgotAt = t;
    this.#more.clear();
    this.#several.fill(0);
    for (let op = 1; op <= count; op += 1) {
      if (kind[op] !== Request.Write) continue;
      const from = sector[op] as number;
      const to = from + (length[op] as number);
      this.#stamp.fill(UNCERTAIN, from, to);
      this.#first.fill(t, from, to);
      this.#last.fill(0, from, to);
    }
  }

  /** By a committed decision the sector holds `stamp` from moment `t` on, whatever was promised. */
  decide(at: number, stamp: number, t: number): void {
    if (this.#several[at] === 1) this.#more.delete(at);
    this.#several[at] = 0;
    this.#stamp[at] = stamp;
    this.#first[at] = t;
    this.#last[at] = 0;
  }

  /**
   * By a committed decision each sector holds `content` since moment `t`, and that is stable: a
   * loss of power takes none of it. Null: it is decided, and not known stable yet.
   */
  rest(content: Int32Array | null, t: number): void {
    this.#floor = content;
    this.#decidedAt = t;
  }

  /** All that was promised so far, to be restored when a decision is taken back. */
  promises(): Promises {
    return {
      stamp: this.#stamp.slice(),
      first: this.#first.slice(),
      last: this.#last.slice(),
      several: this.#several.slice(),
      more: new Map([...this.#more].map(([at, values]) => [at, [...values]])),
      floor: this.#floor,
      decidedAt: this.#decidedAt,
      forgotAt: this.#forgotAt,
    };
  }

  restore(promises: Promises): void {
    const { stamp, first, last, several, more, floor, decidedAt, forgotAt } = promises;
    this.#forgotAt = forgotAt;
    this.#stamp.set(stamp);
    this.#first.set(first);
    this.#last.set(last);
    this.#several.set(several);
    this.#more.clear();
    for (const [at, values] of more) this.#more.set(at, [...values]);
    this.rest(floor, decidedAt);
  }

  /** Whether an operation is in flight on the sector. */
  isBusy(at: number): boolean {
    return (this.#pending[at] as number) > 0;
  }

  #count(op: number, by: number): void {
    const { kind, sector, length } = this.#history;
    if (kind[op] === Request.Flush) return;
    const from = sector[op] as number;
    const to = from + (length[op] as number);
    const pending = this.#pending;
    for (let at = from; at < to; at += 1) pending[at] = (pending[at] as number) + by;
  }

  /** All values of a sector, newest first, as triples (stamp, f, s). */
  #values(at: number): number[] {
    const newest = [this.#stamp[at] as number, this.#first[at] as number, this.#last[at] as number];
    const more = this.#several[at] === 0 ? undefined : this.#more.get(at);
    return more === undefined ? newest : newest.concat(more);
  }

  /** Whether `stamp` is among the sector's values. Asked for each sector of a read: no list. */
  #isKnown(at: number, stamp: number): boolean {
    if (stamp === this.#stamp[at]) return true;
    return this.#several[at] === 1 && stampIndex(this.#more.get(at) as number[], stamp) >= 0;
  }

  #returned(at: number, stamp: number, f: number, s: number): boolean {
    if (this.#isKnown(at, stamp)) return this.#slow(at, stamp, f, s);
    const { closed, invoked } = this.#history;
    const values = this.#values(at);
    const uncertain = stampIndex(values, UNCERTAIN);
    const since = uncertain < 0 ? 0 : (values[uncertain + 1] as number);
    if (uncertain >= 0 && this.#survived(at, stamp, since)) {
      // What the crash left behind is known from now on.
      this.#replace(at, values, uncertain);
      return this.#slow(at, stamp, since, s);
    }
    if (!this.#isOpen(stamp, at)) return false;
    const by = closed[stamp] as number;
    const first = by > 0 ? Math.min(by, f) : f;
    return this.#slow(at, stamp, first, Math.max(s, invoked[stamp] as number));
  }

  /** Takes `values` without the one at `index` as the sector's state. */
  #replace(at: number, values: number[], index: number): void {
    values.splice(index, 3);
    if (values.length === 0) {
      this.#more.delete(at);
      this.#several[at] = 0;
      this.#stamp[at] = 0;
      this.#first[at] = 0;
      this.#last[at] = 0;
    } else this.#store(at, values);
  }

  #store(at: number, values: number[]): void {
    this.#stamp[at] = values[0] as number;
    this.#first[at] = values[1] as number;
    this.#last[at] = values[2] as number;
    if (values.length === 3) {
      if (this.#several[at] === 1) this.#more.delete(at);
      this.#several[at] = 0;
      return;
    }
    const others = this.#several[at] === 1 ? this.#more.get(at) : undefined;
    if (others === undefined) this.#more.set(at, values.slice(3));
    else {
      // The list there is: in a hot sector a new one each time would be half of all memory used.
      for (let i = 3; i < values.length; i += 1) others[i - 3] = values[i] as number;
      while (others.length > values.length - 3) others.pop();
    }
    this.#several[at] = 1;
  }

  /** Adds an operation on `stamp` spanning (f, s); false when its value conflicts with another. */
  #slow(at: number, stamp: number, f: number, s: number): boolean {
    if (this.#several[at] === 0) return this.#second(at, stamp, f, s);
    const known = this.#more.get(at) as number[];
    const values = this.#joined;
    values.push(stamp, f, s);
    this.#join(
      values,
      this.#stamp[at] as number,
      this.#first[at] as number,
      this.#last[at] as number,
    );
    for (let i = 0; i < known.length; i += 3) {
      this.#join(values, known[i] as number, known[i + 1] as number, known[i + 2] as number);
    }
    const first = values[1] as number;
    const last = values[2] as number;
    let agrees = true;
    for (let i = 3; i < values.length; i += 3) {
      if ((values[i + 1] as number) < last && first < (values[i + 2] as number)) agrees = false;
    }
    if ((this.#pending[at] as number) === 0) this.#prune(values);
    this.#store(at, values);
    // Not by its length: the list would give its memory back, and ask for it anew.
    while (values.length > 0) values.pop();
    return agrees;
  }

  /** Adds a value behind the others, or to the first one when it is the same. */
  #join(values: number[], stamp: number, first: number, last: number): void {
    if (stamp !== values[0]) {
      values.push(stamp, first, last);
      return;
    }
    values[1] = Math.min(values[1] as number, first);
    values[2] = Math.max(values[2] as number, last);
  }

  /** The same where the sector has one value so far, which is nearly everywhere. */
  #second(at: number, stamp: number, f: number, s: number): boolean {
    const other = this.#stamp[at] as number;
    const otherFirst = this.#first[at] as number;
    const otherLast = this.#last[at] as number;
    this.#stamp[at] = stamp;
    if (other === stamp) {
      this.#first[at] = Math.min(f, otherFirst);
      this.#last[at] = Math.max(s, otherLast);
      return true;
    }
    const agrees = otherFirst >= s || f >= otherLast;
    this.#first[at] = f;
    this.#last[at] = s;
    if ((this.#pending[at] as number) === 0) {
      // As #prune does it, the older value first.
      if (s > otherFirst) return agrees;
      if (otherLast > f) {
        this.#stamp[at] = other;
        this.#first[at] = otherFirst;
        this.#last[at] = otherLast;
        return agrees;
      }
    }
    this.#more.set(at, [other, otherFirst, otherLast]);
    this.#several[at] = 1;
    return agrees;
  }

  /** Drops every value that some other one has definitely replaced: no operation is in flight. */
  #prune(values: number[]): void {
    for (let i = values.length - 3; i >= 0 && values.length > 3; i -= 3) {
      const f = values[i + 1] as number;
      for (let j = 0; j < values.length; j += 3) {
        if (j === i || (values[j + 2] as number) <= f) continue;
        for (let k = i; k + 3 < values.length; k += 1) values[k] = values[k + 3] as number;
        for (let k = 0; k < 3; k += 1) values.pop();
        break;
      }
    }
  }

  /** Whether the write may take effect yet: not answered, and of no branch that was given up. */
  #isOpen(stamp: number, at: number): boolean {
    const { completed, invoked } = this.#history;
    if (!this.#history.covers(stamp, at) || (completed[stamp] as number) > 0) return false;
    return (invoked[stamp] as number) > this.#decidedAt;
  }

  /** Whether `stamp`, from before `since`, is not older than the sector's last flushed write. */
  #survived(at: number, stamp: number, since: number): boolean {
    const flushed = this.#flushed[at] as number;
    const floor = this.#floor;
    if (floor !== null && flushed === 0 && stamp === floor[at]) return true;
    if (stamp === 0) return floor === null && flushed === 0;
    if (!this.#history.covers(stamp, at)) return false;
    if ((this.#history.invoked[stamp] as number) <= this.#decidedAt) return false;
    if ((this.#history.invoked[stamp] as number) > since) return false;
    const completed = this.#history.completed[stamp] as number;
    return completed === 0 || completed >= flushed;
  }
}

/** What {@link RegisterOracle.promises} gives. */
export interface Promises {
  readonly stamp: Int32Array;
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly several: Int32Array;
  readonly more: ReadonlyMap<number, readonly number[]>;
  readonly floor: Int32Array | null;
  readonly decidedAt: number;
  readonly forgotAt: number;
}

function stampIndex(values: readonly number[], stamp: number): number {
  for (let i = 0; i < values.length; i += 3) if (values[i] === stamp) return i;
  return -1;
}
