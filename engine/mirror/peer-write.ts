/**
 * The other side of a mirrored write: a secondary checks the epoch, puts overlapping writes in
 * order, writes, and acknowledges. It never acknowledges in an epoch that is not durable here.
 */
import { Decision, Flag, Status } from '../data/abi.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { Kind, Phase, SlotQueue } from './request.ts';

export class PeerWrites {
  readonly #p: Parts;
  /** Writes of an epoch that is being made durable. */
  readonly #epoch: SlotQueue;
  readonly #first: number;
  readonly #end: number;
  /** Writes issued to the local disk. */
  #flying = 0;
  #idle: (() => void)[] = [];

  constructor(parts: Parts) {
    this.#p = parts;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots;
    this.#end = layout.frontSlots + layout.peerSlots;
    this.#epoch = new SlotQueue(parts.slots);
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
    if (!sane || !peer.received(headers.sequence(slot))) {
      turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
      peer.drop('garbage');
      return;
    }
    const kept = Flag.Fua | Flag.Resync | Flag.Zero | Flag.Unmap | Flag.Lost;
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
    if (this.#epoch.count > 0 || (epoch > this.#p.store.durableEpoch && !canary.rule01)) {
      slots.phase[slot] = Phase.Epoch;
      this.#epoch.push(slot);
      turn.reached('mirror.peer.epoch-wait');
      return;
    }
    this.#order(slot);
  }

  /** The epoch that held writes waited for may be durable now. */
  epochDurable(): void {
    const { turn, store, slots, partners } = this.#p;
    while (this.#epoch.count > 0) {
      if (turn.memory.headers.epoch(this.#epoch.head) > store.durableEpoch) return;
      const slot = this.#epoch.take();
      const by = partners.on(slots.link[slot] as number);
      if (by?.link.following === true) this.#order(slot);
      else this.#answer(slot, Status.StaleEpoch);
    }
  }

  /** The range of `slot` has become free. */
  granted(slot: number): void {
    const { slots, turn } = this.#p;
    // Its link is lost, and it is about to be let go.
    if (slots.phase[slot] !== Phase.Range) return;
    slots.phase[slot] = Phase.Flying;
    this.#flying += 1;
    const flags = (slots.flags[slot] as number) & (Flag.Fua | Flag.Zero | Flag.Unmap);
    const offset = slots.offset[slot] as number;
    turn.emit(Decision.LocalWrite, slot, 0, flags, offset, slots.length[slot] as number, 0);
  }

  /** The local disk is done with a peer's write. */
  localDone(slot: number, reported: number): void {
    const { slots, repair, canary } = this.#p;
    const status = canary.peerErrorIgnored ? 0 : reported;
    this.#flying -= 1;
    if (status === 0) repair.written(slots.offset[slot] as number, slots.length[slot] as number);
    this.#p.locks.release(slot);
    this.#answer(slot, status === 0 ? Status.Ok : Status.Io);
    if (status !== 0) this.#p.role.failDisk('write');
    if (this.#flying > 0 || this.#idle.length === 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const call of idle) call();
  }

  /** The link that writes came by is lost: what was not issued never will be. */
  linkLost(link: number): void {
    const { slots, turn, locks } = this.#p;
    for (let count = this.#epoch.count; count > 0; count -= 1) {
      const s = this.#epoch.take();
      if (slots.link[s] !== link) {
        this.#epoch.push(s);
        continue;
      }
      slots.close(s);
      turn.emit(Decision.Free, s, 0, 0, 0, 0, 0);
    }
    // Mark first: letting go of a range grants others, which must not be issued either.
    for (let s = this.#first; s < this.#end; s += 1) {
      if (slots.kind[s] !== Kind.PeerWrite || slots.phase[s] !== Phase.Range) continue;
      if (slots.link[s] !== link) continue;
      slots.phase[s] = Phase.Free;
    }
    for (let s = this.#first; s < this.#end; s += 1) {
      if (slots.kind[s] !== Kind.PeerWrite || slots.phase[s] !== Phase.Free) continue;
      slots.close(s);
      turn.emit(Decision.Free, s, 0, 0, 0, 0, 0);
      locks.release(s);
    }
  }

  /** Calls `done` when no peer's write is in flight on the local disk. */
  whenIdle(done: () => void): void {
    if (this.#flying === 0) done();
    else this.#idle.push(done);
  }

  #order(slot: number): void {
    const { slots, locks, canary } = this.#p;
    slots.phase[slot] = Phase.Range;
    const start = slots.offset[slot] as number;
    const hold = canary.overlapOrder ? Hold.None : Hold.Exclusive;
    if (locks.acquire(slot, start, start + (slots.length[slot] as number), hold)) {
      this.granted(slot);
    }
  }

  #answer(slot: number, status: number): void {
    const { slots, turn, partners } = this.#p;
    const by = slots.link[slot] as number;
    // A failed link incarnation never carries anything again.
    if (partners.on(by) !== null) {
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
    slots.close(slot);
    turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
  }
}
