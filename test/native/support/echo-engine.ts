/**
 * The least engine there can be: it serves reads, writes and flushes from the local replica, and,
 * once a link is up, mirrors writes, answers a peer's reads, and flushes nothing remotely. For
 * tests of the reactor alone.
 */

import type { Reactor } from '../../../backends/real/native.ts';
import { type AbiLayout, Decision, Event, Flag } from '../../../engine/data/abi.ts';
import { DataMemory } from '../../../engine/data/memory.ts';

/** A layout small enough for tests, large enough for queue depth 64. */
export const LAYOUT: AbiLayout = {
  events: 256,
  decisions: 8 * 256 + 64,
  frontSlots: 64,
  peerSlots: 64,
  engineSlots: 4,
  slotBytes: 1 << 20,
  inPages: 16,
  outPages: 16,
};

/** What came by that is not a front-end request. */
export interface Seen {
  readonly op: number;
  readonly link: number;
  readonly offset: number;
  readonly length: number;
  readonly status: number;
  /** First bytes of the in-page, for PeerMessage and MetaDone. */
  readonly text: string;
}

/** One reactor and its engine; `turn` is one round of both. */
export class EchoEngine {
  readonly reactor: Reactor;
  readonly memory: DataMemory;
  readonly seen: Seen[] = [];
  /** The link to mirror to, 0 for none. */
  link = 0;
  /** Requests come in and are not answered while this is set. */
  holding = false;
  /** Slots that were held, in order. */
  readonly held: number[] = [];
  /** Clients' writes are sent on without an answer, as to an asynchronous replica. */
  detaches = false;
  /** What of that and of messages came here, in order: `w<number>:<checksum>`, `m<text>`. */
  readonly came: string[] = [];
  /** Such writes are taken and not done while this is set, so that slots run out. */
  keeping = false;
  readonly #kept: (() => void)[] = [];
  #count = 0;
  #sequence = 0;
  /** Parts of each slot's request still to come. */
  readonly #pending: Int32Array;
  readonly #status: Int32Array;
  /** Slots of the engine's own that wait for the answer to a read, and on which link. */
  readonly asking = new Map<number, number>();
  #asked = 0;
  /** How the operations of its own slots on the local disk ended. */
  readonly locals: number[] = [];
  /** Lengths of the peer's reads that are being read for it, by slot. */
  readonly #answering = new Map<number, number>();
  /** The link whose acknowledgement each front slot waits for, 0 for none. */
  readonly #awaited: Int32Array;

  constructor(reactor: Reactor, layout: AbiLayout = LAYOUT) {
    this.reactor = reactor;
    this.memory = new DataMemory(layout, reactor.memory);
    this.#pending = new Int32Array(layout.frontSlots + layout.peerSlots + layout.engineSlots);
    this.#status = new Int32Array(this.#pending.length);
    this.#awaited = new Int32Array(this.#pending.length);
  }

  /** Adds one decision to the next turn. */
  decide(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void {
    this.memory.decisions.put(this.#count, op, slot, link, flags, offset, length, status);
    this.#count += 1;
  }

  /** Asks the peer for [offset, offset+length) into a slot of the engine's own. */
  ask(slot: number, offset: number, length: number): void {
    this.#asked += 1;
    this.asking.set(slot, this.link);
    this.memory.headers.put(slot, 1, this.#asked, 1, slot + 1);
    this.decide(Decision.PeerRead, slot, this.link, 0, offset, length, 0);
  }

  /** Hands the decisions over, waits until `deadline`, and answers what came. */
  turn(deadline: number): number {
    const decisions = this.#count;
    this.#count = 0;
    const count = this.reactor.poll(decisions, deadline);
    for (let r = 0; r < count; r += 1) this.#handle(r);
    return count;
  }

  /** Answers the requests that were held. */
  release(status: number): void {
    this.holding = false;
    for (const slot of this.held.splice(0))
      this.decide(Decision.Complete, slot, 0, 0, 0, 0, status);
  }

  /** Goes on with the writes that were kept. */
  goOn(): void {
    this.keeping = false;
    for (const free of this.#kept.splice(0)) free();
  }

  #handle(r: number): void {
    const { events, headers } = this.memory;
    const slot = events.slot(r);
    const offset = events.offset(r);
    const length = events.length(r);
    const flags = events.flags(r);
    const op = events.op(r);
    if (this.holding && op <= Event.ReqFlush) {
      this.held.push(slot);
      return;
    }
    switch (op) {
      case Event.ReqRead:
        this.#pending[slot] = 1;
        this.#status[slot] = 0;
        this.decide(Decision.LocalRead, slot, 0, 0, offset, length, 0);
        return;
      case Event.ReqWrite:
        this.#pending[slot] = 1;
        this.#status[slot] = 0;
        this.decide(Decision.LocalWrite, slot, 0, flags, offset, length, 0);
        if (this.link === 0) return;
        if (this.detaches) {
          this.#sequence += 1;
          headers.put(slot, 1, this.#sequence, 1, slot + 1);
          const how = flags | Flag.Detached;
          this.decide(Decision.PeerWrite, slot, this.link, how, offset, length, 0);
          return;
        }
        this.#pending[slot] = 2;
        this.#awaited[slot] = this.link;
        this.#sequence += 1;
        headers.put(slot, 1, this.#sequence, 1, slot + 1);
        this.decide(Decision.PeerWrite, slot, this.link, flags, offset, length, 0);
        return;
      case Event.ReqFlush:
        this.decide(Decision.LocalFlush, 0, 0, 0, 0, slot, 0);
        return;
      case Event.FlushDone:
        // A larger token is a flush that no client asked for.
        if (length >= this.memory.layout.frontSlots) return;
        this.decide(Decision.Complete, length, 0, 0, 0, 0, events.status(r));
        return;
      case Event.LocalDone:
        if (slot >= this.memory.layout.frontSlots + this.memory.layout.peerSlots) {
          this.locals.push(events.status(r));
          return;
        }
        this.#part(slot, events.status(r));
        return;
      case Event.PeerAck:
        // Late, of a link that is given up: the slot may be another request's by now.
        if (this.#awaited[slot] !== events.link(r)) return;
        this.#awaited[slot] = 0;
        this.#part(slot, events.status(r));
        return;
      case Event.PeerWrite:
        if ((flags & Flag.Detached) !== 0) {
          this.came.push(`w${headers.sequence(slot)}:${headers.checksum(slot)}`);
          const free = () => this.decide(Decision.Free, slot, 0, 0, 0, 0, 0);
          if (this.keeping) this.#kept.push(free);
          else free();
          return;
        }
        this.#pending[slot] = -events.link(r);
        this.decide(Decision.LocalWrite, slot, 0, flags, offset, length, 0);
        return;
      case Event.PeerRead:
        this.#pending[slot] = -events.link(r);
        this.#answering.set(slot, length);
        this.decide(Decision.LocalRead, slot, 0, 0, offset, length, 0);
        return;
      case Event.PeerData:
        if (this.asking.get(slot) !== events.link(r)) throw new Error('nobody asked for this');
        this.asking.delete(slot);
        break;
      case Event.LinkDown:
        this.#lost(events.link(r));
        break;
      case Event.LinkUp:
        this.#sequence = 0;
        break;
      default:
    }
    const paged = op === Event.PeerMessage || (op === Event.MetaDone && events.status(r) === 0);
    const at = slot * 4096;
    const text = paged ? String.fromCharCode(...this.memory.inPages.subarray(at, at + 16)) : '';
    if (op === Event.PeerMessage) this.came.push(`m${text.slice(0, length)}`);
    this.seen.push({ op, link: events.link(r), offset, length, status: events.status(r), text });
  }

  /** A link is down: nothing that was sent on it will be acknowledged. */
  #lost(link: number): void {
    if (link === this.link) this.link = 0;
    for (const [slot, by] of this.asking) if (by === link) this.asking.delete(slot);
    for (let slot = 0; slot < this.#awaited.length; slot += 1) {
      if (this.#awaited[slot] !== link) continue;
      this.#awaited[slot] = 0;
      this.#part(slot, 0);
    }
  }

  #part(slot: number, status: number): void {
    const pending = this.#pending[slot] as number;
    if (status !== 0) this.#status[slot] = status;
    if (pending < 0) {
      // A peer's write: its link stands in `pending`, its sequence in the header.
      const sequence = this.memory.headers.sequence(slot);
      const sender = this.memory.headers.request(slot) - 1;
      const length = this.#answering.get(slot);
      this.#answering.delete(slot);
      if (length === undefined) {
        this.decide(Decision.PeerAck, sender, -pending, 0, sequence, 0, status);
      } else this.decide(Decision.PeerData, slot, -pending, 0, sequence, length, status);
      this.decide(Decision.Free, slot, 0, 0, 0, 0, 0);
      return;
    }
    this.#pending[slot] = pending - 1;
    if (pending !== 1) return;
    this.decide(Decision.Complete, slot, 0, 0, 0, 0, this.#status[slot] as number);
  }
}

/** Whether a request wants to be durable; here for the test's own reading. */
export function isFua(flags: number): boolean {
  return (flags & Flag.Fua) !== 0;
}
