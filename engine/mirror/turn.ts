/**
 * What every part of a data actor shares during one turn: the time, the decisions written so far,
 * deadlines, reports and the timeline. Decides nothing.
 */
import { invariant } from '../core/invariant.ts';
import type { Micros, NodeId } from '../core/units.ts';
import { Decision, Flag, PAGE_BYTES } from '../data/abi.ts';
import type { DataMemory, Records } from '../data/memory.ts';
import type { DataReport, Mailboxes } from '../data/messages.ts';
import type { TimelineValue } from '../timeline/event.ts';
import { PARTNERS_MAX } from './config.ts';

/** What can fall due. */
export const Deadline = {
  /** A barrier starts by itself. */
  Barrier: 0,
  /** A peer that owes an answer is looked at; every further one has its own, {@link watchOf}. */
  Watch: 1,
  /** A new primary stops waiting for the other member. */
  Connect: 2,
  /** The right to act as primary runs out. */
  Grant: 3,
  /** A running resync says how far it is. */
  Progress: 4,
  /** The oldest operation of the local disk is looked at. */
  Disk: 5,
  /** A verification may look at its next chunk. */
  Verify: 6,
  /** A resync that yields may begin its next copy. */
  Copy: 7,
  /** A quiesce point may be held no longer. */
  Quiesce: 8,
  /** What requests took in the last second is told. */
  Meters: 9,
  /** Pages of the checksum map that nobody writes to are closed. */
  Sums: 10,
  /** An asynchronous replica is to become a later image. */
  Point: 11,
  /** Its primary hears how far it has received. */
  Received: 12,
  /** A kept branch that could not be read is read once more. */
  Branch: 13,
} as const;
const NAMED = 14;
const DEADLINES = NAMED + PARTNERS_MAX;

/** By when the partner with this index is looked at, if it owes an answer. */
export function watchOf(index: number): number {
  return index === 0 ? Deadline.Watch : NAMED + index;
}

/** What tells an operation on a page from others: the side area has pages of the same numbers. */
export function pageKey(page: number, flags: number): number {
  return (flags & Flag.Side) === 0 ? page : -1 - page;
}

/** A decision that found no room in its turn and leads the next one. */
interface Held {
  readonly op: number;
  readonly slot: number;
  readonly link: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  readonly status: number;
  readonly page: Uint8Array | null;
  readonly report: DataReport | null;
}

export class Turn {
  /** The step's clock. */
  now: Micros = 0;
  /** Id of the event being handled, '' for none: the cause of what arises. */
  cause = '';
  readonly node: NodeId;
  readonly memory: DataMemory;
  readonly reached: (mark: string) => void;
  /**
   * Told each decision for the local disk: an operation, its slot, and what tells it from others
   * of its sort: the token of a flush, the page of metadata.
   */
  onDisk: (op: number, slot: number, key: number) => void = () => {};
  /**
   * Asked before each read and write of the local disk; the flags to do it with, or -1 to leave it
   * to whoever was asked. Null where nobody wants to be.
   */
  onData:
    | ((op: number, slot: number, flags: number, offset: number, length: number) => number)
    | null = null;
  /** Whether somebody does a read or write of the own disk in parts; null while nobody has to. */
  divides:
    | ((op: number, slot: number, flags: number, offset: number, length: number) => boolean)
    | null = null;
  readonly #decisions: Records;
  readonly #outbox: DataReport[];
  readonly #idPrefix: string;
  readonly #volume: string;
  readonly #deadlines = new Float64Array(DEADLINES).fill(Number.POSITIVE_INFINITY);
  #count = 0;
  #pages = 0;
  #held: Held[] = [];
  #events = 0;
  #armed = Number.POSITIVE_INFINITY;
  /** Whether the timer may have to be armed: a deadline was set, or the timer fired. */
  #unsettled = true;

  constructor(
    memory: DataMemory,
    mailboxes: Mailboxes,
    node: NodeId,
    session: number,
    volume: string,
    reached: (mark: string) => void,
  ) {
    this.memory = memory;
    this.node = node;
    this.reached = reached;
    this.#decisions = memory.decisions;
    this.#outbox = mailboxes.outbox;
    this.#volume = volume;
    // A node has an actor for each volume, and each counts for itself.
    this.#idPrefix = `${node}.${session}.${volume}.`;
  }

  /** Opens a turn; what the last one had no room for goes first. */
  begin(now: Micros): void {
    invariant(now >= this.now, 'the clock of a step never runs backwards');
    this.now = now;
    this.cause = '';
    this.#count = 0;
    this.#pages = 0;
    if (this.#held.length > 0) this.#release();
  }

  /** Closes a turn and returns how many decisions it wrote. */
  end(): number {
    if (!this.#unsettled && this.#held.length === 0) return this.#count;
    this.#unsettled = false;
    let due = Number.POSITIVE_INFINITY;
    for (let i = 0; i < DEADLINES; i += 1) due = Math.min(due, this.#deadlines[i] as number);
    if (this.#held.length > 0) due = this.now;
    if (due < this.#armed) {
      this.#armed = due;
      // `emit` always leaves room for this one.
      this.#decisions.put(this.#count, Decision.ArmTimer, 0, 0, 0, due, 0, 0);
      this.#count += 1;
    }
    return this.#count;
  }

  /** Writes a decision. */
  emit(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void {
    let how = flags;
    if (op <= Decision.LocalWrite && this.onData !== null) {
      how = this.onData(op, slot, flags, offset, length);
      if (how < 0) return;
    }
    this.put(op, slot, link, how, offset, length, status);
  }

  /**
   * Writes a decision for a part of a slot's payload, `at` bytes into it; `page` is the page of the
   * metadata area in which the part stands, 0 where it is in its place.
   */
  emitPart(
    op: number,
    slot: number,
    at: number,
    flags: number,
    offset: number,
    length: number,
    page: number,
  ): void {
    this.#put(op, slot, at, flags, offset, length, page);
  }

  /** The same as {@link emit}, without a question. */
  put(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void {
    if (op <= Decision.LocalWrite && this.divides?.(op, slot, flags, offset, length)) return;
    this.#put(op, slot, link, flags, offset, length, status);
  }

  #put(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void {
    if (this.#count + 1 >= this.#decisions.capacity || this.#held.length > 0) {
      this.#held.push({ op, slot, link, flags, offset, length, status, page: null, report: null });
      this.reached('mirror.turn.overflow');
      return;
    }
    this.#decisions.put(this.#count, op, slot, link, flags, offset, length, status);
    this.#count += 1;
    if (op > Decision.MetaWrite) return;
    this.onDisk(op, slot, op === Decision.MetaRead ? pageKey(offset, flags) : length);
  }

  /** Writes a decision that carries a page: MetaWrite or PeerMessage. `bytes` is copied. */
  emitPage(
    op: number,
    link: number,
    offset: number,
    length: number,
    bytes: Uint8Array,
    flags = 0,
  ): void {
    const full = this.#pages >= this.memory.layout.outPages;
    if (full || this.#count + 1 >= this.#decisions.capacity || this.#held.length > 0) {
      const page = bytes.slice();
      this.#held.push({
        op,
        slot: 0,
        link,
        flags,
        offset,
        length,
        status: 0,
        page,
        report: null,
      });
      this.reached('mirror.turn.overflow');
      return;
    }
    this.memory.outPages.set(bytes, this.#pages * PAGE_BYTES);
    this.#decisions.put(this.#count, op, this.#pages, link, flags, offset, length, 0);
    this.#pages += 1;
    this.#count += 1;
    if (op <= Decision.MetaWrite) this.onDisk(op, 0, pageKey(offset, flags));
  }

  /** Tells the control actor something. */
  report(report: DataReport): void {
    if (this.#count + 1 >= this.#decisions.capacity || this.#held.length > 0) {
      this.#held.push({ ...NOTHING, report });
      return;
    }
    this.#decisions.put(this.#count, Decision.Report, this.#outbox.length, 0, 0, 0, 0, 0);
    this.#outbox.push(report);
    this.#count += 1;
  }

  /**
   * `next` as a part of what is handled now, however much later it is called: for whoever waits
   * for a disk, a peer or a deadline. What arises where nothing is handled now that has an event
   * is a part of what `next` is called in.
   */
  carry(next: () => void): () => void {
    const { cause } = this;
    return () => this.under(cause === '' ? this.cause : cause, next);
  }

  /** Does `step` as a part of what the event `cause` began, and goes back to what is handled. */
  under(cause: string, step: () => void): void {
    const before = this.cause;
    this.cause = cause;
    step();
    this.cause = before;
  }

  /** Puts an event on the timeline, with the volume it is about, and returns its id. */
  event(kind: string, d: { readonly [name: string]: TimelineValue }): string {
    this.#events += 1;
    const id = `${this.#idPrefix}${this.#events}`;
    const named = { volume: this.#volume, ...d };
    const base = { id, t: this.now, node: this.node, kind, d: named };
    const event = this.cause === '' ? base : { ...base, cause: this.cause };
    this.report({ kind: 'event', event });
    return id;
  }

  /** Sets a deadline; Infinity for none. */
  due(deadline: number, at: Micros): void {
    this.#deadlines[deadline] = at;
    this.#unsettled = true;
  }

  /** Whether a deadline is set. Asked for each write: a time handed out would be a box each. */
  isSet(deadline: number): boolean {
    return this.#deadlines[deadline] !== Number.POSITIVE_INFINITY;
  }

  /** Notes that the armed timer fired. */
  timerFired(): void {
    this.#armed = Number.POSITIVE_INFINITY;
    this.#unsettled = true;
  }

  /** True, once, when the deadline has come. */
  takeDue(deadline: number): boolean {
    if ((this.#deadlines[deadline] as number) > this.now) return false;
    this.#deadlines[deadline] = Number.POSITIVE_INFINITY;
    return true;
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const h of held) {
      if (h.report) this.report(h.report);
      else if (h.page) this.emitPage(h.op, h.link, h.offset, h.length, h.page, h.flags);
      else this.#put(h.op, h.slot, h.link, h.flags, h.offset, h.length, h.status);
    }
  }
}

const NOTHING = {
  op: 0,
  slot: 0,
  link: 0,
  flags: 0,
  offset: 0,
  length: 0,
  status: 0,
  page: null,
} as const;
