/**
 * What this replica shows and may not hold. When a write or flush fails, the system may mark the
 * pages that never reached the medium as clean: reads are answered from them until they are evicted
 * or power is lost, and no later flush writes them (docs/decisions/0013). All of them are in
 * extents that were hot, here or at the primary of then, and so in the maps of a copy. Where such a
 * replica leads all the same, because there is no better one, it writes what it copies to others on
 * its own disk as well: else both count as equal, and a loss of power parts them with nothing that
 * says so (docs/decisions/0026).
 */
import type { NodeId } from '../core/units.ts';
import type { Parts } from './parts.ts';

export class Unproved {
  readonly #p: Parts;
  #on = false;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Whether what is copied from here has to be written here, too. */
  get on(): boolean {
    return this.#on && !this.#p.canary.unprovedTrusted;
  }

  /** Control says of this replica, in whose epoch `primary` leads, that its disk has failed. */
  told(primary: NodeId): void {
    // Who is about to lead must know it after another restart, too: control trusts it from then on.
    if (primary === this.#p.state.node) this.#p.store.doubt();
    this.suspect();
  }

  /** The disk has failed in this boot of the host. */
  suspect(): void {
    this.#on = true;
  }

  /** A whole copy has ended: all that was in doubt was in it, or was written by clients since. */
  proved(): void {
    this.#on = false;
  }
}
