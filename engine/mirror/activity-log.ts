/**
 * The hot set: which 1 MiB extents may differ between the replicas after a crash. An extent is
 * durably hot before any data is written to it (RULE-04), and goes cold only when another needs
 * its place, its writes are stable on all replicas (RULE-07) and its map pages are durable. With
 * more than two replicas whoever follows has a hot set as well (RULE-15): there the write intervals
 * are the writes of its link, by their numbers.
 */
import { invariant } from '../core/invariant.ts';
import { BLOCK_BYTES, EXTENT_BYTES } from '../core/units.ts';
import { PAGE_BLOCKS } from './block-map.ts';
import { extentCount, pageExtents } from './config.ts';
import { Naming } from './naming.ts';
import type { Parts } from './parts.ts';

/** Oldest extents that are looked at when room is needed. */
const LOOKS = 64;
const EXTENT_BLOCKS = EXTENT_BYTES / BLOCK_BYTES;

export class ActivityLog {
  readonly #p: Parts;
  readonly #capacity: number;
  readonly #index: Map<number, number> = new Map();
  readonly #extent: Uint32Array;
  readonly #refs: Int32Array;
  /** The journal sequence that first names the extent. */
  readonly #since: Float64Array;
  /** The write interval that must be closed before the extent may go cold. */
  readonly #interval: Float64Array;
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #free: Int32Array;
  /** What the next journal page names. */
  readonly #image: Uint32Array;
  readonly #naming: Naming;
  #freeCount = 0;
  #oldest = -1;
  #newest = -1;
  #count = 0;
  /** Sequence of the last journal block written or being written. */
  #seq = 0;
  /** The highest sequence that anybody was told to wait for. */
  #promised = 0;
  #durable = 0;
  #writing = false;
  #changed = false;
  #whenEmpty: (() => void) | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#capacity = Math.min(parts.config.alExtents, extentCount(parts.config));
    const perPage = pageExtents(parts.config);
    const places = this.#capacity;
    this.#extent = new Uint32Array(places);
    this.#refs = new Int32Array(places);
    this.#since = new Float64Array(places);
    this.#interval = new Float64Array(places);
    this.#newer = new Int32Array(places).fill(-1);
    this.#older = new Int32Array(places).fill(-1);
    this.#free = new Int32Array(places);
    this.#image = new Uint32Array(perPage);
    this.#naming = new Naming(places, perPage, parts.canary);
    for (let i = places - 1; i >= 0; i -= 1) {
      this.#free[this.#freeCount] = i;
      this.#freeCount += 1;
    }
  }

  /** Hot extents. */
  get count(): number {
    return this.#count;
  }

  /** Extents that may be hot when the replica is attached: as many as one page names. */
  get loadable(): number {
    return Math.min(this.#capacity, this.#image.length);
  }

  /**
   * Takes over what the journal said when the replica was attached: hot, and in the map. Null where
   * the map has it durably, and the next page need not name any of it.
   */
  load(seq: number, extents: readonly number[] | null): void {
    this.#seq = seq;
    this.#durable = seq;
    this.#changed = extents === null;
    for (const extent of extents ?? []) if (!this.#index.has(extent)) this.#insert(extent);
    this.#naming.all(seq);
    this.#promised = seq;
    for (let i = this.#oldest; i >= 0; i = this.#newer[i] as number) this.#since[i] = seq;
  }

  /**
   * Holds extents [first, last] hot for one write. Returns 0 when they are durably hot, the
   * journal sequence to wait for, or -1 when there is no room yet (nothing is held then).
   */
  acquire(first: number, last: number): number {
    // Mostly a write follows another to the same extent.
    const newest = this.#newest;
    if (first === last && newest >= 0 && this.#extent[newest] === first) {
      this.#refs[newest] = (this.#refs[newest] as number) + 1;
      const since = this.#since[newest] as number;
      return since > this.#durable ? since : 0;
    }
    let missing = 0;
    for (let e = first; e <= last; e += 1) {
      const i = this.#index.get(e);
      if (i === undefined) missing += 1;
      // Held first, so that making room for one does not evict the other.
      else this.#refs[i] = (this.#refs[i] as number) + 1;
    }
    if (missing > 0 && !this.#makeRoom(missing)) {
      for (let e = first; e <= last; e += 1) {
        const i = this.#index.get(e);
        if (i !== undefined) this.#refs[i] = (this.#refs[i] as number) - 1;
      }
      this.#p.turn.reached('mirror.al.full');
      return -1;
    }
    let wait = 0;
    for (let e = first; e <= last; e += 1) {
      let i = this.#index.get(e);
      if (i === undefined) {
        i = this.#insert(e);
        this.#refs[i] = 1;
        this.#changed = true;
      } else if (i !== this.#newest) {
        this.#unlink(i);
        this.#link(i);
      }
      const since = this.#since[i] as number;
      if (since > this.#durable) wait = Math.max(wait, since);
    }
    return wait;
  }

  /** Lets go of [first, last]; they stay hot at least until write interval `interval` is closed. */
  release(first: number, last: number, interval: number): void {
    for (let e = first; e <= last; e += 1) {
      const i = this.#index.get(e);
      invariant(i !== undefined && (this.#refs[i] as number) > 0, 'a written extent is hot');
      this.#refs[i] = (this.#refs[i] as number) - 1;
      if ((this.#interval[i] as number) < interval) this.#interval[i] = interval;
    }
  }

  /** Whether what is hot is not in the journal as it is, and no block of it is under way. */
  get unwritten(): boolean {
    return !this.#writing && (this.#changed || this.#promised > this.#seq);
  }

  /** Group commit: one journal block in flight, the next carries what came since. */
  commit(): void {
    if (!this.unwritten) return;
    this.#changed = false;
    this.#writing = true;
    this.#seq += 1;
    const seq = this.#seq;
    const named = this.#count <= this.#image.length ? this.#nameAll() : this.#nameSome();
    const window = this.#naming.window(seq);
    invariant(window < this.#p.config.journalPages, 'the ring has every page that is needed');
    this.#p.store.writeJournal(seq, this.#image, named, window);
  }

  #nameAll(): number {
    let n = 0;
    for (let i = this.#oldest; i >= 0; i = this.#newer[i] as number) {
      this.#image[n] = this.#extent[i] as number;
      n += 1;
    }
    this.#naming.all(this.#seq);
    return n;
  }

  #nameSome(): number {
    this.#p.turn.reached('mirror.al.lap');
    return this.#naming.some(this.#seq, this.#extent, this.#image);
  }

  /** Highest journal sequence known durable. */
  get durable(): number {
    return this.#durable;
  }

  /** The journal block `seq` is durable. */
  written(seq: number): void {
    this.#writing = false;
    this.#durable = seq;
    const done = this.#whenEmpty;
    if (done && this.#count === 0 && !this.#changed) {
      this.#whenEmpty = null;
      done();
    }
  }

  /** Empties the hot set: only when everything is stable on both replicas, or dirty and durable. */
  clear(done: () => void): void {
    for (let i = this.#oldest; i >= 0; ) {
      const next = this.#newer[i] as number;
      invariant(this.#refs[i] === 0, 'no write is in flight when the hot set is emptied');
      this.#remove(i);
      i = next;
    }
    this.#changed = true;
    this.#whenEmpty = this.#p.turn.carry(done);
  }

  /** The intervals begin anew: what is hot is stable everywhere, or dirty. */
  rebase(): void {
    for (let i = this.#oldest; i >= 0; i = this.#newer[i] as number) this.#interval[i] = 0;
  }

  /** Tells each extent that may have writes which are not known stable on every member. */
  forEachUnstable(closed: number, visit: (extent: number) => void): void {
    for (let i = this.#oldest; i >= 0; i = this.#newer[i] as number) {
      const held = (this.#refs[i] as number) > 0;
      if (held || (this.#interval[i] as number) > closed) visit(this.#extent[i] as number);
    }
  }

  #makeRoom(missing: number): boolean {
    let room = this.#capacity - this.#count;
    if (room >= missing) return true;
    const { barrier, partners } = this.#p;
    const closed = partners.leader?.link.stable ?? barrier.closed;
    let looks = LOOKS;
    for (let i = this.#oldest; i >= 0 && room < missing && looks > 0; looks -= 1) {
      const next = this.#newer[i] as number;
      if (this.#refs[i] === 0 && this.#mayCool(i, closed)) {
        this.#remove(i);
        room += 1;
      }
      i = next;
    }
    return room >= missing;
  }

  #mayCool(i: number, closed: number): boolean {
    // RULE-07: cold only when its writes are stable on both replicas.
    if ((this.#interval[i] as number) > closed && !this.#p.canary.rule07) {
      this.#p.barrier.hurry();
      if (!this.#p.partners.asynchronous || !this.#p.peers.stuck) return false;
      this.#suspect(i);
    }
    const page = Math.floor(((this.#extent[i] as number) * EXTENT_BLOCKS) / PAGE_BLOCKS);
    if (this.#p.store.pageIsDurable(page)) return true;
    this.#p.store.writePages(page);
    this.#p.turn.reached('mirror.al.evict-dirty');
    return false;
  }

  /**
   * An asynchronous replica is sent more than it has slots for, and the word that its extents may
   * go cold comes behind that. When nothing goes on any more the extent counts as different.
   */
  #suspect(i: number): void {
    const { partners, config, turn } = this.#p;
    const at = (this.#extent[i] as number) * EXTENT_BYTES;
    const length = Math.min(EXTENT_BYTES, config.sizeBytes - at);
    for (const { map } of partners.all) map.markBytes(at, length);
    this.#interval[i] = 0;
    turn.reached('mirror.al.suspects');
  }

  #insert(extent: number): number {
    invariant(this.#freeCount > 0, 'the hot set has a place for what is hot');
    this.#freeCount -= 1;
    const i = this.#free[this.#freeCount] as number;
    const since = this.#seq + this.#naming.add(i);
    this.#extent[i] = extent;
    this.#refs[i] = 0;
    this.#since[i] = since;
    this.#interval[i] = 0;
    this.#promised = Math.max(this.#promised, since);
    this.#index.set(extent, i);
    this.#count += 1;
    this.#link(i);
    return i;
  }

  #remove(i: number): void {
    this.#unlink(i);
    this.#naming.remove(i);
    this.#index.delete(this.#extent[i] as number);
    this.#free[this.#freeCount] = i;
    this.#freeCount += 1;
    this.#count -= 1;
  }

  #link(i: number): void {
    this.#older[i] = this.#newest;
    this.#newer[i] = -1;
    if (this.#newest >= 0) this.#newer[this.#newest] = i;
    else this.#oldest = i;
    this.#newest = i;
  }

  #unlink(i: number): void {
    const older = this.#older[i] as number;
    const newer = this.#newer[i] as number;
    if (older >= 0) this.#newer[older] = newer;
    else this.#oldest = newer;
    if (newer >= 0) this.#older[newer] = older;
    else this.#newest = older;
  }
}
