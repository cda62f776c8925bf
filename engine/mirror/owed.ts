/**
 * Answers that a peer owes on its link. One that owes some and gives none for the peer timeout is
 * taken for lost. Counts; what a loss means its link decides.
 */
import type { Micros } from '../core/units.ts';
import type { Turn } from './turn.ts';

export class Owed {
  readonly #turn: Turn;
  readonly #deadline: number;
  readonly #timeout: Micros;
  /** Answers that the peer owes, and a count of those it gave. */
  #owed = 0;
  #progress = 0;
  #watched = 0;

  /** `deadline` is the one by which this peer is looked at. */
  constructor(turn: Turn, deadline: number, timeout: Micros) {
    this.#turn = turn;
    this.#deadline = deadline;
    this.#timeout = timeout;
  }

  /** The peer owes nothing any more. */
  forget(): void {
    this.#owed = 0;
  }

  /** The peer owes an answer more. */
  expect(): void {
    this.#owed += 1;
    if (this.#turn.isSet(this.#deadline)) return;
    this.#watched = this.#progress;
    this.#turn.due(this.#deadline, this.#turn.now + this.#timeout);
  }

  /** The peer gave an answer. */
  got(): void {
    if (this.#owed > 0) this.#owed -= 1;
    this.#progress += 1;
  }

  /** Looks at the peer when it is time; true when it owes answers and gave none since. */
  get overdue(): boolean {
    if (this.#owed <= 0) return false;
    if (this.#progress === this.#watched) return true;
    this.#watched = this.#progress;
    this.#turn.due(this.#deadline, this.#turn.now + this.#timeout);
    return false;
  }
}
