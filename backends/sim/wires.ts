/** The connections of one simulated replica, one to each other replica, and its present links. */
import type { Connection } from './connection.ts';

/** A connection, and which end of it a replica is. */
export interface Wire {
  readonly connection: Connection;
  readonly end: number;
}

export class Wires {
  readonly all: Wire[] = [];
  /** Present links, by the node at their other end. */
  readonly #links: Map<number, number> = new Map();

  /** The core starts: it has no link yet. */
  forget(): void {
    this.#links.clear();
  }

  /** Looks for peers. */
  poll(): void {
    for (const { connection } of this.all) connection.poll();
  }

  /** What was held back for want of a slot is delivered. */
  wake(): void {
    for (const { connection, end } of this.all) connection.wake(end);
  }

  /** The connection of which `link` is the present incarnation here, null for none. */
  current(link: number): Wire | null {
    if (link === 0) return null;
    for (const wire of this.all) if (wire.connection.numberAt(wire.end) === link) return wire;
    return null;
  }

  close(link: number): void {
    const wire = this.current(link);
    wire?.connection.close(wire.end);
  }

  up(number: number, peer: number): void {
    this.#links.set(peer, number);
  }

  /** A link is down; false where it was none, or another has taken its place. */
  down(number: number): boolean {
    for (const [peer, link] of this.#links) {
      if (link === number) return this.#links.delete(peer);
    }
    return false;
  }
}
