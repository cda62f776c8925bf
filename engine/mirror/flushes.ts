/** Local flushes that one part waits for, apart from barriers: each calls back once. */
import { Decision } from '../data/abi.ts';
import type { Parts } from './parts.ts';

export class Flushes {
  readonly #p: Parts;
  readonly #waiting: Map<number, () => void> = new Map();

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Makes every write that the local disk has taken durable, then calls `done`. */
  run(done: () => void): void {
    const token = this.#p.state.nextToken();
    this.#waiting.set(token, done);
    this.#p.turn.emit(Decision.LocalFlush, 0, 0, 0, 0, token, 0);
  }

  /** A LocalFlush ended well. */
  flushed(token: number): void {
    const done = this.#waiting.get(token);
    if (done === undefined) return;
    this.#waiting.delete(token);
    done();
  }
}
