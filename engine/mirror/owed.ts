/**
 * Answers that a peer owes on its link. One that owes some and gives none for the peer timeout is
 * taken for lost; so is one that owes a single answer for as long as a disk may take while it gives
 * others: its disk may leave one operation undone and do all the rest. Late is only what something
 * that was asked for later has overtaken, so that a slow wire, which keeps the order, is never
 * blamed. What a loss means, the link decides.
 */
import type { Micros } from '../core/units.ts';
import type { Turn } from './turn.ts';

const NONE = -1;
/** What is late must be so again this much later: its answer may stand behind the timer. */
const SECOND_LOOK: Micros = 500_000;

/** Why a peer is given up, '' while it is not. */
export type Lateness = '' | 'timeout' | 'overdue';

export interface OwedOptions {
  /** By which this peer is looked at. */
  readonly deadline: number;
  /** Without any answer for so long it is lost. */
  readonly timeout: Micros;
  /** Nothing that it owes may take longer, once it was overtaken. */
  readonly patience: Micros;
  /** Slots from which something may be asked. */
  readonly slots: number;
}

export class Owed {
  readonly #turn: Turn;
  readonly #o: OwedOptions;
  /** Answers that the peer owes, and a count of those it gave. */
  #owed = 0;
  #progress = 0;
  #watched = 0;
  /** When a peer without progress counts as silent. */
  #silentAt: Micros = 0;
  /** When something was sent from each slot that is not answered yet. */
  readonly #sent: Float64Array;
  /** The same of flushes, two at most and answered in their order; and of the last message. */
  #flush: Micros = NONE;
  #nextFlush: Micros = NONE;
  #message: Micros = NONE;
  /** When that was asked for which came last of all that has been answered. */
  #newest: Micros = NONE;
  /** What was late at the first look, by its time. */
  #late: Micros = NONE;

  constructor(turn: Turn, options: OwedOptions) {
    this.#turn = turn;
    this.#o = options;
    this.#sent = new Float64Array(options.slots).fill(NONE);
  }

  /** The peer owes nothing any more. */
  forget(): void {
    this.#owed = 0;
    this.#sent.fill(NONE);
    this.#flush = NONE;
    this.#nextFlush = NONE;
    this.#message = NONE;
    this.#newest = NONE;
    this.#late = NONE;
  }

  /** A write or a question was sent from `slot`. */
  sent(slot: number): void {
    this.#sent[slot] = this.#turn.now;
    this.#more();
  }

  /** The answer for `slot` is there. */
  answered(slot: number): void {
    const sent = this.#sent[slot] as number;
    if (sent > this.#newest) this.#newest = sent;
    this.#sent[slot] = NONE;
    this.#less();
  }

  flushSent(): void {
    if (this.#flush === NONE) this.#flush = this.#turn.now;
    else if (this.#nextFlush === NONE) this.#nextFlush = this.#turn.now;
    this.#more();
  }

  flushAnswered(): void {
    this.#flush = this.#nextFlush;
    this.#nextFlush = NONE;
    this.#less();
  }

  /** A message was sent that the peer must answer; one before it needs no answer any more. */
  expect(): void {
    this.#message = this.#turn.now;
    this.#more();
  }

  /** A message that answers came. */
  got(): void {
    this.#message = NONE;
    this.#less();
  }

  /** Looks at the peer when it is time. */
  look(forEver = false): Lateness {
    if (this.#owed <= 0) return '';
    const { now } = this.#turn;
    if (now >= this.#silentAt) {
      if (this.#progress === this.#watched) return 'timeout';
      this.#watched = this.#progress;
      this.#silentAt = now + this.#o.timeout;
    }
    let next = this.#silentAt;
    const oldest = this.#oldest;
    const overtaken = oldest < this.#newest && !forEver;
    const due = oldest + this.#o.patience;
    if (!overtaken || now < due) {
      this.#late = NONE;
      if (overtaken) next = Math.min(next, due);
    } else if (this.#late === oldest) return 'overdue';
    else {
      this.#late = oldest;
      next = Math.min(next, now + SECOND_LOOK);
    }
    this.#turn.due(this.#o.deadline, next);
    return '';
  }

  #more(): void {
    this.#owed += 1;
    if (this.#turn.isSet(this.#o.deadline)) return;
    this.#watched = this.#progress;
    this.#silentAt = this.#turn.now + this.#o.timeout;
    this.#turn.due(this.#o.deadline, this.#silentAt);
  }

  #less(): void {
    if (this.#owed > 0) this.#owed -= 1;
    this.#progress += 1;
  }

  /** When the oldest of what is owed was asked for, Infinity for nothing. */
  get #oldest(): Micros {
    let oldest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#sent.length; slot += 1) {
      const sent = this.#sent[slot] as number;
      if (sent !== NONE && sent < oldest) oldest = sent;
    }
    if (this.#flush !== NONE) oldest = Math.min(oldest, this.#flush);
    if (this.#message !== NONE) oldest = Math.min(oldest, this.#message);
    return oldest;
  }
}
