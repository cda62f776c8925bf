/**
 * What a copy has brought over to an asynchronous replica and is not known to be stable there. No
 * barrier waits for such a replica, so its blocks stay dirty until a flush on both sides has
 * covered them; whoever marks one of them again meanwhile takes it back, and it is copied once
 * more.
 */
import { BLOCK_BYTES, type Micros } from '../core/units.ts';
import { BlockMap, type MapWatcher } from './block-map.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';

/** What it needs to flush both sides. */
type Settling = Pick<Parts, 'flushes' | 'turn' | 'config' | 'partners'>;

export class Copied implements MapWatcher {
  readonly #map: BlockMap;
  #now: BlockMap;
  /** What the flush that is under way covers. */
  #before: BlockMap;
  /** Not before then the next flush covers some of that. */
  #next: Micros = 0;
  /** Whether a flush of both sides is under way. */
  flushing = false;

  /** Begins with nothing; `map` is the one that names what is to be copied. */
  constructor(map: BlockMap) {
    this.#map = map;
    this.#now = new BlockMap(map.blocks);
    this.#before = new BlockMap(map.blocks);
    map.watcher = this;
  }

  /** Blocks that are dirty and need no copy. */
  get count(): number {
    return this.#now.dirty + this.#before.dirty;
  }

  has(block: number): boolean {
    return this.#now.isDirty(block) || this.#before.isDirty(block);
  }

  /**
   * The replica has [offset, offset+length), which is blocks of the map, whole ones. What is copied
   * once more as it was, while a flush covers it, counts once.
   */
  add(offset: number, length: number): void {
    for (let at = offset; at < offset + length; at += BLOCK_BYTES) {
      const block = at / BLOCK_BYTES;
      if (this.#map.isDirty(block) && !this.#before.isDirty(block)) this.#now.mark(block);
    }
  }

  again(block: number): void {
    this.#now.clear(block);
    this.#before.clear(block);
  }

  /**
   * Copies so far become clean, like a barrier's, while `still` says that the copy goes on: what
   * was copied before a loss stays so, and the replica lets go of its hot extents. Returns when to
   * look again.
   */
  settle(p: Settling, partner: Partner, still: () => boolean): Micros {
    const { turn } = p;
    if (this.flushing || this.count === 0) return Number.POSITIVE_INFINITY;
    if (turn.now < this.#next) return this.#next;
    const { link, covered } = partner;
    this.flush();
    p.flushes.withPeer(partner, () => {
      if (!still()) return;
      this.flushed();
      this.#next = turn.now + p.config.barrierDelay;
      if (p.partners.several) link.send({ kind: 'stable', sequence: covered });
    });
    return Number.POSITIVE_INFINITY;
  }

  /** A flush of both sides begins. */
  flush(): void {
    const empty = this.#before;
    this.#before = this.#now;
    this.#now = empty;
    this.flushing = true;
  }

  /** It has ended: what it covered is clean. */
  flushed(): void {
    this.flushing = false;
    this.#clear(this.#before);
  }

  /** Everything is known to be stable on both sides. */
  stable(): void {
    this.flushed();
    this.#clear(this.#now);
  }

  /** The copy is over, however it ended: what was not flushed stays dirty. */
  end(): void {
    if (this.#map.watcher === this) this.#map.watcher = null;
  }

  #clear(blocks: BlockMap): void {
    let block = blocks.nextDirty(0);
    for (; block >= 0; block = blocks.nextDirty(block + 1)) this.#map.clear(block);
  }
}
