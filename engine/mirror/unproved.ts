/**
 * What this replica shows and may not hold. When a write or flush fails, the system may mark the
 * pages that never reached the medium as clean: reads are answered from them until they are evicted
 * or power is lost, and no later flush writes them (docs/decisions/0013). All of them are in
 * extents that were hot, here or at the primary of then, and so in the maps of a copy. Where such a
 * replica leads all the same, because there is no better one, it writes what it copies to others on
 * its own disk as well: else both count as equal, and a loss of power parts them with nothing that
 * says so (docs/decisions/0026).
 */
import { DiskFlag } from './metadata.ts';
import type { Parts } from './parts.ts';

export class Unproved {
  readonly #p: Parts;
  #on = false;
  #mistrusted = false;
  #heard = false;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Whether what is copied from here has to be written here, too. */
  get on(): boolean {
    return this.#on && !this.#p.canary.unprovedTrusted;
  }

  /**
   * Whether reads here may be answered with what the disk does not hold: equal digests say nothing
   * then. Control alone may remember that it failed; a peer's hello may come before its first word.
   */
  get doubtful(): boolean {
    const said = this.#p.store.block.flags & (DiskFlag.Doubted | DiskFlag.Unproved);
    const unheard = !this.#heard && !this.#p.canary.doubtUnheard;
    return said !== 0 || this.#on || this.#mistrusted || unheard;
  }

  /** What of the flags on the disk says so, for a life in which this replica leads alone. */
  get kept(): number {
    const said = this.#p.store.block.flags & (DiskFlag.Doubted | DiskFlag.Unproved);
    return said !== 0 || this.#on ? DiskFlag.Unproved : 0;
  }

  /** The disk has failed in this boot of the host. */
  suspect(): void {
    this.#on = true;
  }

  /** Control has said in this life whether the disk is in doubt: it does so with every record. */
  heard(): void {
    this.#heard = true;
  }

  /** It has, and control alone remembers; this replica is not to lead. */
  mistrust(): void {
    this.#mistrusted = !this.#p.canary.doubtUnheard;
  }

  /** All that was in doubt is on both: a whole copy has ended, or this is the copy of another. */
  proved(): void {
    const { store } = this.#p;
    this.#on = false;
    this.#mistrusted = false;
    if ((store.block.flags & DiskFlag.Unproved) === 0) return;
    store.block.flags &= ~DiskFlag.Unproved;
    store.persist(() => {});
  }
}
