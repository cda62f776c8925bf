/**
 * Reads of one replica by the other host. The asking side sends a slot away and has it back once,
 * with the answer or with the end of the link. The side that is asked checks the epoch, orders the
 * read like one of its own, and answers with what its disk says. Neither believes what belongs to a
 * link that is gone, and a replica that is no full copy answers nobody, but for the source of its
 * copy, which asks for digests of what may be equal already.
 */
import { Decision, Flag, Status } from '../data/abi.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { mediumError } from './repair.ts';
import { Kind, Peer, Phase, SlotQueue } from './request.ts';
import { Through } from './state.ts';
import { Opinion } from './sums.ts';

export class PeerReads {
  readonly #p: Parts;
  /** Reads of an epoch that is being made durable here. */
  readonly #epoch: SlotQueue;
  readonly #first: number;
  readonly #end: number;

  constructor(parts: Parts) {
    this.#p = parts;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots;
    this.#end = layout.frontSlots + layout.peerSlots;
    this.#epoch = new SlotQueue(parts.slots);
  }

  // The side that asks.

  /** Whether a peer is a member that may be asked now. */
  get possible(): boolean {
    return this.somebody !== null;
  }

  /** A member that may be asked now, null for none. */
  get somebody(): Partner | null {
    for (const partner of this.#p.partners.all) if (this.mayAsk(partner)) return partner;
    return null;
  }

  mayAsk({ link }: Partner): boolean {
    const { state, canary } = this.#p;
    if (!state.lead) return false;
    if (canary.proxyReadsCopy && state.through === Through.On) return link.id !== 0;
    return link.mode === Mode.Sync || (canary.repairFromDirty && link.mirrored);
  }

  /**
   * Asks a peer for [offset, offset+length) into `slot`, whose range the caller holds; for its
   * digest where `flags` says so.
   */
  ask({ link }: Partner, slot: number, offset: number, length: number, flags = 0): void {
    const { slots, turn, state, store } = this.#p;
    link.stream.readsSent += 1;
    slots.phase[slot] = Phase.Flying;
    slots.peer[slot] = Peer.Sent;
    slots.link[slot] = link.id;
    slots.sequence[slot] = link.stream.readsSent;
    turn.memory.headers.put(
      slot,
      state.epoch,
      link.stream.readsSent,
      store.block.generation,
      slot + 1,
    );
    turn.emit(Decision.PeerRead, slot, link.id, flags, offset, length, 0);
    link.owed.sent(slot);
  }

  /** The peer answered the read of `slot`, or says that it will not. */
  answered(id: number, slot: number, sequence: number, status: number): void {
    const { slots, partners, canary, repair, verify, turn } = this.#p;
    const by = partners.on(id);
    // Late, of a link that is given up: its end gives the slot back, not this.
    if (by === null && !canary.lateReadAnswer) {
      turn.reached('mirror.read.late-answer');
      return;
    }
    const { link } = by ?? partners.first;
    const known = slot >= 0 && slot < slots.count && slots.sequence[slot] === sequence;
    const kind = known ? slots.kind[slot] : Kind.Free;
    // Of copies only those whose target was asked what it has.
    const compares = kind === Kind.Copy && this.#p.source.compare.has(slot);
    const asks = kind === Kind.Read || kind === Kind.Repair || kind === Kind.Verify;
    const asking = asks || compares;
    const waits = asking && slots.peer[slot] === Peer.Sent && slots.link[slot] === id;
    if (!waits && !(canary.lateReadAnswer && asking)) {
      link.drop('garbage');
      return;
    }
    link.owed.answered(slot);
    slots.peer[slot] = Peer.None;
    if (status === Status.StaleEpoch && link.mode === Mode.Sync) {
      // It follows somebody else, or has lost its data: this relation is over.
      turn.reached('mirror.read.refused');
      slots.peer[slot] = Peer.Lost;
      link.drop('refused-read');
    }
    if (compares) this.#p.source.compare.answered(slot, status);
    else if (kind === Kind.Verify) verify.chunk.answered(slot, status);
    else repair.answered(slot, status);
  }

  // The side that is asked.

  /** A peer's read arrived; `slot` is for the answer. */
  arrived(slot: number, link: number, flags: number, offset: number, length: number): void {
    const { slots, turn, partners, config } = this.#p;
    const headers = turn.memory.headers;
    const peer = partners.on(link)?.link;
    if (peer === undefined) {
      turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
      return;
    }
    peer.stream.readsReceived += 1;
    const sane =
      Number.isSafeInteger(offset) &&
      offset >= 0 &&
      length > 0 &&
      length <= turn.memory.layout.slotBytes &&
      offset + length <= config.sizeBytes;
    if (!sane || headers.sequence(slot) !== peer.stream.readsReceived) {
      turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
      peer.drop('garbage');
      return;
    }
    const sums = this.#p.sums === null ? 0 : Flag.Sums;
    const kept = Flag.Digest | Flag.Resync | sums;
    slots.open(slot, Kind.PeerRead, offset, length, flags & kept);
    slots.link[slot] = link;
    slots.sequence[slot] = headers.sequence(slot);
    const waits = peer.following && headers.epoch(slot) > this.#p.store.durableEpoch;
    if (waits || this.#epoch.count > 0) {
      slots.phase[slot] = Phase.Epoch;
      this.#epoch.push(slot);
      turn.reached('mirror.read.epoch-wait');
      return;
    }
    this.#order(slot);
  }

  /** The epoch that held reads waited for may be durable now. */
  epochDurable(): void {
    const { turn, store, slots, partners } = this.#p;
    while (this.#epoch.count > 0) {
      const { head } = this.#epoch;
      const later = turn.memory.headers.epoch(head) > store.durableEpoch;
      if (later && partners.on(slots.link[head] as number)?.link.following === true) return;
      this.#order(this.#epoch.take());
    }
  }

  /** The range of `slot` is free of writes. */
  granted(slot: number): void {
    const { slots, turn, locks } = this.#p;
    if (slots.phase[slot] !== Phase.Range) return;
    // Whom this host followed may have changed while the read waited.
    if (!this.#serves(slot)) {
      locks.release(slot);
      this.#answer(slot, Status.StaleEpoch);
      return;
    }
    slots.phase[slot] = Phase.Flying;
    const [offset, flags] = [slots.offset[slot] as number, slots.flags[slot] as number];
    turn.emit(Decision.LocalRead, slot, 0, flags, offset, slots.length[slot] as number, 0);
  }

  /** The local disk has read for the peer. A medium error is the peer's to know, not an end. */
  localDone(slot: number, status: number): void {
    const { locks, role, turn, follower, canary } = this.#p;
    locks.release(slot);
    if (status !== 0 && !this.#isForCopy(slot)) turn.reached('mirror.read.both-bad');
    if (this.#isForCopy(slot) && !canary.skipUnnoted) follower.leftOut(slot, 0);
    // What contradicts its checksum is told from what the disk did not give.
    const told = status === 0 || status === Status.Differs ? status : Status.Io;
    const { sums, slots } = this.#p;
    // The asking primary has found both equal, and holds the range.
    if (status === 0 && ((slots.flags[slot] as number) & Flag.Sums) !== 0) sums?.adopt(slot);
    this.#answer(slot, told, sums?.opinion(slot) === Opinion.Match ? Flag.Sums : 0);
    if (status !== 0 && !mediumError(status)) role.failDisk('read', status);
  }

  /** The link that reads came by is lost: nobody waits for an answer. */
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
    for (let s = this.#first; s < this.#end; s += 1) {
      if (slots.kind[s] !== Kind.PeerRead || slots.phase[s] !== Phase.Range) continue;
      if (slots.link[s] !== link) continue;
      slots.close(s);
      turn.emit(Decision.Free, s, 0, 0, 0, 0, 0);
      locks.release(s);
    }
  }

  #order(slot: number): void {
    const { slots, locks, turn } = this.#p;
    if (!this.#serves(slot)) {
      turn.reached('mirror.read.stale-epoch');
      this.#answer(slot, Status.StaleEpoch);
      return;
    }
    slots.phase[slot] = Phase.Range;
    const start = slots.offset[slot] as number;
    const end = start + (slots.length[slot] as number);
    if (locks.acquire(slot, start, end, Hold.Shared)) this.granted(slot);
  }

  /**
   * Only a member that follows the asking primary on this very link has what it asks for. A target
   * says what it has of a copy, unless its disk may show what it does not hold.
   */
  #serves(slot: number): boolean {
    const { slots, partners, unproved, canary } = this.#p;
    if (canary.peerReadAnyEpoch || canary.repairFromDirty || canary.balanceInCopy) return true;
    if (canary.proxyReadsCopy) return true;
    if (partners.on(slots.link[slot] as number)?.link.mode === Mode.Follow) return true;
    const digest = ((slots.flags[slot] as number) & Flag.Digest) !== 0;
    return digest && this.#isForCopy(slot) && (!unproved.doubtful || canary.skipInDoubt);
  }

  /** Whether the source of a copy to this replica asked. */
  #isForCopy(slot: number): boolean {
    const { slots, partners } = this.#p;
    return partners.on(slots.link[slot] as number)?.link.mode === Mode.Target;
  }

  #answer(slot: number, status: number, more = 0): void {
    const { slots, turn, partners } = this.#p;
    const by = slots.link[slot] as number;
    // A failed link incarnation never carries anything again.
    if (partners.on(by) !== null) {
      const length = status === Status.Ok ? (slots.length[slot] as number) : 0;
      const flags = ((slots.flags[slot] as number) & Flag.Digest) | more;
      const sequence = slots.sequence[slot] as number;
      turn.emit(Decision.PeerData, slot, by, flags, sequence, length, status);
    }
    slots.close(slot);
    turn.emit(Decision.Free, slot, 0, 0, 0, 0, 0);
  }
}
