/**
 * Keeps what must be durable ahead of what may be said. A change marks the document dirty; at the
 * end of the step one write goes out, at most one at a time; what depends on it waits here.
 */

import type { Context } from './context.ts';
import type { Durable } from './interface.ts';

interface Waiting {
  readonly version: number;
  readonly run: () => void;
}

export class Durability {
  readonly #context: Context;
  /** Rises with every change of anything durable. */
  #version = 0;
  #durable = 0;
  #token = 0;
  /** Version that the write under way covers, -1 when there is none. */
  #writing = -1;
  #waiting: Waiting[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  get version(): number {
    return this.#version;
  }

  /** Something durable has changed. */
  mark(): void {
    this.#version += 1;
  }

  /** Runs `run` when everything marked so far is durable, at once if it is. */
  after(run: () => void): void {
    if (this.#durable >= this.#version) {
      run();
      return;
    }
    this.#waiting.push({ version: this.#version, run: this.#context.carry(run) });
  }

  /** Whether the document has changed and no write of it is under way. */
  get due(): boolean {
    return this.#writing < 0 && this.#version !== this.#durable;
  }

  /** Writes the document if that is due, and says whether. */
  flush(document: () => Durable): boolean {
    if (!this.due) return false;
    this.#token += 1;
    this.#writing = this.#version;
    this.#context.decide({ kind: 'persist', token: this.#token, durable: document() });
    return true;
  }

  /** The write `token` is durable: what waited for it goes on. */
  persisted(token: number): boolean {
    if (token !== this.#token || this.#writing < 0) return false;
    this.#durable = this.#writing;
    this.#writing = -1;
    const due = this.#waiting.filter((waiting) => waiting.version <= this.#durable);
    this.#waiting = this.#waiting.filter((waiting) => waiting.version > this.#durable);
    for (const waiting of due) waiting.run();
    return true;
  }
}
