/**
 * Two replicas of one block and an arbiter, as the fourteen rules have them act: every move that a
 * replica, an application or misfortune can make. A rule in `dropped` is not followed.
 */
import type { Model, Take } from './explorer.ts';
import { pairViolation } from './pair-laws.ts';
import { isWhole, mayLeadAlone } from './pair-promotion.ts';
import { Disk, type PairState, packPair, PairState as State, unpackPair } from './pair-state.ts';
import type { Rule } from './rules.ts';

/** How much of each there is: enough for every known way to go wrong. */
const WRITES = 2;
const CRASHES = 3;
const CUTS = 2;
const GENERATIONS = 6;

type TakePair = Take<PairState>;

const FAULTS: ReadonlySet<string> = new Set(['crash', 'crash, cache kept', 'cut']);

export class PairModel implements Model<PairState> {
  readonly words = 2;
  readonly faults = FAULTS;
  readonly #dropped: ReadonlySet<Rule>;

  constructor(dropped: ReadonlySet<Rule> = new Set()) {
    this.#dropped = dropped;
  }

  start(): PairState {
    return new State();
  }

  pack(state: PairState, into: Int32Array): void {
    packPair(state, into);
  }

  unpack(from: Int32Array): PairState {
    return unpackPair(from);
  }

  violation(state: PairState): string | null {
    return pairViolation(state, this.#dropped);
  }

  moves(s: PairState, take: TakePair): void {
    for (const i of [0, 1]) {
      this.#serve(s, i, take);
      this.#stabilise(s, i, take);
      this.#changeRole(s, i, take);
      this.#power(s, i, take);
    }
    this.#cable(s, take);
    this.#meet(s, take);
    finishCopy(s, take);
  }

  #follows(rule: Rule): boolean {
    return !this.#dropped.has(rule);
  }

  /** A write: begun, applied on the other side, acknowledged. */
  #serve(s: PairState, i: number, take: TakePair): void {
    const j = 1 - i;
    const me = at(s, i);
    const peer = at(s, j);
    if (s.write === 0 && me.up && me.primary && me.disk === Disk.UpToDate) {
      const number = Math.max(s.acknowledged, me.cached, peer.cached) + 1;
      const mirrors = s.connected && ((peer.up && peer.disk === Disk.UpToDate) || s.source === i);
      if (number <= WRITES && (mirrors || me.alone)) {
        const t = s.copy();
        const r = at(t, i);
        r.cached = number;
        // RULE-04: the extent is durably hot before a write to it is issued.
        r.hot = this.#follows('RULE-04') ? 1 : 0;
        if (!s.connected) r.dirty = 1;
        t.write = number;
        t.writer = i;
        t.sent = mirrors ? 1 : 0;
        t.applied = 0;
        t.holders = 1 << i;
        take('write', i, -1, t);
      }
    }
    if (s.write === 0 || s.writer !== i) return;
    if (s.sent && !s.applied && s.connected && peer.up) {
      const t = s.copy();
      at(t, j).cached = s.write;
      t.applied = 1;
      if (peer.disk === Disk.UpToDate) t.holders |= 1 << j;
      take('apply', j, -1, t);
    }
    if (me.up && me.primary && this.#mayAcknowledge(s, me.alone)) {
      const t = s.copy();
      t.acknowledged = Math.max(s.acknowledged, s.write);
      if (!s.applied) at(t, i).dirty = 1;
      t.endWrite();
      take('acknowledge', i, -1, t);
    }
  }

  #mayAcknowledge(s: PairState, alone: number): boolean {
    if (s.applied) return s.connected === 1 || alone === 1;
    if (!s.sent) return alone === 1;
    // RULE-02: without the peer only after the arbiter left it out.
    return s.connected === 0 && (alone === 1 || !this.#follows('RULE-02'));
  }

  /** The barrier that ends a write interval, and the application's flush. */
  #stabilise(s: PairState, i: number, take: TakePair): void {
    const j = 1 - i;
    const me = at(s, i);
    const peer = at(s, j);
    if (!me.up || !me.primary || s.write !== 0) return;
    const inStep = s.connected === 1 && peer.disk === Disk.UpToDate;
    if (me.hot && inStep && s.source < 0 && peer.up) {
      const t = s.copy();
      // RULE-07: an extent goes cold only when both sides are stable.
      if (this.#follows('RULE-07')) {
        at(t, j).stable = peer.cached;
        at(t, i).stable = me.cached;
      }
      at(t, i).hot = 0;
      take('barrier', i, -1, t);
    }
    if (s.flushed < s.acknowledged && (inStep || me.alone)) {
      const t = s.copy();
      at(t, i).stable = me.cached;
      // RULE-05: a flush reaches the peer.
      if ((inStep || (s.connected && s.source === i)) && this.#follows('RULE-05')) {
        at(t, j).stable = peer.cached;
      }
      t.flushed = s.acknowledged;
      take('flush', i, -1, t);
    }
  }

  #changeRole(s: PairState, i: number, take: TakePair): void {
    const me = at(s, i);
    if (!me.up) return;
    if (me.primary) {
      this.#goAlone(s, i, take);
      if (s.write === 0 && !me.hot && s.connected) {
        const t = s.copy();
        at(t, i).primary = 0;
        at(t, i).alone = 0;
        take('demote', i, -1, t);
      }
      // RULE-14: a fenced primary demotes itself.
      if (!me.alone && !s.connected && s.owner === 1 - i && this.#follows('RULE-14')) {
        const t = s.copy();
        at(t, i).primary = 0;
        if (me.hot) at(t, i).dirty = 1;
        if (s.writer === i) t.endWrite();
        take('step back', i, -1, t);
      }
      return;
    }
    if (!isWhole(s, i, this.#dropped)) return;
    if (s.connected) {
      if (at(s, 1 - i).primary || me.disk !== Disk.UpToDate) return;
      const t = s.copy();
      at(t, i).primary = 1;
      settleHistory(s, t, i);
      take('promote', i, -1, t);
    } else if (mayLeadAlone(s, i, this.#dropped)) this.#promoteAlone(s, i, take);
  }

  /** A primary that lost its peer asks the arbiter to leave it out. */
  #goAlone(s: PairState, i: number, take: TakePair): void {
    const me = at(s, i);
    if (s.connected || me.alone || me.disk !== Disk.UpToDate) return;
    if (s.owner === 1 - i && this.#follows('RULE-01')) return;
    const t = s.copy();
    const r = at(t, i);
    t.owner = i;
    if (!this.#rotate(s, t, i)) return;
    r.alone = 1;
    if (me.hot || (s.write !== 0 && s.writer === i)) r.dirty = 1;
    if (this.#follows('RULE-11')) stabiliseAlone(t, i);
    if ((s.holders >> i) & 1) t.holders = 1 << i;
    take('go alone', i, -1, t);
  }

  #promoteAlone(s: PairState, i: number, take: TakePair): void {
    const me = at(s, i);
    const t = s.copy();
    const r = at(t, i);
    t.owner = i;
    r.primary = 1;
    r.disk = Disk.UpToDate;
    if (!this.#rotate(s, t, i)) return;
    r.alone = 1;
    if (me.hot && r.generation !== me.generation) r.dirty = 1;
    // RULE-11: flush before going on alone.
    if (this.#follows('RULE-11')) {
      stabiliseAlone(t, i);
      if ((s.holders >> i) & 1) t.holders = 1 << i;
    }
    settleHistory(s, t, i);
    take('promote', i, -1, t);
  }

  /** RULE-13: a new generation before the first acknowledgement alone. False at the bound. */
  #rotate(s: PairState, t: PairState, i: number): boolean {
    const r = at(t, i);
    if (!this.#follows('RULE-13') || r.parent !== 0) return true;
    if (s.youngest === GENERATIONS) return false;
    t.youngest = s.youngest + 1;
    r.parent = r.generation;
    r.generation = t.youngest;
    return true;
  }

  /** Power: lost with the cache or by luck without it, and back. */
  #power(s: PairState, i: number, take: TakePair): void {
    const me = at(s, i);
    if (!me.up) {
      const t = s.copy();
      const r = at(t, i);
      r.up = 1;
      if (me.disk === Disk.UpToDate) r.disk = Disk.Consistent;
      if (me.hot) r.dirty = 1;
      r.hot = 0;
      take('restart', i, -1, t);
      return;
    }
    if (s.crashes === CRASHES) return;
    take('crash', i, -1, this.#crashed(s, i, me.stable));
    if (me.cached !== me.stable) {
      take('crash, cache kept', i, -1, this.#crashed(s, i, me.cached));
    }
  }

  #crashed(s: PairState, i: number, left: number): PairState {
    const t = s.copy();
    const r = at(t, i);
    if (r.primary) r.crashed = 1;
    r.up = 0;
    r.primary = 0;
    r.alone = 0;
    r.cached = left;
    r.stable = left;
    this.#markLost(t, 1 - i);
    t.connected = 0;
    t.source = -1;
    if (s.writer === i) t.endWrite();
    t.crashes += 1;
    t.holders &= ~(1 << i);
    return t;
  }

  /** RULE-08: on link loss, what is not known stable on the peer becomes dirty at once. */
  #markLost(t: PairState, i: number): void {
    const r = at(t, i);
    if (r.up && r.hot && this.#follows('RULE-08')) r.dirty = 1;
  }

  #cable(s: PairState, take: TakePair): void {
    if (!s.cable) {
      const t = s.copy();
      t.cable = 1;
      take('heal', -1, -1, t);
      return;
    }
    if (s.cuts === CUTS) return;
    const t = s.copy();
    t.cable = 0;
    t.connected = 0;
    t.source = -1;
    t.cuts += 1;
    this.#markLost(t, 0);
    this.#markLost(t, 1);
    take('cut', -1, -1, t);
  }

  /** Two replicas that hear each other compare what they have. */
  #meet(s: PairState, take: TakePair): void {
    const [a, b] = s.replicas;
    if (!s.cable || s.connected || !a.up || !b.up || (a.primary && b.primary)) return;
    let verdict = this.#compare(s);
    if (verdict === 'split-brain') {
      const t = s.copy();
      t.splitBrain = 1;
      take('meet', -1, -1, t);
      return;
    }
    if (verdict === 'equal') {
      if ((s.write === 0 && s.owner < 0) || !this.#follows('RULE-03')) {
        const t = s.copy();
        t.connected = 1;
        t.owner = -1;
        for (const r of t.replicas) {
          r.disk = Disk.UpToDate;
          r.dirty = 0;
          r.parent = 0;
          r.alone = 0;
          r.crashed = 0;
        }
        take('meet as equals', -1, -1, t);
        return;
      }
      // The arbiter still names an owner: its data counts.
      if (s.owner < 0) return;
      verdict = s.owner;
    }
    this.#beginCopy(s, verdict, take);
  }

  /** Whose data is the one to keep: a source, equal, or nobody's. */
  #compare(s: PairState): number | 'equal' | 'split-brain' {
    const [a, b] = s.replicas;
    if (a.generation !== b.generation) {
      if (a.parent === b.generation) return 0;
      return b.parent === a.generation ? 1 : 'split-brain';
    }
    const half = (i: number): boolean => at(s, i).disk === Disk.Inconsistent;
    // RULE-03: equal generations still honour the dirty maps.
    if ((a.dirty || b.dirty) && this.#follows('RULE-03')) {
      const source = this.#sourceAmongEquals(s);
      return half(source) && !half(1 - source) ? 1 - source : source;
    }
    if (half(0) === half(1)) return 'equal';
    return half(0) ? 1 : 0;
  }

  #sourceAmongEquals(s: PairState): number {
    const [a, b] = s.replicas;
    if (a.primary) return 0;
    if (b.primary) return 1;
    // RULE-09: the survivor is the source, not the crashed primary.
    if (this.#follows('RULE-09')) {
      if (a.disk === Disk.UpToDate && b.disk === Disk.Consistent) return 0;
      if (b.disk === Disk.UpToDate && a.disk === Disk.Consistent) return 1;
    }
    return b.crashed && !a.crashed ? 1 : 0;
  }

  #beginCopy(s: PairState, source: number, take: TakePair): void {
    const target = 1 - source;
    if (at(s, source).disk === Disk.Inconsistent || at(s, target).primary || s.write !== 0) return;
    const t = s.copy();
    t.connected = 1;
    t.source = source;
    // RULE-10: a resync target is not promoted.
    if (this.#follows('RULE-10')) at(t, target).disk = Disk.Inconsistent;
    if (at(t, source).disk === Disk.Consistent) at(t, source).disk = Disk.UpToDate;
    // RULE-12: the source flushes before the target becomes inconsistent.
    if (this.#follows('RULE-12')) stabiliseAlone(t, source);
    take('begin to copy', source, target, t);
  }
}

/** The copy is done: both are equal, and nobody is alone any more. */
function finishCopy(s: PairState, take: TakePair): void {
  const { source } = s;
  if (source < 0 || !s.connected || s.write !== 0) return;
  const t = s.copy();
  const from = at(t, source);
  const to = at(t, 1 - source);
  const { cached, generation } = from;
  to.cached = cached;
  to.generation = generation;
  to.disk = Disk.UpToDate;
  from.alone = 0;
  for (const r of t.replicas) {
    r.stable = cached;
    r.parent = 0;
    r.dirty = 0;
    r.hot = 0;
    r.crashed = 0;
  }
  t.source = -1;
  t.owner = -1;
  if ((s.holders >> source) & 1) t.holders |= 1 << (1 - source);
  else t.holders &= ~(1 << (1 - source));
  take('finish the copy', source, 1 - source, t);
}

/** A flush whose result counts as covering whatever was acknowledged. */
function stabiliseAlone(t: PairState, i: number): void {
  const r = at(t, i);
  r.stable = r.cached;
  t.flushed = Math.max(t.flushed, Math.min(t.acknowledged, r.cached));
}

/**
 * A new primary shows what it has. When everybody who had the newest write lost power, what is
 * left is the truth from now on, as long as nothing flushed is missing.
 */
function settleHistory(s: PairState, t: PairState, i: number): void {
  const { cached } = at(s, i);
  if (s.holders === 0 && t.acknowledged > cached) t.acknowledged = Math.max(cached, t.flushed);
}

function at(s: PairState, i: number): PairState['replicas'][0] {
  return s.replicas[i] as PairState['replicas'][0];
}
