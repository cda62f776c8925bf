/**
 * The slots as the engine knows them: one row of typed arrays per payload buffer, and queues of
 * slots that allocate nothing. A slot waits in at most one queue at a time.
 */
import { invariant } from '../core/invariant.ts';
import { MICROS_PER_S, type Micros } from '../core/units.ts';

/** What a slot is used for. */
export const Kind = {
  Free: 0,
  Read: 1,
  Write: 2,
  Flush: 3,
  PeerWrite: 4,
  Copy: 5,
  /** A read that the peer asked for. */
  PeerRead: 6,
  /** A block being repaired. */
  Repair: 7,
  /** A chunk being held against the peer's. */
  Verify: 8,
  /** What was written to a spare block is being read. */
  Rescue: 9,
  /** What a resync is about to overwrite, on its way into the undo log. */
  Undo: 10,
  /** What a resync had overwritten, on its way back. */
  Return: 11,
} as const;

/** How far a slot has come. */
export const Phase = {
  Free: 0,
  /** At the gate: this host may not act as primary just now. */
  Gate: 1,
  /** Waits for its byte range. */
  Range: 2,
  /** Waits for a place in the hot set. */
  Room: 3,
  /** Waits for the journal block that makes its extents durably hot. */
  Hot: 4,
  /** Waits for the peer to be back, or to be left out. */
  Parked: 5,
  /** Issued to the local disk, the peer, or both. */
  Flying: 6,
  /** Done, but may not be completed before the next grant. */
  Held: 7,
  /** A flush that waits for its barrier. */
  Barrier: 8,
  /** A peer's write of an epoch that is not durable here yet. */
  Epoch: 9,
  /** A peer's write that waits until what it overwrites is in the undo log. */
  Undo: 10,
} as const;

/** What the peer did with what was sent from a slot: a write, or the question for a read. */
export const Peer = {
  /** It was not sent. */
  None: 0,
  /** It is on its way. */
  Sent: 1,
  /** The peer has it. */
  Acked: 2,
  /** The link failed under it; the backend still holds the slot until LinkDown. */
  Failing: 3,
  /** The link failed under it and is gone. */
  Lost: 4,
} as const;

export class Slots {
  readonly count: number;
  readonly kind: Uint8Array;
  readonly phase: Uint8Array;
  readonly offset: Float64Array;
  readonly length: Uint32Array;
  readonly flags: Int32Array;
  /** 1 when the local disk is done. */
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
  /** The link that the write was sent on, or came by. */
  readonly link: Int32Array;
  readonly sequence: Float64Array;
  /** First and last extent held hot; last < first when none. */
  readonly firstExtent: Uint32Array;
  readonly lastExtent: Int32Array;
  /** The journal sequence that this slot waits for. */
  readonly journal: Float64Array;
  /** The sender's slot, of a peer's write. */
  readonly sender: Int32Array;
  readonly status: Int32Array;
  /** When a front-end request came; it stays when the slot is free. */
  readonly since: Float64Array;
  /** Links of {@link SlotQueue}. */
  readonly next: Int32Array;

  constructor(count: number) {
    this.count = count;
    this.kind = new Uint8Array(count);
    this.phase = new Uint8Array(count);
    this.offset = new Float64Array(count);
    this.length = new Uint32Array(count);
    this.flags = new Int32Array(count);
    this.local = new Uint8Array(count);
    this.peer = new Uint8Array(count);
    this.link = new Int32Array(count);
    this.sequence = new Float64Array(count);
    this.firstExtent = new Uint32Array(count);
    this.lastExtent = new Int32Array(count).fill(-1);
    this.journal = new Float64Array(count);
    this.sender = new Int32Array(count);
    this.status = new Int32Array(count);
    this.since = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.next = new Int32Array(count).fill(-1);
  }

  /** Starts a new use of a slot. */
  open(slot: number, kind: number, offset: number, length: number, flags: number): void {
    invariant(this.kind[slot] === Kind.Free, 'a slot has one use at a time');
    this.kind[slot] = kind;
    this.offset[slot] = offset;
    this.length[slot] = length;
    this.flags[slot] = flags;
    this.local[slot] = 0;
    this.peer[slot] = Peer.None;
    this.link[slot] = 0;
    this.sequence[slot] = 0;
    this.firstExtent[slot] = 0;
    this.lastExtent[slot] = -1;
    this.status[slot] = 0;
  }

  /** The first free slot of [from, to), -1 when all are in use. */
  firstFree(from: number, to: number): number {
    for (let slot = from; slot < to; slot += 1) if (this.kind[slot] === Kind.Free) return slot;
    return -1;
  }

  /** Whether clients have asked for nothing in the second before `now`, by their `count` slots. */
  isQuiet(count: number, now: Micros): boolean {
    for (let slot = 0; slot < count; slot += 1) {
      if ((this.since[slot] as number) > now - MICROS_PER_S) return false;
    }
    return true;
  }

  /** Ends the use of a slot. */
  close(slot: number): void {
    this.kind[slot] = Kind.Free;
    this.phase[slot] = Phase.Free;
  }
}

/** First in, first out, over {@link Slots.next}. */
export class SlotQueue {
  readonly #next: Int32Array;
  #head = -1;
  #tail = -1;
  #count = 0;

  constructor(slots: Slots) {
    this.#next = slots.next;
  }

  get count(): number {
    return this.#count;
  }

  /** The slot that would be taken next, -1 when empty. */
  get head(): number {
    return this.#head;
  }

  push(slot: number): void {
    this.#next[slot] = -1;
    if (this.#tail >= 0) this.#next[this.#tail] = slot;
    else this.#head = slot;
    this.#tail = slot;
    this.#count += 1;
  }

  /** Hands over each slot that `goes`, oldest first; the others keep their order. */
  takeWhere(goes: (slot: number) => boolean, taken: (slot: number) => void): void {
    for (let count = this.#count; count > 0; count -= 1) {
      const slot = this.take();
      if (goes(slot)) taken(slot);
      else this.push(slot);
    }
  }

  /** Takes the oldest slot, -1 when empty. */
  take(): number {
    const slot = this.#head;
    if (slot < 0) return -1;
    this.#head = this.#next[slot] as number;
    if (this.#head < 0) this.#tail = -1;
    this.#next[slot] = -1;
    this.#count -= 1;
    return slot;
  }
}
