/**
 * The way of one front-end request: admitted, put in order, made hot, issued to both replicas,
 * completed when every member of the in-sync set has it. Never acknowledges what the rules do not
 * allow; never gives a slot back while the disk or a link still uses it.
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision, Flag, Status } from '../data/abi.ts';
import { HotQueue } from './hot-queue.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { Kind, Peer, Phase, SlotQueue } from './request.ts';
import { Through } from './state.ts';
import { Deadline } from './turn.ts';

export class FrontWrites {
  readonly #p: Parts;
  readonly #gate: SlotQueue;
  readonly #hot: HotQueue;
  readonly #parked: SlotQueue;
  readonly #held: SlotQueue;
  readonly #front: number;
  /** Requests past the gate and not completed. */
  #open = 0;
  /** Requests that have passed the gate so far. */
  #admitted = 0;
  #roomChanged = false;
  /** Requests may reach to that byte. */
  #served: number;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#served = parts.config.servedBytes ?? parts.config.sizeBytes;
    this.#front = parts.turn.memory.layout.frontSlots;
    this.#gate = new SlotQueue(parts.slots);
    this.#hot = new HotQueue(parts, (slot) => this.#issueWrite(slot));
    this.#parked = new SlotQueue(parts.slots);
    this.#held = new SlotQueue(parts.slots);
  }

  /** Requests admitted and not completed. */
  get open(): number {
    return this.#open;
  }

  /** Requests admitted so far: by it whoever works behind clients sees that there were some. */
  get admitted(): number {
    return this.#admitted;
  }

  /** Requests that wait at the gate. */
  get waiting(): number {
    return this.#gate.count;
  }

  /** Clients may ask for so many bytes of what is mirrored. Repeating it says nothing again. */
  serve(bytes: number): void {
    const { config, turn } = this.#p;
    const served = Math.min(bytes, config.sizeBytes);
    if (served === this.#served) return;
    this.#served = served;
    turn.report({ kind: 'size', volume: config.volume, bytes: served });
  }

  // Each request asks these two. Methods: a private getter is a call of V8's runtime each time.

  /** Whether nothing passes the gate, whoever may serve. */
  #isShut(): boolean {
    return this.#p.quiesce.on || this.#p.source.drain.shut;
  }

  /** Whether what has passed the gate is waited for: it waits for no asynchronous replica. */
  #isEnding(): boolean {
    return this.#p.state.demoting || this.#p.quiesce.on;
  }

  /** A front-end request arrives. */
  request(kind: number, slot: number, flags: number, offset: number, length: number): void {
    const p = this.#p;
    if (kind !== Kind.Flush && !this.#valid(flags, offset, length)) {
      p.turn.emit(Decision.Complete, slot, 0, 0, 0, 0, Status.Invalid);
      p.turn.reached('mirror.request.invalid');
      return;
    }
    if (p.role.refusesRequests()) {
      p.turn.emit(Decision.Complete, slot, 0, 0, 0, 0, Status.Fenced);
      return;
    }
    const kept = (p.canary.fuaDropped ? 0 : Flag.Fua) | Flag.Zero | Flag.Unmap;
    p.slots.open(slot, kind, offset, length, flags & kept);
    p.slots.since[slot] = p.turn.now;
    const { all } = p.partners;
    for (let k = 0; k < all.length; k += 1) (all[k] as Partner).write[slot] = Peer.None;
    if (this.#gate.count === 0 && p.state.mayServe(p.turn.now) && !this.#isShut()) {
      this.#start(slot);
      return;
    }
    p.slots.phase[slot] = Phase.Gate;
    this.#gate.push(slot);
  }

  /** The range of `slot` has become free. */
  granted(slot: number): void {
    const { state, slots } = this.#p;
    if (state.fencing) this.#refuse(slot);
    else if (slots.kind[slot] === Kind.Read) this.#issueRead(slot);
    // Nothing is written here, so nothing has to be hot here: the members know what this one lacks.
    else if (state.through !== Through.No) this.#issueWrite(slot);
    else this.#hot.enter(slot);
  }

  /** The local disk is done with a front-end slot. */
  localDone(slot: number, status: number): void {
    const { slots, repair, balance, state } = this.#p;
    if (slots.kind[slot] === Kind.Read) {
      balance.ended(slot);
      // What a failed disk shows may not be what it was given.
      if (state.through !== Through.No) repair.elsewhere(slot);
      else if (status !== 0) repair.readFailed(slot, status);
      else this.#end(slot, 0);
      return;
    }
    slots.local[slot] = 1;
    this.#p.meters.done(slot);
    if (status !== 0 && state.through === Through.No) {
      slots.status[slot] = Status.Io;
      if (this.#p.rescue.isLoss(status)) this.#apart(slot);
      else this.#p.role.failDisk('write', status);
      // It ends by what the other members make of it.
      if (this.#isProxied()) slots.status[slot] = 0;
    } else repair.written(slots.offset[slot] as number, slots.length[slot] as number);
    this.#advance(slot);
  }

  /** Whether it goes on through the other members, or is about to: what happens may change that. */
  #isProxied(): boolean {
    return this.#p.state.through !== Through.No;
  }

  /** The own disk has failed: nothing waits for its journal any more, and nothing is issued yet. */
  suspend(): void {
    this.#hot.take(
      () => true,
      (slot) => this.#park(slot),
    );
  }

  /** The own disk has not what a peer may have got: their copies differ there. */
  #apart(slot: number): void {
    const { slots, partners, canary } = this.#p;
    if (canary.refusedUnmarked) return;
    const offset = slots.offset[slot] as number;
    for (const { map } of partners.all) map.markBytes(offset, slots.length[slot] as number);
    // What is sent on is clean when it is in an image there: this must be copied instead.
    for (const { link } of partners.shipped) if (link.mode === Mode.Ship) link.drop('apart');
  }

  /** A read that the own disk could not do ends, served by the peer or not at all. */
  readDone(slot: number, status: number): void {
    this.#p.slots.status[slot] = status;
    this.#end(slot, 0);
  }

  /** A peer has the write of `slot`. */
  peerAcked(partner: Partner, slot: number): void {
    partner.write[slot] = Peer.Acked;
    this.#advance(slot);
  }

  /** A journal block became durable: what waited for it may go on. */
  journalWritten(): void {
    this.#hot.journalWritten();
    this.roomChanged();
  }

  /** An extent may go cold, or a barrier ended; looked at once, at the end of the turn. */
  roomChanged(): void {
    this.#roomChanged = true;
  }

  /** End of a turn: tries again what waited for room. */
  settle(): void {
    if (!this.#roomChanged && !(this.#parked.count > 0 && this.#isEnding())) return;
    this.#roomChanged = false;
    this.#hot.roomChanged();
    this.unpark();
  }

  /** The right to act as primary until then. */
  grant(until: number, cause: string): void {
    const { state, turn } = this.#p;
    if (until <= state.grantUntil) return;
    const lapsed = !state.mayServe(turn.now);
    state.grantUntil = until;
    state.grantBy = cause;
    turn.due(Deadline.Grant, until);
    if (lapsed) this.resume();
  }

  /** Lets waiting requests in, and completes what waited for a grant. */
  resume(): void {
    const { state, turn } = this.#p;
    if (!state.mayServe(turn.now)) return;
    for (let s = this.#held.take(); s >= 0; s = this.#held.take()) this.#finish(s);
    if (this.#isShut()) return;
    for (let s = this.#gate.take(); s >= 0; s = this.#gate.take()) this.#start(s);
  }

  /** The peer is back, or left out by a committed record: parked writes go on. */
  unpark(): void {
    let count = this.#parked.count;
    while (count > 0 && this.#mayIssue()) {
      count -= 1;
      this.#issueWrite(this.#parked.take());
    }
    this.#p.repair.unpark();
  }

  /** The peer is left out: what waited only for it is complete. */
  releaseRequired(): void {
    for (let slot = 0; slot < this.#front; slot += 1) {
      if (this.#p.slots.kind[slot] === Kind.Write) this.#advance(slot);
    }
    this.unpark();
  }

  /**
   * A link is lost. RULE-08: every write in flight may be missing there, so its blocks are dirty at
   * once; their extents are hot.
   */
  linkLost(partner: Partner, link: number): void {
    const { slots, canary } = this.#p;
    const { map, write, sentOn } = partner;
    const { dirty } = map;
    for (let slot = 0; slot < this.#front; slot += 1) {
      if (slots.kind[slot] !== Kind.Write || slots.phase[slot] !== Phase.Flying) continue;
      if (!canary.rule08) map.markBytes(slots.offset[slot] as number, slots.length[slot] as number);
      if (write[slot] === Peer.Sent && sentOn[slot] === link) write[slot] = Peer.Failing;
    }
    // The peer may have it all the same.
    partner.pad(map.dirty - dirty);
  }

  /** The backend has let go of every slot that was being sent on `link`. */
  linkGone(link: number): void {
    const { slots, partners } = this.#p;
    for (const { write, sentOn } of partners.all) {
      for (let slot = 0; slot < this.#front; slot += 1) {
        if (slots.kind[slot] !== Kind.Write || sentOn[slot] !== link) continue;
        if (write[slot] !== Peer.Failing) continue;
        write[slot] = Peer.Lost;
        this.#advance(slot);
      }
    }
  }

  /** Another host is primary, or this one gives up: nothing that is not issued ever will be. */
  refuseWaiting(): void {
    for (let s = this.#held.take(); s >= 0; s = this.#held.take()) {
      this.#p.slots.status[s] = Status.Fenced;
      this.#finish(s);
    }
    for (let s = this.#gate.take(); s >= 0; s = this.#gate.take()) {
      this.#p.slots.close(s);
      this.#p.turn.emit(Decision.Complete, s, 0, 0, 0, 0, Status.Fenced);
    }
  }

  /** A record named another primary: everything ends, in flight or not. */
  fence(): void {
    const { slots, barrier } = this.#p;
    this.refuseWaiting();
    for (const s of barrier.fence()) this.#refuse(s);
    this.#hot.take(
      () => true,
      (s) => this.#refuse(s),
    );
    for (let s = this.#parked.take(); s >= 0; s = this.#parked.take()) this.#refuse(s);
    this.#p.repair.fence();
    for (let slot = 0; slot < this.#front; slot += 1) {
      if (slots.phase[slot] === Phase.Range && slots.kind[slot] !== Kind.Free) this.#refuse(slot);
      else if (slots.phase[slot] === Phase.Flying) this.#advance(slot);
    }
  }

  /** Completes a request that passed the gate; waits for a grant when there is none now. */
  complete(slot: number, status: number): void {
    const { slots, state, turn } = this.#p;
    if (slots.status[slot] === 0) slots.status[slot] = status;
    const ending = state.fencing || state.demoting;
    if (slots.status[slot] === 0 && !state.mayServe(turn.now)) {
      if (ending) slots.status[slot] = Status.Fenced;
    }
    if (slots.status[slot] === 0 && !state.mayServe(turn.now)) {
      slots.phase[slot] = Phase.Held;
      this.#held.push(slot);
      turn.reached('mirror.request.held');
      return;
    }
    this.#finish(slot);
  }

  #finish(slot: number): void {
    const { slots, turn, role, source, meters } = this.#p;
    const status = slots.status[slot] as number;
    if (status === 0) meters.finished(slot);
    if (source.pace.on) source.pace.note((turn.now - (slots.since[slot] as number)) | 0);
    slots.close(slot);
    this.#open -= 1;
    turn.emit(Decision.Complete, slot, 0, 0, 0, 0, status);
    if (this.#open === 0) role.drained();
  }

  #refuse(slot: number): void {
    const { slots } = this.#p;
    slots.status[slot] = Status.Fenced;
    this.#end(slot, 0);
  }

  /** Lets go of what the request holds, and completes it. */
  #end(slot: number, interval: number): void {
    const { locks } = this.#p;
    if (this.#hot.leave(slot, interval)) this.#roomChanged = true;
    // Completed before the range is let go: what waits for it comes after.
    const locked = locks.has(slot);
    this.complete(slot, 0);
    if (locked) locks.release(slot);
  }

  #valid(flags: number, offset: number, length: number): boolean {
    const { config, turn } = this.#p;
    const block = config.logicalBlock;
    const zero = (flags & Flag.Zero) !== 0;
    return (
      Number.isSafeInteger(offset) &&
      offset >= 0 &&
      length > 0 &&
      length <= (zero ? config.zeroBytes : turn.memory.layout.slotBytes) &&
      offset % block === 0 &&
      length % block === 0 &&
      offset + length <= this.#served
    );
  }

  #start(slot: number): void {
    const { slots, locks, canary, barrier } = this.#p;
    this.#open += 1;
    this.#admitted += 1;
    const kind = slots.kind[slot] as number;
    if (kind === Kind.Flush) {
      barrier.join(slot);
      return;
    }
    slots.phase[slot] = Phase.Range;
    const start = slots.offset[slot] as number;
    const end = start + (slots.length[slot] as number);
    let hold: number = kind === Kind.Read ? Hold.Shared : Hold.Exclusive;
    // A read that does not wait could show a value that a take-over then loses.
    if (kind === Kind.Read && canary.readNoWait) hold = Hold.None;
    if (kind === Kind.Write && canary.overlapOrder) hold = Hold.None;
    if (locks.acquire(slot, start, end, hold)) this.granted(slot);
  }

  #issueRead(slot: number): void {
    const { slots, turn, repair, balance } = this.#p;
    slots.phase[slot] = Phase.Flying;
    repair.opened(slot);
    if (this.#isProxied()) {
      repair.elsewhere(slot);
      return;
    }
    if (balance.begin(slot)) return;
    turn.emit(
      Decision.LocalRead,
      slot,
      0,
      0,
      slots.offset[slot] as number,
      slots.length[slot] as number,
      0,
    );
  }

  #mayIssue(): boolean {
    const { partners, state, barrier } = this.#p;
    if (!state.lead || partners.missed) return false;
    if (state.disk !== 'UpToDate' && state.through !== Through.On) return false;
    if (this.#p.config.lagWaits && partners.lags && !this.#isEnding()) {
      this.#p.turn.reached('mirror.lag.waits');
      return false;
    }
    return !partners.closes || barrier.room(this.#p.slots.count);
  }

  #park(slot: number): void {
    this.#p.slots.phase[slot] = Phase.Parked;
    this.#parked.push(slot);
  }

  #issueWrite(slot: number): void {
    const { slots, turn, partners, canary } = this.#p;
    if (!this.#mayIssue()) {
      this.#park(slot);
      return;
    }
    const offset = slots.offset[slot] as number;
    const length = slots.length[slot] as number;
    const flags = slots.flags[slot] as number;
    slots.phase[slot] = Phase.Flying;
    this.#p.meters.issued(slot);
    if (this.#isProxied()) slots.local[slot] = 1;
    else turn.emit(Decision.LocalWrite, slot, 0, flags, offset, length, 0);
    const { all } = partners;
    const number = partners.first.link.nextNumber;
    for (let k = 0; k < all.length; k += 1) {
      const { link, map, shipping } = all[k] as Partner;
      if (link.mirrored) {
        link.sendFront(slot, offset, length, flags, number);
        continue;
      }
      if (canary.overflowDropsOldest) shipping.dropOldest();
      if (!canary.aloneUnmarked) map.markBytes(offset, length);
      // Longer than it may be behind: what is under way is let go, and copied when there is room.
      if (shipping.full) {
        turn.reached('mirror.lag.passed');
        link.drop('lag');
      }
      if (link.mode === Mode.Ship) shipping.send(slot, offset, length, flags, number);
    }
  }

  /** Ends a write in flight when everybody who must have it does. */
  #advance(slot: number): void {
    const { slots, state, barrier, partners, canary } = this.#p;
    if (slots.phase[slot] !== Phase.Flying) return;
    // Whatever became of the disk: it may still fill the slot, or take from it.
    const givenUp = state.disk === 'Failed' && canary.slotLetGo;
    if (slots.local[slot] === 0 && !givenUp) return;
    const { all } = partners;
    const asked = !state.fencing && !canary.ackEarly && slots.status[slot] === 0;
    let unstable = false;
    for (let k = 0; k < all.length; k += 1) {
      const { write, required, told, link } = all[k] as Partner;
      const peer = write[slot] as number;
      if (canary.proxyAcksAlone && this.#isProxied()) continue;
      // The backend still sends from this slot.
      if ((peer === Peer.Sent && !canary.ackEarly) || peer === Peer.Failing) return;
      // RULE-02: without a peer only when a committed record has left it out.
      if (required && asked && !(told && peer === Peer.Acked)) return;
      if ((peer === Peer.Acked || peer === Peer.Sent) && link.mirrored) unstable = true;
    }
    if (!unstable && !partners.closes) {
      this.#end(slot, 0);
      return;
    }
    for (let k = 0; k < all.length; k += 1) this.#clear(all[k] as Partner, slot);
    barrier.add(slots.offset[slot] as number, slots.length[slot] as number);
    this.#end(slot, barrier.interval);
  }

  /**
   * The peer too has the write of `slot`, on its present link and under its lock: what it covers
   * wholly is equal, whatever was missing there before, and needs no copy. It is not stable yet, so
   * a lost link makes it dirty again, as it does with a copy.
   */
  #clear({ map, link, write, sentOn }: Partner, slot: number): void {
    const { slots, canary } = this.#p;
    if (map.dirty === 0 || link.mode !== Mode.Copy || write[slot] !== Peer.Acked) return;
    if (slots.status[slot] !== 0) return;
    // What an earlier link acknowledged, the peer may have lost with its power since.
    if (sentOn[slot] !== link.id) return;
    const offset = slots.offset[slot] as number;
    const end = offset + (slots.length[slot] as number);
    const partly = canary.clearPartly;
    const first = partly ? Math.floor(offset / BLOCK_BYTES) : Math.ceil(offset / BLOCK_BYTES);
    const last = partly ? Math.ceil(end / BLOCK_BYTES) : Math.floor(end / BLOCK_BYTES);
    for (let block = first; block < last; block += 1) map.clear(block);
    if (first < last) this.#p.turn.reached('mirror.resync.overwritten');
  }
}
