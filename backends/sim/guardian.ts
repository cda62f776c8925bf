/**
 * The guardian and the hardware watchdog of one host: it pets until the deadline that the core
 * wrote, whatever becomes of the core; unpetted, the watchdog resets the machine.
 */
import type { Rng } from '../../engine/core/rng.ts';
import type { SimClock } from './clock.ts';
import { type Kernel, Kind, Stream } from './kernel.ts';

/** One host's watchdog. */
export class SimGuardian {
  readonly #kernel: Kernel;
  readonly #node: number;
  readonly #clock: SimClock;
  readonly #patience: number;
  readonly #delay: number;
  readonly #rng: Rng;
  #armed = false;
  #until = 0;
  /** World time of the reset if nothing changes. */
  #deadline = 0;
  #queued = false;
  #life = 0;
  #frozenAt = -1;

  /** `patience` is W and `delay` the watchdog's own lateness, on the host's clock. */
  constructor(kernel: Kernel, node: number, clock: SimClock, patience: number, delay: number) {
    this.#kernel = kernel;
    this.#node = node;
    this.#clock = clock;
    this.#patience = patience;
    this.#delay = delay;
    this.#rng = kernel.rng(Stream.host + 500 + node);
  }

  /** The core's word: pet until `until` (host's clock) while armed. */
  set(armed: boolean, until: number): void {
    this.#armed = armed;
    this.#until = until;
    this.#aim();
  }

  /** A new life of the host: not armed. */
  reset(): void {
    this.#armed = false;
    this.#queued = false;
    this.#life += 1;
    this.#frozenAt = -1;
  }

  /** The guest stands still, its virtual watchdog with it. */
  freeze(): void {
    this.#frozenAt = this.#kernel.now;
  }

  /** It runs again: time spent frozen does not count, but no pet comes after the deadline. */
  thaw(): void {
    if (this.#frozenAt < 0) return;
    const left = Math.max(0, this.#deadline - this.#frozenAt);
    this.#frozenAt = -1;
    const late = this.#clock.at(this.#kernel.now) >= this.#until;
    this.#deadline = this.#kernel.now + (late ? Math.min(left, this.#patience) : left);
    if (this.#armed) this.#queue();
  }

  /** The clock's rate changed. */
  retime(): void {
    if (this.#armed && this.#frozenAt < 0) this.#aim();
  }

  /** Carries out a queue entry; true when the machine is to be reset now. */
  look(life: number): boolean {
    if (life !== this.#life) return false;
    this.#queued = false;
    if (!this.#armed || this.#frozenAt >= 0) return false;
    if (this.#kernel.now >= this.#deadline) return true;
    this.#queue();
    return false;
  }

  #aim(): void {
    const end = this.#until + this.#patience;
    this.#deadline =
      this.#clock.when(this.#kernel.now, end) + this.#rng.below(Math.max(1, this.#delay));
    if (this.#armed) this.#queue();
  }

  #queue(): void {
    // One entry at a time: a later deadline is found out when the earlier entry comes up.
    if (this.#queued) return;
    this.#queued = true;
    const at = Math.max(this.#kernel.now, this.#deadline);
    this.#kernel.queue.push(at, Kind.Watchdog, this.#node, this.#life);
  }
}
