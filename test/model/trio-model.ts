/**
 * Three replicas of one block under a committed record, as the rules have them act: every move that
 * a replica, the log, an application or misfortune can make. A rule in `dropped` is not followed.
 * A primary leads a session with each other replica; the others have none among themselves.
 */
import type { Model, Take } from './explorer.ts';
import type { TrioRule } from './rules.ts';
import { hasEverybody, inStep, mayLead, serves, trioViolation } from './trio-laws.ts';
import { orderOf, packTrio, unpackTrio } from './trio-pack.ts';
import { acknowledge, activate, begin, crash } from './trio-promises.ts';
import {
  cable,
  has,
  REPLICAS,
  Session,
  TrioState as State,
  type TrioState,
  Wrong,
} from './trio-state.ts';

/** How much of each there is. */
export interface TrioBounds {
  readonly writes: number;
  readonly crashes: number;
  readonly cuts: number;
  readonly takeOvers: number;
  /** A taker leaves everybody else out, as docs/decisions/0021 has it; absent: it keeps members. */
  readonly alone?: boolean;
}

type TakeTrio = Take<TrioState>;

const FAULTS: ReadonlySet<string> = new Set(['crash', 'crash, cache kept', 'cut', 'isolate']);

export class TrioModel implements Model<TrioState> {
  readonly words = 4;
  readonly faults = FAULTS;
  readonly #bounds: TrioBounds;
  readonly #dropped: ReadonlySet<TrioRule>;

  constructor(bounds: TrioBounds, dropped: ReadonlySet<TrioRule> = new Set()) {
    this.#bounds = bounds;
    this.#dropped = dropped;
  }

  /** A serves, and the others follow it: whoever served first, this is how it looks. */
  start(): TrioState {
    const s = new State();
    s.at(0).primary = 1;
    s.at(0).active = 1;
    for (const k of [1, 2]) s.at(k).session = Session.Sync;
    return s;
  }

  pack(state: TrioState, into: Int32Array): void {
    packTrio(state, into);
  }

  unpack(from: Int32Array): TrioState {
    return unpackTrio(from);
  }

  order(state: TrioState): readonly number[] {
    return orderOf(state);
  }

  violation(state: TrioState): string | null {
    return trioViolation(state, this.#dropped);
  }

  moves(s: TrioState, take: TakeTrio): void {
    for (const i of REPLICAS) {
      const me = s.at(i);
      if (me.up && me.primary) {
        this.#write(s, i, take);
        this.#stabilise(s, i, take);
        this.#shrink(s, i, take);
        this.#activate(s, i, take);
        this.#stepBack(s, i, take);
        for (const j of REPLICAS) if (j !== i && s.at(j).up) this.#lead(s, i, j, take);
      } else if (me.up) this.#takeOver(s, i, take);
      this.#power(s, i, take);
    }
    this.#cables(s, take);
  }

  #follows(rule: TrioRule): boolean {
    return !this.#dropped.has(rule);
  }

  // The way of a write.

  #write(s: TrioState, i: number, take: TakeTrio): void {
    const me = s.at(i);
    if (me.write === 0) {
      if (s.begun === this.#bounds.writes || !serves(s, i, this.#dropped)) return;
      const t = s.copy();
      const r = t.at(i);
      begin(t, i);
      r.write = t.begun;
      r.applied = 1 << i;
      r.cached = t.begun;
      r.kept = 1;
      // RULE-04: the extent is durably hot before a write to it is issued.
      if (this.#follows('RULE-04')) r.hot = 1;
      for (const k of REPLICAS) if (k !== i && !inStep(s, i, k)) r.dirty |= 1 << k;
      take('write', i, -1, t);
      return;
    }
    for (const j of REPLICAS) if (j !== i) this.#apply(s, i, j, take);
    const asked = REPLICAS.filter((k) => k !== i && this.#mustHave(s, i, k));
    // RULE-02: without a member only after a committed record left it out.
    if (this.#follows('RULE-02') && !hasEverybody(s, i, this.#dropped)) return;
    if (asked.some((k) => !has(me.applied, k))) return;
    const t = s.copy();
    acknowledge(t, i);
    t.at(i).endWrite();
    take('acknowledge', i, -1, t);
  }

  /** Whether the write needs the acknowledgement of replica `k`. */
  #mustHave(s: TrioState, i: number, k: number): boolean {
    if (has(s.at(i).members, k)) return inStep(s, i, k) || this.#follows('RULE-02');
    // RULE-24: also who is in step and not admitted yet, for an entry may admit it any moment.
    return inStep(s, i, k) && this.#follows('RULE-24');
  }

  #apply(s: TrioState, i: number, j: number, take: TakeTrio): void {
    const me = s.at(i);
    if (!inStep(s, i, j) || has(me.applied, j)) return;
    // RULE-18: nothing is done in an epoch before everybody in step has its record durably.
    if (s.at(j).epoch !== me.epoch && this.#follows('RULE-18')) return;
    const t = s.copy();
    const r = t.at(j);
    r.cached = me.write;
    r.kept = has(me.members, j) ? 1 : 0;
    t.at(i).applied |= 1 << j;
    // RULE-15: every member makes the extent durably hot before it writes.
    if (this.#follows('RULE-15')) r.hot = 1;
    // RULE-17: every member marks what it writes dirty towards those who are left out.
    if (this.#follows('RULE-17')) {
      for (const k of REPLICAS) if (k !== j && !has(r.members, k)) r.dirty |= 1 << k;
    }
    take('apply', j, -1, t);
  }

  /** The barrier that ends a write interval, and the application's flush. */
  #stabilise(s: TrioState, i: number, take: TakeTrio): void {
    const me = s.at(i);
    if (me.write !== 0 || !serves(s, i, this.#dropped)) return;
    const followers = REPLICAS.filter((k) => k === i || inStep(s, i, k));
    if (followers.some((k) => s.at(k).hot === 1)) {
      const t = s.copy();
      for (const k of followers) {
        // RULE-07: an extent goes cold only when every side is stable.
        if (this.#follows('RULE-07')) t.at(k).stable = t.at(k).cached;
        t.at(k).hot = 0;
      }
      take('barrier', i, -1, t);
    }
    if (s.flushed < s.acknowledged) {
      const t = s.copy();
      // RULE-05: a flush reaches every member.
      for (const k of this.#follows('RULE-05') ? followers : [i]) {
        t.at(k).stable = t.at(k).cached;
      }
      t.flushed = s.acknowledged;
      take('flush', i, -1, t);
    }
  }

  // The record changes.

  /** A primary leaves out, in one entry, every member that is not in step with it. */
  #shrink(s: TrioState, i: number, take: TakeTrio): void {
    const me = s.at(i);
    if (s.primary !== i || me.epoch !== s.epoch) return;
    const stay = REPLICAS.filter((k) => k === i || (has(me.members, k) && inStep(s, i, k)));
    const members = stay.reduce((set, k) => set | (1 << k), 0);
    if (members === me.members) return;
    const t = s.copy();
    // RULE-11: the primary flushes before it goes on without a member.
    if (this.#follows('RULE-11')) t.at(i).stable = me.cached;
    // RULE-19: so does everybody in step, those who are about to be admitted too.
    if (this.#follows('RULE-19')) {
      const half = !this.#follows('RULE-19 for members only');
      const asked = half ? stay : REPLICAS.filter((k) => inStep(s, i, k));
      for (const k of asked) if (k !== i) flushCopy(t, k);
    }
    this.#leaveOut(t, i, me.members & ~members);
    this.#commit(t, i, members, 'new generation');
    take('shrink', i, -1, t);
  }

  /** RULE-08: what is not known stable on those who are left out becomes dirty towards them. */
  #leaveOut(t: TrioState, i: number, who: number): void {
    const r = t.at(i);
    if (r.hot && this.#follows('RULE-08')) r.dirty |= who & ~(1 << i);
  }

  /** Replica `i`'s entry: it knows at once, and durably, what it says. */
  #commit(t: TrioState, i: number, members: number, data: 'new generation' | 'same data'): void {
    const r = t.at(i);
    // RULE-13: a new generation whenever the set shrinks, durable before anybody completes in it.
    if (data === 'new generation' && this.#follows('RULE-13')) {
      // RULE-22: what the log named before counts as a parent, whether or not anybody served it.
      const before = this.#follows('RULE-22') ? t.generation : r.generation;
      const known = (1 << r.generation) | (1 << before);
      const ancestors = (t.ancestors[r.generation] as number) | (t.ancestors[before] as number);
      t.generation += 1;
      t.ancestors[t.generation] = known | ancestors;
      r.generation = t.generation;
    }
    t.epoch += 1;
    t.primary = i;
    t.members = members;
    t.lost &= members;
    r.epoch = t.epoch;
    r.members = members;
  }

  /** The log gives the volume to another member, or to one that rebooted when all did. */
  #takeOver(s: TrioState, i: number, take: TakeTrio): void {
    const me = s.at(i);
    // RULE-01: act alone only with the log's consent.
    if (!this.#follows('RULE-01') && !me.inconsistent) {
      const t = s.copy();
      const r = t.at(i);
      r.primary = 1;
      r.active = 1;
      r.members = 1 << i;
      r.endSession();
      take('take over', i, -1, t);
    }
    if (!mayLead(s, i, this.#dropped) || s.takeOvers === this.#bounds.takeOvers) return;
    const t = s.copy();
    const r = t.at(i);
    t.takeOvers += 1;
    this.#loseSession(t, i);
    r.endSession();
    r.primary = 1;
    this.#leaveOut(t, i, r.members & ~s.members);
    if (has(s.lost, i)) {
      this.#leaveOut(t, i, s.members);
      this.#commit(t, i, 1 << i, 'new generation');
      // The record names the life that it has now.
      t.lost = 0;
    } else if (this.#bounds.alone === true) {
      // What was under way may be here and nowhere else; it flushes before the old set ceases.
      this.#leaveOut(t, i, 7);
      if (this.#follows('RULE-11')) r.stable = r.cached;
      this.#commit(t, i, 1 << i, 'new generation');
    } else {
      // RULE-22: the data of a member is the generation that the log says, told or not.
      if (this.#follows('RULE-22')) r.generation = s.generation;
      this.#commit(t, i, s.members, 'same data');
    }
    // RULE-16: it serves only when every member has been made equal to it or left out.
    if (!this.#follows('RULE-16')) {
      r.active = 1;
      activate(t, i);
    }
    take('take over', i, -1, t);
  }

  #activate(s: TrioState, i: number, take: TakeTrio): void {
    if (s.at(i).active || !hasEverybody(s, i, this.#dropped)) return;
    const t = s.copy();
    t.at(i).active = 1;
    activate(t, i);
    take('activate', i, -1, t);
  }

  /** RULE-14: a deposed primary demotes itself. */
  #stepBack(s: TrioState, i: number, take: TakeTrio): void {
    const me = s.at(i);
    if (s.primary === i || me.epoch === s.epoch || !this.#follows('RULE-14')) return;
    const t = s.copy();
    this.#endLead(t, i);
    if (me.hot) t.at(i).dirty |= 7 & ~(1 << i);
    take('step back', i, -1, t);
  }

  #endLead(t: TrioState, i: number): void {
    const r = t.at(i);
    r.primary = 0;
    r.active = 0;
    r.endWrite();
    for (const k of REPLICAS) {
      const follower = t.at(k);
      if (follower.session !== Session.None && follower.leader === i) follower.endSession();
    }
  }

  // What a primary does with another replica.

  #lead(s: TrioState, i: number, j: number, take: TakeTrio): void {
    const other = s.at(j);
    if (other.session !== Session.None && other.leader === i) {
      if (other.session === Session.Copy) this.#finishCopy(s, i, j, take);
      else this.#tell(s, i, j, take);
      this.#admit(s, i, j, take);
    } else if (!has(s.cut, i + j - 1) && !other.primary) this.#meet(s, i, j, take);
  }

  /** A follower makes its primary's newest record durable, and what follows from it. */
  #tell(s: TrioState, i: number, j: number, take: TakeTrio): void {
    const me = s.at(i);
    if (s.at(j).epoch >= me.epoch) return;
    const t = s.copy();
    this.#learn(t, i, j);
    take('tell', i, j, t);
  }

  #learn(t: TrioState, i: number, j: number): void {
    const me = t.at(i);
    const r = t.at(j);
    this.#leaveOut(t, j, r.members & ~me.members);
    // Who was admitted meanwhile equals the primary, as this one does.
    r.dirty &= ~(me.members & ~r.members);
    r.epoch = me.epoch;
    r.members = me.members;
    r.generation = me.generation;
  }

  #meet(s: TrioState, i: number, j: number, take: TakeTrio): void {
    const me = s.at(i);
    const other = s.at(j);
    if (other.epoch > me.epoch) return;
    if (other.session !== Session.None && other.epoch === me.epoch) return;
    const member = has(me.members, j);
    // A member that an active primary lost has to go first (docs/decisions/0002).
    if (member && me.active) return;
    // RULE-25: so has one that lost power: it is none any more, whatever the record says.
    if (member && has(s.lost, j) && this.#follows('RULE-25')) return;
    if (!member && (!me.active || me.write !== 0)) return;
    const t = s.copy();
    const r = t.at(j);
    this.#loseSession(t, j);
    r.leader = i;
    if (member) this.#reconcile(t, i, j);
    else if (!isDescendant(s, me.generation, other.generation)) t.wrong = Wrong.SplitBrain;
    else this.#beginCopy(t, i, j);
    take(member ? 'reconcile' : r.session === Session.Sync ? 'meet' : 'begin to copy', i, j, t);
  }

  /** A taker makes another member equal to itself before anybody sees what it shows. */
  #reconcile(t: TrioState, i: number, j: number): void {
    const r = t.at(j);
    if (this.#mayDiffer(t, i, j)) this.#copyBlock(t, i, j);
    // RULE-23: what made the member equal is stable there before the taker serves.
    if (this.#follows('RULE-23')) r.stable = r.cached;
    this.#cleanPair(t, i, j);
    r.session = Session.Sync;
    r.epoch = t.at(i).epoch;
    r.members = t.at(i).members;
    r.generation = t.at(i).generation;
  }

  #beginCopy(t: TrioState, i: number, j: number): void {
    const r = t.at(j);
    r.session = Session.Copy;
    // RULE-10: a resync target is not promoted.
    if (this.#follows('RULE-10')) r.inconsistent = 1;
    // RULE-12: the source flushes before the target becomes inconsistent.
    if (this.#follows('RULE-12')) flushCopy(t, i);
  }

  /** The target is flushed, the generation adopted; from now on every write goes to it as well. */
  #finishCopy(s: TrioState, i: number, j: number, take: TakeTrio): void {
    const me = s.at(i);
    if (me.write !== 0) return;
    const t = s.copy();
    const r = t.at(j);
    if (this.#mayDiffer(s, i, j)) this.#copyBlock(t, i, j);
    r.stable = r.cached;
    this.#cleanPair(t, i, j);
    r.inconsistent = 0;
    r.session = Session.Sync;
    r.epoch = me.epoch;
    r.members = me.members;
    r.generation = me.generation;
    take('finish the copy', i, j, t);
  }

  #mayDiffer(s: TrioState, i: number, j: number): boolean {
    const me = s.at(i);
    const other = s.at(j);
    // RULE-03: equal generations still honour the dirty maps.
    if (!this.#follows('RULE-03') && me.generation === other.generation) return false;
    return has(me.dirty, j) || has(other.dirty, i) || me.hot === 1 || other.hot === 1;
  }

  #copyBlock(t: TrioState, i: number, j: number): void {
    const me = t.at(i);
    const r = t.at(j);
    // RULE-09: the survivor is the source, not who lost power.
    if (!this.#follows('RULE-09') && me.kept && !r.kept) {
      me.cached = r.cached;
      return;
    }
    r.cached = me.cached;
    r.kept = has(me.members, j) ? me.kept : 0;
  }

  /** The copy is evidence: for the two, and for members that are equal to the source. */
  #cleanPair(t: TrioState, i: number, j: number): void {
    const me = t.at(i);
    const r = t.at(j);
    r.hot = me.hot;
    // RULE-20: dirt is kept towards each replica, and a copy clears it between its two ends only.
    me.dirty = this.#follows('RULE-20') ? me.dirty & ~(1 << j) : 0;
    r.dirty &= ~(1 << i);
    for (const k of REPLICAS) if (k !== i && k !== j && inStep(t, i, k)) r.dirty &= ~(1 << k);
    // RULE-21: whoever differs from the source now differs from the target.
    if (this.#follows('RULE-21')) r.dirty |= me.dirty & ~(1 << j);
  }

  #admit(s: TrioState, i: number, j: number, take: TakeTrio): void {
    const me = s.at(i);
    if (s.primary !== i || me.epoch !== s.epoch || !me.active || has(me.members, j)) return;
    if (!hasEverybody(s, i, this.#dropped)) return;
    // RULE-10: not before it has everything.
    if (s.at(j).session === Session.Copy && this.#follows('RULE-10')) return;
    const t = s.copy();
    this.#commit(t, i, me.members | (1 << j), 'same data');
    t.at(j).session = Session.Sync;
    t.at(j).kept = me.kept;
    take('admit', i, j, t);
  }

  // Misfortune.

  /** Replica `k` no longer follows whom it followed, who may still take it for a member. */
  #loseSession(t: TrioState, k: number): void {
    const { session, leader } = t.at(k);
    if (session === Session.None) return;
    this.#leaveOut(t, leader, 1 << k);
    t.at(k).endSession();
  }

  #power(s: TrioState, i: number, take: TakeTrio): void {
    const me = s.at(i);
    if (!me.up) {
      const t = s.copy();
      const r = t.at(i);
      r.up = 1;
      if (me.hot) r.dirty = 7 & ~(1 << i);
      r.hot = 0;
      take('restart', i, -1, t);
      return;
    }
    if (s.crashes === this.#bounds.crashes) return;
    take('crash', i, -1, this.#crashed(s, i, me.stable));
    if (me.cached !== me.stable) {
      take('crash, cache kept', i, -1, this.#crashed(s, i, me.cached));
    }
  }

  #crashed(s: TrioState, i: number, left: number): TrioState {
    const t = s.copy();
    const r = t.at(i);
    this.#loseSession(t, i);
    this.#endLead(t, i);
    r.up = 0;
    r.cached = left;
    r.stable = left;
    t.lost |= (1 << i) & t.members;
    t.crashes += 1;
    crash(t, i);
    return t;
  }

  #cables(s: TrioState, take: TakeTrio): void {
    if (s.cut !== 0) {
      const t = s.copy();
      t.cut = 0;
      take('heal', -1, -1, t);
    }
    if (s.cuts === this.#bounds.cuts) return;
    for (const i of REPLICAS) {
      const [j, k] = REPLICAS.filter((other) => other !== i) as [number, number];
      take('isolate', i, -1, this.#without(s, cable(i, j) | cable(i, k)));
      take('cut', j, k, this.#without(s, cable(j, k)));
    }
  }

  #without(s: TrioState, cables: number): TrioState {
    const t = s.copy();
    t.cut |= cables;
    t.cuts += 1;
    for (const k of REPLICAS) {
      const { session, leader } = t.at(k);
      if (session !== Session.None && has(t.cut, k + leader - 1)) this.#loseSession(t, k);
    }
    return t;
  }
}

function flushCopy(t: TrioState, i: number): void {
  t.at(i).stable = t.at(i).cached;
}

function isDescendant(s: TrioState, young: number, old: number): boolean {
  return young === old || has(s.ancestors[young] as number, old);
}
