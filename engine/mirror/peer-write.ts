/**
 * The other side of a mirrored write: a secondary checks the epoch, puts overlapping writes in
 * order, writes, and acknowledges: when it has written, or with a receipt when nothing stands
 * before that any more. It never acknowledges in an epoch that is not durable here.
 */
import { Decision, Flag, Status } from '../data/abi.ts';
import { HotQueue } from './hot-queue.ts';
import { Mode } from './mode.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { Kind, Phase, SlotQueue } from './request.ts';

/** Of writes that nothing of the own host will let go on. */
const WAITING: ReadonlySet<number> = new Set([Phase.Epoch, Phase.Range, Phase.Room]);

export class PeerWrites {
  readonly #p: Parts;
  /** Writes of an epoch that is being made durable. */
  readonly #epoch: SlotQueue;
  readonly #first: number;
  readonly #end: number;
  /** With more than two replicas: writes on their way into the hot set. */
  readonly #hot: HotQueue;
  /** Writes issued to the local disk. */
  #flying = 0;
  #idle: (() => void)[] = [];

  constructor(parts: Parts) {
    this.#p = parts;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots;
    this.#end = layout.frontSlots + layout.peerSlots;
    this.#epoch = new SlotQueue(parts.slots);
    this.#hot = new HotQueue(parts, (slot) => this.#admit(slot));
  }

  /** A peer's write arrived in `slot`. */
  arrived(slot: number, link: number, flags: number, offset: number, length: number): void {
    const { slots, turn, partners, config, canary } = this.#p;
    const headers = turn.memory.headers;
    const peer = partners.on(link)?.link;
    if (peer === undefined) {
      turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
      return;
    }
    const sane =
      Number.isSafeInteger(offset) &&
      offset >= 0 &&
      length > 0 &&
      length <= ((flags & Flag.Zero) !== 0 ? config.sizeBytes : turn.memory.layout.slotBytes) &&
      offset + length <= config.sizeBytes;
    // What is sent on comes to an asynchronous replica alone, and nothing else does meanwhile.
    const shipped = (flags & Flag.Detached) !== 0;
    const fits = shipped
      ? partners.asynchronous && peer.mode !== Mode.Follow
      : peer.mode !== Mode.Take;
    if (!sane || !fits || !peer.received(headers.sequence(slot))) {
      turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
      peer.drop('garbage');
      return;
    }
    const kept =
      Flag.Fua | Flag.Resync | Flag.Zero | Flag.Unmap | Flag.Lost | Flag.Receipt | Flag.Detached;
    slots.open(slot, Kind.PeerWrite, offset, length, flags & kept);
    slots.link[slot] = link;
    slots.sequence[slot] = headers.sequence(slot);
    slots.sender[slot] = headers.request(slot) - 1;
    const epoch = headers.epoch(slot);
    // One epoch: only a link agreed upon for the durable epoch carries writes.
    if (!peer.following && !canary.staleEpoch) {
      turn.reached('mirror.peer.stale-epoch');
      this.#answer(slot, Status.StaleEpoch);
      return;
    }
    if (this.#epoch.count > 0 || (epoch > this.#p.store.durableEpoch && !canary.epochUnsynced)) {
      slots.phase[slot] = Phase.Epoch;
      this.#epoch.push(slot);
      turn.reached('mirror.peer.epoch-wait');
      return;
    }
    this.#next(slot);
  }

  /** What an asynchronous replica takes waits while it becomes an image. */
  #next(slot: number): void {
    const shipped = ((this.#p.slots.flags[slot] as number) & Flag.Detached) !== 0;
    if (!shipped || this.#p.points.admits(slot)) this.order(slot);
  }

  /** The epoch that held writes waited for may be durable now. */
  epochDurable(): void {
    const { turn, store, slots, partners } = this.#p;
    while (this.#epoch.count > 0) {
      if (turn.memory.headers.epoch(this.#epoch.head) > store.durableEpoch) return;
      const slot = this.#epoch.take();
      const by = partners.on(slots.link[slot] as number);
      if (by?.link.following === true) this.#next(slot);
      else this.#answer(slot, Status.StaleEpoch);
    }
  }

  /** The range of `slot` has become free. */
  granted(slot: number): void {
    const { slots } = this.#p;
    // Its link is lost, and it is about to be let go.
    if (slots.phase[slot] !== Phase.Range) return;
    // RULE-15: with peers of its own a follower too has the extent durably hot before it writes.
    if (this.#p.partners.several && !this.#p.canary.rule15) this.#hot.enter(slot);
    else this.#admit(slot);
  }

  /** A journal block became durable: what waited for it may go on. */
  journalWritten(): void {
    this.#hot.journalWritten();
  }

  /** End of a turn: tries again what waited for room. */
  settle(): void {
    this.#hot.roomChanged();
  }

  #admit(slot: number): void {
    const { slots, undo } = this.#p;
    const offset = slots.offset[slot] as number;
    if (undo.admits(offset, slots.length[slot] as number, slots.flags[slot] as number)) {
      this.issue(slot);
      return;
    }
    slots.phase[slot] = Phase.Undo;
    undo.hold(slot);
  }

  /** What the write of `slot` overwrites may go. */
  issue(slot: number): void {
    const { slots, turn, points } = this.#p;
    if (((slots.flags[slot] as number) & Flag.Detached) !== 0) points.saved(slot);
    this.#p.follower.leftOut(slot, slots.sequence[slot] as number);
    slots.phase[slot] = Phase.Flying;
    this.#flying += 1;
    const flags = (slots.flags[slot] as number) & (Flag.Fua | Flag.Zero | Flag.Unmap);
    const offset = slots.offset[slot] as number;
    turn.emit(Decision.LocalWrite, slot, 0, flags, offset, slots.length[slot] as number, 0);
    // Nothing stands before it any more, and nothing that is to come takes it back.
    if (this.#p.receipts.give(slot)) this.#acknowledge(slot, Status.Ok);
  }

  /** Lets go of the extents of `slot`. What an ended link left is dirty, and of no interval. */
  #cool(slot: number): void {
    const { slots, partners, writes } = this.#p;
    const present = partners.on(slots.link[slot] as number)?.link.following === true;
    const interval = present ? (slots.sequence[slot] as number) : 0;
    if (this.#hot.leave(slot, interval)) writes.roomChanged();
  }

  /** The local disk is done with a peer's write. */
  localDone(slot: number, reported: number): void {
    const { slots, repair, receipts, canary } = this.#p;
    const status = canary.peerErrorIgnored ? 0 : reported;
    this.#flying -= 1;
    const answered = receipts.ended(slot);
    if (status === 0) repair.written(slots.offset[slot] as number, slots.length[slot] as number);
    this.#cool(slot);
    this.#p.locks.release(slot);
    // Of one that was answered before, the end of the link tells that it failed.
    if (answered) this.#letGo(slot);
    else this.#answer(slot, status === 0 ? Status.Ok : Status.Io);
    if (status !== 0) this.#p.role.failDisk('write', status);
    // Of a write that failed the note stays: the doubt of that is not durable yet.
    if (answered) receipts.settle();
    if (this.#flying > 0 || this.#idle.length === 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const call of idle) call();
  }

  /** The link that writes came by is lost: what was not issued never will be. */
  linkLost(link: number): void {
    const { slots, turn, locks, undo } = this.#p;
    undo.linkLost(link);
    const goes = (s: number): boolean => slots.link[s] === link;
    this.#epoch.takeWhere(goes, (s) => {
      slots.close(s);
      turn.emit(Decision.Free, s, 0, 0, 0, 0, 0);
    });
    this.#hot.take(goes, (s) => {
      slots.phase[s] = Phase.Range;
    });
    // Mark first: letting go of a range grants others, which must not be issued either.
    for (let s = this.#first; s < this.#end; s += 1) {
      const waits = slots.phase[s] === Phase.Range || slots.phase[s] === Phase.Undo;
      if (slots.kind[s] !== Kind.PeerWrite || !waits) continue;
      if (slots.link[s] !== link) continue;
      slots.phase[s] = Phase.Free;
    }
    for (let s = this.#first; s < this.#end; s += 1) {
      if (slots.kind[s] !== Kind.PeerWrite || slots.phase[s] !== Phase.Free) continue;
      this.#cool(s);
      slots.close(s);
      turn.emit(Decision.Free, s, 0, 0, 0, 0, 0);
      locks.release(s);
    }
    this.#p.receipts.settle();
  }

  /** Whether no slot is left for what comes, and every write waits for another or for room. */
  get stuck(): boolean {
    const { slots } = this.#p;
    for (let s = this.#first; s < this.#end; s += 1) {
      if (slots.kind[s] !== Kind.PeerWrite || !WAITING.has(slots.phase[s] as number)) return false;
    }
    return true;
  }

  /** Whether anything that came by this link is not done yet. */
  isBusyWith(link: number): boolean {
    const { slots } = this.#p;
    for (let s = this.#first; s < this.#end; s += 1) {
      if (slots.kind[s] === Kind.PeerWrite && slots.link[s] === link) return true;
    }
    return false;
  }

  /** Calls `done` when no peer's write is in flight on the local disk. */
  whenIdle(done: () => void): void {
    if (this.#flying === 0) done();
    else this.#idle.push(this.#p.turn.carry(done));
  }

  /** The write of `slot` takes its place among those that overlap it. */
  order(slot: number): void {
    const { slots, locks, canary } = this.#p;
    slots.phase[slot] = Phase.Range;
    const start = slots.offset[slot] as number;
    const hold = canary.overlapOrder ? Hold.None : Hold.Exclusive;
    if (locks.acquire(slot, start, start + (slots.length[slot] as number), hold)) {
      this.granted(slot);
    }
  }

  #answer(slot: number, status: number): void {
    this.#acknowledge(slot, status);
    this.#letGo(slot);
  }

  #letGo(slot: number): void {
    this.#p.slots.close(slot);
    this.#p.turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
  }

  #acknowledge(slot: number, status: number): void {
    const { slots, turn, partners } = this.#p;
    const by = slots.link[slot] as number;
    const detached = ((slots.flags[slot] as number) & Flag.Detached) !== 0;
    if (detached) this.#p.points.done(slot);
    // A failed link incarnation never carries anything again.
    if (!detached && partners.on(by) !== null) {
      turn.emit(
        Decision.PeerAck,
        slots.sender[slot] as number,
        by,
        0,
        slots.sequence[slot] as number,
        0,
        status,
      );
    }
  }
}
