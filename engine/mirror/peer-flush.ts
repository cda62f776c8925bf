/**
 * Flushes that a peer asked for on the present incarnation of its link: each is answered once, when
 * everything that was acknowledged to it before is stable on the own disk; none after the link.
 */
import { Decision } from '../data/abi.ts';
import type { Link } from './link.ts';
import type { Parts } from './parts.ts';

export class PeerFlushes {
  readonly #p: Parts;
  readonly #link: Link;
  /** What the peer called each of them, by the token of the one here. */
  readonly #asked: Map<number, number> = new Map();

  constructor(parts: Parts, link: Link) {
    this.#p = parts;
    this.#link = link;
  }

  /** The peer, whom this host follows, asks for a flush. */
  ask(token: number): void {
    const { canary, receipts } = this.#p;
    if (canary.flushUnasked) {
      this.#link.send({ kind: 'flush-ack', token, status: 0, moved: 0 });
      return;
    }
    const { id } = this.#link;
    // RULE-05: what was only received is covered too.
    receipts.whenWritten(() => {
      if (this.#link.id === id) this.#flush(token);
    });
  }

  /** A LocalFlush ended; true when it was one of these. */
  flushed(token: number): boolean {
    const asked = this.#asked.get(token);
    if (asked === undefined) return false;
    this.#asked.delete(token);
    const { used } = this.#p.spare;
    this.#link.send({ kind: 'flush-ack', token: asked, status: 0, moved: used });
    return true;
  }

  /** The link is another one, or none: nobody waits for an answer. */
  forget(): void {
    this.#asked.clear();
  }

  #flush(token: number): void {
    const { state, turn } = this.#p;
    const local = state.nextToken();
    this.#asked.set(local, token);
    turn.emit(Decision.LocalFlush, 0, 0, 0, 0, local, 0);
  }
}
