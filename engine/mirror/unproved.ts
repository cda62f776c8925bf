/**
 * What this replica shows and may not hold. When a write or flush fails, the system may mark the
 * pages that never reached the medium as clean: reads are answered from them until they are evicted
 * or power is lost, and no later flush writes them (docs/decisions/0013). All of them are in
 * extents that were hot, and so in the maps. Where such a replica leads all the same, because there
 * is no better one, it writes what it copies to others on its own disk as well: else both count as
 * equal, and a loss of power parts them with nothing that says so (docs/decisions/0026).
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { BlockMap, PAGE_WORDS } from './block-map.ts';
import type { Parts } from './parts.ts';

export class Unproved {
  readonly #p: Parts;
  /** Null while nothing is in doubt. */
  #map: BlockMap | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** The disk has failed in this boot of the host: what is dirty now may not be on it. */
  suspect(): void {
    const { partners } = this.#p;
    if (this.#map !== null || partners.dirty === 0) return;
    const union = new BlockMap(partners.first.map.blocks);
    const words = new Uint32Array(PAGE_WORDS);
    for (const { map } of partners.all) {
      for (let page = map.nextDirtyPage(0); page >= 0; page = map.nextDirtyPage(page + 1)) {
        map.copyPage(page, words);
        union.mergePage(page, words);
      }
    }
    this.#map = union;
  }

  /** Whether any block of [offset, offset+length) has yet to be written here. */
  covers(offset: number, length: number): boolean {
    const map = this.#map;
    if (map === null || this.#p.canary.unprovedTrusted) return false;
    const next = map.nextDirty(offset / BLOCK_BYTES);
    return next >= 0 && next * BLOCK_BYTES < offset + length;
  }

  /** All of [offset, offset+length) was written here, and is as stable as any other write. */
  written(offset: number, length: number): void {
    const map = this.#map;
    if (map === null) return;
    for (let at = offset; at < offset + length; at += BLOCK_BYTES) map.clear(at / BLOCK_BYTES);
    if (map.dirty === 0) this.#map = null;
  }
}
