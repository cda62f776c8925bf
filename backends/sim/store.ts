/**
 * The durable store of one control actor: one document, replaced as a whole some time after it was
 * asked for. A loss of power in between leaves the old one or the new one.
 */
import type { Durable } from '../../engine/cluster/interface.ts';
import type { Rng } from '../../engine/core/rng.ts';
import { type Kernel, Kind, Stream } from './kernel.ts';

const FIXED = 150;
const MEAN = 250;

interface Pending {
  readonly token: number;
  readonly document: Durable;
}

/** One host's store. */
export class SimStore {
  readonly #kernel: Kernel;
  readonly #node: number;
  readonly #rng: Rng;
  #document: Durable | null = null;
  #sessions = 0;
  #pending: Pending[] = [];
  #due = 0;

  constructor(kernel: Kernel, node: number) {
    this.#kernel = kernel;
    this.#node = node;
    this.#rng = kernel.rng(Stream.store + node);
  }

  get document(): Durable | null {
    return this.#document;
  }

  /** Counts one more start of the core. */
  nextSession(): number {
    this.#sessions += 1;
    return this.#sessions;
  }

  /** Asks for `document` to be made durable; a Stored entry follows. */
  persist(token: number, document: Durable, life: number): void {
    this.#pending.push({ token, document });
    const due = this.#kernel.now + FIXED + this.#rng.exponential(MEAN);
    this.#due = Math.max(this.#due, due);
    const entry = this.#kernel.queue.push(this.#due, Kind.Stored, this.#node, life);
    this.#kernel.queue.a[entry] = token;
  }

  /** The oldest document asked for is durable now. */
  land(): void {
    const next = this.#pending.shift();
    if (next === undefined) return;
    this.#document = next.document;
    this.#kernel.hash.word(next.token ^ (this.#node << 16));
  }

  /** Power is lost: some of what was asked for got there. Entries under way are void. */
  crash(): void {
    const landed = this.#rng.below(this.#pending.length + 1);
    for (let i = 0; i < landed; i += 1) this.land();
    this.#pending = [];
    this.#due = 0;
  }

  /** The disk is replaced by an empty one, or what is on it is deleted. */
  wipe(): void {
    this.#document = null;
    this.#sessions = 0;
    this.#pending = [];
  }
}
