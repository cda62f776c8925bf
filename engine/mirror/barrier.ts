/**
 * Barriers: a local flush and one at each peer that close a write interval. Until its barrier is
 * complete, a write that all have is not known stable, and a lost peer makes it dirty towards that
 * peer again (RULE-08). One barrier runs at a time; every flush that waits joins the next one.
 */
import { invariant } from '../core/invariant.ts';
import { Decision } from '../data/abi.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Phase } from './request.ts';
import { Through } from './state.ts';
import { Deadline } from './turn.ts';

/** Writes that can be unstable at once; past it, writes wait for a barrier. */
const RING = 8192;
const RING_FIRST = 256;

export class Barrier {
  readonly #p: Parts;
  /** The ring, as long as it had to be so far: most actors never need a tenth of its limit. */
  #offset = new Float64Array(RING_FIRST);
  #length = new Uint32Array(RING_FIRST);
  /** Counters of the ring: stable up to tail, covered by the running barrier up to mark. */
  #head = 0;
  #mark = 0;
  #tail = 0;
  /** Number of the last barrier started. */
  #started = 0;
  /** Number of the last barrier completed: the write intervals closed. */
  closed = 0;
  #running = false;
  #local = false;
  /** Peers whose flush the running barrier waits for, by index, one bit each. */
  #awaited = 0;
  /** With more than two replicas: what the running barrier covers, by peer: a write of a link. */
  readonly #coveredLink: number[] = [];
  readonly #coveredTo: number[] = [];
  #token = 0;
  #wanted = false;
  #pending: number[] = [];
  #joined: number[] = [];
  #pendingCalls: (() => void)[] = [];
  #joinedCalls: (() => void)[] = [];

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** The write interval that a write ending now belongs to: closed by the next barrier. */
  get interval(): number {
    return this.#started + 1;
  }

  /** Whether any write that both replicas have is not known stable. */
  get unstable(): boolean {
    return this.#head > this.#tail;
  }

  /** Whether `more` writes can become unstable. */
  room(more: number): boolean {
    return this.#head - this.#tail + more <= RING;
  }

  /** Notes that both replicas have [offset, offset+length), perhaps in volatile caches. */
  add(offset: number, length: number): void {
    invariant(this.#head - this.#tail < RING, 'there is room before a write is issued');
    if (this.#head - this.#tail === this.#offset.length) this.#widen();
    const at = this.#head & (this.#offset.length - 1);
    this.#offset[at] = offset;
    const { slotBytes } = this.#p.turn.memory.layout;
    this.#length[at] = this.#p.canary.longWriteCut ? Math.min(length, slotBytes) : length;
    this.#head += 1;
    const turn = this.#p.turn;
    if (!turn.isSet(Deadline.Barrier)) {
      turn.due(Deadline.Barrier, turn.now + this.#p.config.barrierDelay);
    }
    if (this.#head - this.#mark >= this.#p.config.barrierWrites) this.hurry();
  }

  /** Marks in `dirty` what is unstable among the blocks of a map page being written. */
  forEachUnstable(visit: (offset: number, length: number) => void): void {
    const mask = this.#offset.length - 1;
    for (let i = this.#tail; i < this.#head; i += 1) {
      visit(this.#offset[i & mask] as number, this.#length[i & mask] as number);
    }
  }

  /** A front-end flush joins the next barrier. */
  join(slot: number): void {
    this.#p.slots.phase[slot] = Phase.Barrier;
    this.#pending.push(slot);
    this.#wanted = true;
  }

  /** `done` is called when everything complete by now is stable wherever it must be. */
  whenStable(done: () => void): void {
    this.#pendingCalls.push(this.#p.turn.carry(done));
    this.#wanted = true;
  }

  /** Asks for a barrier soon. */
  hurry(): void {
    this.#wanted = true;
  }

  /** The delay after a first unstable write is over. */
  timer(): void {
    if (this.#head > this.#tail) this.#wanted = true;
  }

  /** Whether one is to start. */
  get wanted(): boolean {
    return this.#wanted && !this.#running;
  }

  /** Starts a barrier if one is wanted and possible; called at the end of each turn. */
  start(): void {
    if (!this.wanted) return;
    const p = this.#p;
    const proxied = p.state.through === Through.On;
    if (!p.state.lead || (p.state.disk === 'Failed' && !proxied)) return;
    // A required peer that is lost must be left out by a committed record first.
    if (p.partners.missed) return;
    this.#wanted = false;
    this.#running = true;
    this.#started += 1;
    this.#mark = this.#head;
    const joined = this.#joined;
    this.#joined = this.#pending;
    this.#pending = joined;
    const calls = this.#joinedCalls;
    this.#joinedCalls = this.#pendingCalls;
    this.#pendingCalls = calls;
    this.#local = proxied;
    this.#awaited = 0;
    this.#token = p.state.nextToken();
    if (p.partners.several) this.#covers();
    p.turn.due(Deadline.Barrier, Number.POSITIVE_INFINITY);
    if (!proxied) p.turn.emit(Decision.LocalFlush, 0, 0, 0, 0, this.#token, 0);
    for (const { link, index } of p.partners.all) {
      if (!link.mirrored) continue;
      if (index === 0 || !p.canary.flushFirstOnly) this.#awaited |= 1 << index;
      link.sendFlush(this.#token);
    }
    const ordered = p.canary.keptFlushUnawaited && p.state.record?.discard !== undefined;
    if (p.canary.flushUnawaited || ordered) this.#completeJoined();
  }

  /** A LocalFlush ended; true when it was this barrier's. */
  flushed(token: number): boolean {
    if (!this.#running || token !== this.#token) return false;
    this.#local = true;
    this.#check();
    return true;
  }

  /** A peer says that the flush `token` is done. */
  peerFlushed({ index }: Partner, token: number): void {
    if (!this.#running || token !== this.#token) return;
    this.#awaited &= ~(1 << index);
    this.#check();
  }

  /**
   * A link is lost. RULE-08: every write not known stable on that peer becomes dirty at once;
   * its extent is still hot, so that is durably covered.
   */
  lost(partner: Partner): void {
    const p = this.#p;
    const { map, index, required } = partner;
    if (!p.canary.rule08) {
      const { dirty } = map;
      this.forEachUnstable((offset, length) => map.markBytes(offset, length));
      // Both have written it: nobody went on without the other yet.
      partner.pad(map.dirty - dirty);
    }
    // With another peer there they are still unstable, and a loss of that one is to come.
    if (!p.partners.mirrored) {
      this.#tail = this.#head;
      this.#mark = this.#head;
      // What was hot for these writes is dirty now, and may go cold as soon as its page is durable.
      this.#started += 1;
      this.closed = this.#started;
    }
    if (!this.#running) return;
    this.#awaited &= ~(1 << index);
    // They must not complete before the record that leaves the peer out: they wait again.
    if (required) this.suspend();
    else this.#check();
  }

  /** What waits for the running barrier waits for another one. */
  suspend(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#pending = [...this.#joined, ...this.#pending];
    this.#joined = [];
    this.#pendingCalls = [...this.#joinedCalls, ...this.#pendingCalls];
    this.#joinedCalls = [];
    this.#wanted = true;
    this.#p.turn.reached('mirror.barrier.aborted');
  }

  /** The host is fenced: nothing waits any more. Returns the flushes that did. */
  fence(): readonly number[] {
    const all = [...this.#joined, ...this.#pending];
    this.#joined = [];
    this.#pending = [];
    this.#joinedCalls = [];
    this.#pendingCalls = [];
    this.#running = false;
    this.#wanted = false;
    return all;
  }

  #widen(): void {
    const count = this.#offset.length * 2;
    const offset = new Float64Array(count);
    const length = new Uint32Array(count);
    for (let i = this.#tail; i < this.#head; i += 1) {
      const from = i & (this.#offset.length - 1);
      offset[i & (count - 1)] = this.#offset[from] as number;
      length[i & (count - 1)] = this.#length[from] as number;
    }
    this.#offset = offset;
    this.#length = length;
  }

  #check(): void {
    const p = this.#p;
    if (this.#local && !this.#owing()) this.#completeJoined();
    if (!this.#local || this.#awaited !== 0) return;
    // Whoever is not told of the present record must not let go of anything by it (RULE-18).
    if (p.partners.several && p.partners.missed) return;
    this.#running = false;
    this.closed = Math.max(this.closed, this.#started);
    if (p.partners.several) this.#tellStable();
    // What ended since the flushes were sent may have come after them, here or there.
    this.#tail = p.canary.barrierOvertaken ? this.#head : Math.max(this.#tail, this.#mark);
    if (this.#joinedCalls.length > 0) for (const call of this.#joinedCalls.splice(0)) call();
    if (this.#pending.length > 0 || this.#pendingCalls.length > 0) this.#wanted = true;
    if (this.#head > this.#tail && !p.turn.isSet(Deadline.Barrier)) {
      p.turn.due(Deadline.Barrier, p.turn.now + p.config.barrierDelay);
    }
    p.writes.roomChanged();
  }

  /** A follower has the present record durably: what waited for that may end. */
  told(): void {
    if (this.#running) this.#check();
  }

  /** Up to which write on each link the barrier that starts now covers everything. */
  #covers(): void {
    const { partners } = this.#p;
    for (const partner of partners.all) {
      this.#coveredLink[partner.index] = partner.link.id;
      this.#coveredTo[partner.index] = partner.covered;
    }
  }

  /** Tells every follower what it may let go cold. */
  #tellStable(): void {
    for (const { link, index } of this.#p.partners.all) {
      const takes = link.mirrored || link.mode === Mode.Ship;
      if (!takes || link.id !== this.#coveredLink[index]) continue;
      link.send({ kind: 'stable', sequence: this.#coveredTo[index] as number });
    }
  }

  /** RULE-05: a flush completes when it is stable on every member. */
  #owing(): boolean {
    const { partners, canary } = this.#p;
    if (canary.rule05) return false;
    const { all } = partners;
    for (let i = 0; i < all.length; i += 1) {
      const { required, told, index } = all[i] as Partner;
      if (required && !(told && (this.#awaited & (1 << index)) === 0)) return true;
    }
    return false;
  }

  #completeJoined(): void {
    const joined = this.#joined;
    // Each barrier comes here more than once, and setting a length is a call of V8's runtime.
    if (joined.length === 0) return;
    for (let i = 0; i < joined.length; i += 1) this.#p.writes.complete(joined[i] as number, 0);
    joined.length = 0;
  }
}
