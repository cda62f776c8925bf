/**
 * The medium of a simulated disk with the volatile cache before it: what a read returns, what a
 * loss of power leaves, and which of the writes between them were promised to be durable and are
 * not.
 */
import type { Rng } from '../../engine/core/rng.ts';
import type { ArrayPool } from './arrays.ts';
import type { DiskChanges } from './disk-changes.ts';
import { type Span, WHOLE } from './disk-options.ts';
import { GARBAGE, type Spoils } from './spoils.ts';
import type { TraceHash } from './trace-hash.ts';

/** Which unflushed sectors a crash keeps. */
export type CrashMode = 'none' | 'all' | 'random' | 'newest';

/** The volatile cache remembers this many sector writes; older ones have reached the medium. */
const CACHE_ENTRIES = 1 << 15;
/** Words about durable sectors that are gathered for the trace hash; two a sector. */
const HARDENED = 512;

export class DiskCache {
  /** What a read returns. */
  readonly view: Int32Array;
  /** What survives a loss of power. */
  readonly media: Int32Array;
  /** Who is told what changes. */
  changes: DiskChanges | null = null;
  readonly #hash: TraceHash;
  readonly #node: number;
  readonly #spoils: Spoils;

  // A ring of (sector, stamp) in the order in which writes were taken.
  readonly #sector: Int32Array;
  readonly #stamp: Int32Array;
  /** Entries that a flush promised to be durable, and that are not. */
  readonly #lied: Uint8Array;
  #tail = 0;
  #head = 0;
  /** Per sector: position below which entries no longer count, after a FUA write. */
  readonly #since: Int32Array;

  /** Sectors and stamps that the trace hash has not been told of yet. */
  readonly #hardened = new Int32Array(HARDENED);
  #hardenedCount = 0;

  constructor(
    name: string,
    pool: ArrayPool,
    node: number,
    sectors: number,
    hash: TraceHash,
    spoils: Spoils,
  ) {
    this.view = pool.ints(`${name}.view`, sectors);
    this.media = pool.ints(`${name}.media`, sectors);
    this.#since = pool.ints(`${name}.since`, sectors);
    this.#sector = pool.rough(`${name}.cacheSector`, CACHE_ENTRIES);
    this.#stamp = pool.rough(`${name}.cacheStamp`, CACHE_ENTRIES);
    this.#lied = pool.bytes(`${name}.cacheLied`, CACHE_ENTRIES);
    this.#node = node;
    this.#hash = hash;
    this.#spoils = spoils;
  }

  /** Nothing was ever written. */
  empty(): void {
    this.changes?.anySector();
    this.view.fill(0);
    this.media.fill(0);
    this.#tail = this.#head;
  }

  /** Sector writes that a crash could lose. */
  get unflushed(): number {
    return this.#head - this.#tail;
  }

  /** Counts the sector writes taken so far: what a flush covers. */
  get head(): number {
    return this.#head;
  }

  /** Takes a write of stamps from `from` on; with FUA it is durable at once. */
  write(sector: number, count: number, stamps: Int32Array, from: number, fua: boolean): void {
    const { view } = this;
    this.changes?.sectors(sector, count);
    if (fua) {
      const since = this.#since;
      const head = this.#head;
      for (let i = 0; i < count; i += 1) {
        const stamp = stamps[from + i] as number;
        view[sector + i] = stamp;
        this.harden(sector + i, stamp);
        since[sector + i] = head;
      }
      this.tellHardened();
      return;
    }
    const over = this.unflushed + count - CACHE_ENTRIES;
    if (over > 0) this.destage(this.#tail + over);
    const cacheSector = this.#sector;
    const cacheStamp = this.#stamp;
    const cacheLied = this.#lied;
    let head = this.#head;
    for (let i = 0; i < count; i += 1, head += 1) {
      const stamp = stamps[from + i] as number;
      view[sector + i] = stamp;
      cacheSector[head & (CACHE_ENTRIES - 1)] = sector + i;
      cacheStamp[head & (CACHE_ENTRIES - 1)] = stamp;
      cacheLied[head & (CACHE_ENTRIES - 1)] = 0;
    }
    this.#head = head;
  }

  /** Writes back what was taken before `mark`. */
  destage(mark: number): void {
    const sectors = this.#sector;
    const since = this.#since;
    let at = this.#tail;
    for (; at < mark; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const sector = sectors[i] as number;
      if (at + 1 > (since[sector] as number)) this.#settle(i, sector);
    }
    this.#tail = Math.max(this.#tail, at);
    this.tellHardened();
  }

  /** Writes back what was taken before `mark` of these sectors, and nothing else. */
  settle(mark: number, { first, end }: Span): void {
    if (first >= this.media.length) return;
    const since = this.#since;
    for (let at = this.#tail; at < mark; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const sector = this.#sector[i] as number;
      if (sector < first || sector >= end || at + 1 <= (since[sector] as number)) continue;
      this.#settle(i, sector);
      since[sector] = at + 1;
    }
    this.tellHardened();
  }

  /**
   * Says that what was taken before `mark` of so many sectors is durable, and writes nothing back.
   * A medium that keeps its word would have it now; what is there is still the old.
   */
  lie(mark: number, first = 0, count: number = this.media.length): void {
    const { media } = this;
    this.changes?.anySector();
    for (let at = this.#tail; at < mark; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const sector = this.#sector[i] as number;
      if (sector < first || sector >= first + count) continue;
      if (this.#lied[i] === 1 || at + 1 <= (this.#since[sector] as number)) continue;
      this.#lied[i] = 1;
      media[sector] = this.#spoils.stamp(media[sector] as number, this.#stamp[i] as number);
    }
  }

  /** Power is lost: of the cache some is kept, as `mode` says; `keep` is for 'random'. */
  crash(mode: CrashMode, keep: number, rng: Rng): void {
    const entries = this.unflushed;
    this.changes?.anySector();
    // "newest": a cache that wrote back its latest sectors first and lost the older ones.
    const newest = this.#head - rng.below(Math.max(1, entries));
    for (let at = this.#tail; at < this.#head; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const kept =
        mode === 'all' ||
        (mode === 'random' && rng.chance(keep)) ||
        (mode === 'newest' && at >= newest);
      const sector = this.#sector[i] as number;
      if (kept && at + 1 > (this.#since[sector] as number)) this.#settle(i, sector);
    }
    this.#tail = this.#head;
  }

  /**
   * Writing back what was taken before `mark` failed: part of it got there, the rest is forgotten,
   * and no later flush brings it. Linux marks such pages clean and reads them from memory yet
   * (`gone` false), until they are evicted or power is lost; a device whose cache is lost does not
   * (`gone` true). Sectors outside `span` stand on other disks: they get there. Answers whether
   * anything was lost.
   */
  fail(mark: number, gone: boolean, keep: number, rng: Rng, span: Span = WHOLE): boolean {
    const sectors = this.#sector;
    const since = this.#since;
    const { view, media } = this;
    const from = this.#tail;
    let lost = false;
    this.changes?.anySector();
    for (let at = from; at < mark; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const sector = sectors[i] as number;
      if (at + 1 <= (since[sector] as number)) continue;
      const elsewhere = sector < span.first || sector >= span.end;
      if (elsewhere || rng.chance(keep)) this.#settle(i, sector);
      else lost = true;
    }
    this.#tail = Math.max(from, mark);
    this.tellHardened();
    if (!gone) return lost;
    for (let at = from; at < mark; at += 1) {
      const sector = sectors[at & (CACHE_ENTRIES - 1)] as number;
      view[sector] = media[sector] as number;
    }
    for (let at = this.#tail; at < this.#head; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const sector = sectors[i] as number;
      if (at + 1 > (since[sector] as number)) view[sector] = this.#stamp[i] as number;
    }
    return lost;
  }

  /**
   * Up to `most` written sectors in a row, of the first so many, rot on the medium. False when
   * nothing was ever written there.
   */
  rot(most: number, sectors: number, rng: Rng): boolean {
    const { media, view } = this;
    const from = rng.below(sectors);
    let first = 0;
    while (first < sectors && media[(from + first) % sectors] === 0) first += 1;
    if (first === sectors) return false;
    const start = (from + first) % sectors;
    for (let at = start; at < Math.min(sectors, start + most); at += 1) {
      const stamp = media[at] as number;
      const rotten = this.#spoils.stamp(GARBAGE, stamp);
      if (view[at] === stamp) view[at] = rotten;
      this.harden(at, rotten);
    }
    this.tellHardened();
    return true;
  }

  /** The medium holds `stamp` now. */
  harden(sector: number, stamp: number): void {
    this.media[sector] = stamp;
    this.changes?.sectors(sector, 1);
    const hardened = this.#hardened;
    hardened[this.#hardenedCount] = sector ^ (this.#node << 26);
    hardened[this.#hardenedCount + 1] = stamp;
    this.#hardenedCount += 2;
    if (this.#hardenedCount === HARDENED) this.tellHardened();
  }

  /** What became durable goes into the trace hash: many words at once cost less than one by one. */
  tellHardened(): void {
    if (this.#hardenedCount === 0) return;
    this.#hash.words(this.#hardened, 0, this.#hardenedCount);
    this.#hardenedCount = 0;
  }

  /** An entry reaches the medium; after a lie the medium ought to have what was promised last. */
  #settle(i: number, sector: number): void {
    const stamp = this.#stamp[i] as number;
    const lied = this.#lied[i] === 1;
    this.harden(sector, lied ? this.#spoils.stamp(stamp, this.media[sector] as number) : stamp);
  }
}
