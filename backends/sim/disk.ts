/**
 * A simulated disk with a volatile cache. Data sectors hold 32-bit stamps instead of bytes, so that
 * every sector of every write can be told from all others; metadata pages hold real bytes.
 *
 * * A write is taken when it is done, and may still be lost, sector by sector, in any combination,
 *   until a later flush is done. A write with FUA, and a metadata write, is durable when done.
 * * Operations in flight at a crash leave any subset of their sectors behind.
 * * The disk outlives processes: an operation of a killed core still lands.
 */
import { Rng } from '../../engine/core/rng.ts';
import { Status } from '../../engine/data/abi.ts';
import type { ArrayPool } from './arrays.ts';
import { LatentErrors } from './latent-errors.ts';
import type { TraceHash } from './trace-hash.ts';

export const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;
const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;

/** What a disk operation is. */
export const DiskOp = { Read: 1, Write: 2, Flush: 3, MetaRead: 4, MetaWrite: 5 } as const;

/** Which unflushed sectors a crash keeps. */
export type CrashMode = 'none' | 'all' | 'random' | 'newest';

/** Fixed part and mean of the exponential part of each latency, in microseconds. */
export interface DiskLatency {
  readonly read: readonly [fixed: number, mean: number];
  readonly write: readonly [fixed: number, mean: number];
  readonly flush: readonly [fixed: number, mean: number];
  readonly meta: readonly [fixed: number, mean: number];
}

export const DEFAULT_DISK_LATENCY: DiskLatency = {
  read: [60, 40],
  write: [50, 50],
  flush: [300, 200],
  meta: [120, 80],
};

const FIELDS = 9;
const Field = {
  kind: 0,
  slot: 1,
  sector: 2,
  count: 3,
  fua: 4,
  token: 5,
  guard: 6,
  mark: 7,
  status: 8,
} as const;

/** What a read that failed leaves behind: no write has this stamp. */
const UNREAD = 0x7fffffff;
/** The volatile cache remembers this many sector writes; older ones have reached the medium. */
const CACHE_ENTRIES = 1 << 15;
/** Words about durable sectors that are gathered for the trace hash; two a sector. */
const HARDENED = 512;

/** One replica's disk. */
export class SimDisk {
  readonly sectors: number;
  readonly metaPages: number;
  /** What a read returns. */
  readonly view: Int32Array;
  /** What survives a loss of power. */
  readonly media: Int32Array;
  /** Metadata pages; always durable but for writes in flight. */
  readonly meta: Uint8Array;
  /** What of its data cannot be read at present. */
  readonly latent: LatentErrors;
  /** Rises with every crash: queue entries of an earlier life are void. */
  life = 0;

  readonly #hash: TraceHash;
  readonly #node: number;
  readonly #maxSectors: number;
  readonly #latency: DiskLatency;
  #rng: Rng;
  /** Write operations per kind that were issued and have not landed. */
  #inFlight = 0;

  // The cache: a ring of (sector, stamp) in the order in which writes were taken.
  readonly #cacheSector: Int32Array;
  readonly #cacheStamp: Int32Array;
  #cacheTail = 0;
  #cacheHead = 0;
  /** Per sector: cache position below which entries no longer count, after a FUA write. */
  readonly #since: Int32Array;

  /** Sectors and stamps that the trace hash has not been told of yet. */
  readonly #hardened = new Int32Array(HARDENED);
  #hardenedCount = 0;

  #ops: Int32Array = new Int32Array(64 * FIELDS);
  #stamps: Int32Array;
  readonly #pages: Uint8Array[] = [];
  readonly #free: number[] = [];

  constructor(
    name: string,
    pool: ArrayPool,
    node: number,
    size: { readonly sectors: number; readonly metaPages: number; readonly maxSectors: number },
    latency: DiskLatency,
    hash: TraceHash,
    rng: Rng,
    latent: LatentErrors = new LatentErrors(() => new Rng(0, node)),
  ) {
    this.latent = latent;
    this.sectors = size.sectors;
    this.metaPages = size.metaPages;
    this.view = pool.ints(`${name}.view`, size.sectors);
    this.media = pool.ints(`${name}.media`, size.sectors);
    this.meta = pool.bytes(`${name}.meta`, size.metaPages * PAGE_BYTES);
    this.#since = pool.ints(`${name}.since`, size.sectors);
    this.#cacheSector = pool.ints(`${name}.cacheSector`, CACHE_ENTRIES);
    this.#cacheStamp = pool.ints(`${name}.cacheStamp`, CACHE_ENTRIES);
    this.#maxSectors = size.maxSectors;
    this.#stamps = pool.ints(`${name}.stamps`, 64 * size.maxSectors);
    for (let op = 63; op >= 0; op -= 1) this.#free.push(op);
    this.#latency = latency;
    this.#hash = hash;
    this.#node = node;
    this.#rng = rng;
  }

  /** Operations that change the disk and have not landed. */
  get writesInFlight(): number {
    return this.#inFlight;
  }

  /** Sector writes that a crash could lose. */
  get unflushed(): number {
    return this.#cacheHead - this.#cacheTail;
  }

  /**
   * Issues a read or write of sectors; `stamps` from `at` on are copied for a write. `fua` of a
   * read says that it is a check ({@link checkOf}).
   */
  submit(
    kind: number,
    slot: number,
    sector: number,
    count: number,
    fua: boolean,
    guard: number,
    stamps: Int32Array | null,
    at: number,
  ): number {
    const op = this.#take(kind, slot, guard);
    const base = op * FIELDS;
    this.#ops[base + Field.sector] = sector;
    this.#ops[base + Field.count] = count;
    this.#ops[base + Field.fua] = fua ? 1 : 0;
    if (stamps !== null) {
      const to = op * this.#maxSectors;
      for (let i = 0; i < count; i += 1) this.#stamps[to + i] = stamps[at + i] as number;
      this.#inFlight += 1;
    }
    return op;
  }

  /** Issues a flush of everything that is done now. */
  submitFlush(token: number, guard: number): number {
    const op = this.#take(DiskOp.Flush, 0, guard);
    this.#ops[op * FIELDS + Field.token] = token;
    this.#ops[op * FIELDS + Field.mark] = this.#cacheHead;
    return op;
  }

  /** Issues a metadata read, or a write of `bytes` (copied) when given. */
  submitMeta(page: number, token: number, guard: number, bytes: Uint8Array | null): number {
    const op = this.#take(bytes === null ? DiskOp.MetaRead : DiskOp.MetaWrite, 0, guard);
    this.#ops[op * FIELDS + Field.sector] = page;
    this.#ops[op * FIELDS + Field.token] = token;
    if (bytes !== null) {
      const held = this.#pages[op] ?? new Uint8Array(PAGE_BYTES);
      held.set(bytes);
      this.#pages[op] = held;
      this.#inFlight += 1;
    }
    return op;
  }

  /** How long the operation takes. */
  latency(op: number): number {
    const kind = this.#ops[op * FIELDS] as number;
    const latency = this.#latency;
    const range =
      kind === DiskOp.Read
        ? latency.read
        : kind === DiskOp.Write
          ? latency.write
          : kind === DiskOp.Flush
            ? latency.flush
            : latency.meta;
    return range[0] + this.#rng.exponential(range[1]);
  }

  kindOf(op: number): number {
    return this.#ops[op * FIELDS] as number;
  }
  slotOf(op: number): number {
    return this.#ops[op * FIELDS + Field.slot] as number;
  }
  sectorOf(op: number): number {
    return this.#ops[op * FIELDS + Field.sector] as number;
  }
  countOf(op: number): number {
    return this.#ops[op * FIELDS + Field.count] as number;
  }
  tokenOf(op: number): number {
    return this.#ops[op * FIELDS + Field.token] as number;
  }
  /** 0, or an errno: why a landed operation failed. */
  statusOf(op: number): number {
    return this.#ops[op * FIELDS + Field.status] as number;
  }
  /** Whether a read is to be held against a checksum. */
  checkOf(op: number): boolean {
    const base = op * FIELDS;
    return this.#ops[base] === DiskOp.Read && this.#ops[base + Field.fua] === 1;
  }
  /** Life of the process that asked. */
  guardOf(op: number): number {
    return this.#ops[op * FIELDS + Field.guard] as number;
  }

  /** Carries out the operation; the caller then reads its fields and releases it. */
  land(op: number): void {
    const base = op * FIELDS;
    switch (this.#ops[base]) {
      case DiskOp.Write:
        this.#inFlight -= 1;
        this.#write(op, (this.#ops[base + Field.fua] as number) === 1);
        if (this.latent.any) this.latent.written(this.sectorOf(op), this.countOf(op));
        return;
      case DiskOp.Read:
        if (this.latent.any && this.latent.fails(this.sectorOf(op), this.countOf(op))) {
          this.#ops[base + Field.status] = Status.Medium;
        }
        return;
      case DiskOp.Flush:
        this.#destage(this.#ops[base + Field.mark] as number);
        return;
      case DiskOp.MetaWrite: {
        this.#inFlight -= 1;
        const page = this.#ops[base + Field.sector] as number;
        this.meta.set(this.#pages[op] as Uint8Array, page * PAGE_BYTES);
        this.#hash.word(page ^ (this.#node << 24));
        return;
      }
      default:
    }
  }

  /** Copies what a landed read found into `stamps` from `at` on. */
  copyOut(op: number, stamps: Int32Array, at: number): void {
    const sector = this.sectorOf(op);
    const count = this.countOf(op);
    const { view } = this;
    if (this.statusOf(op) !== 0) stamps.fill(UNREAD, at, at + count);
    else for (let i = 0; i < count; i += 1) stamps[at + i] = view[sector + i] as number;
  }

  release(op: number): void {
    this.#ops[op * FIELDS] = 0;
    this.#free.push(op);
  }

  /** Power is lost: keeps some of what was not flushed, as `mode` says. */
  crash(mode: CrashMode): void {
    const rng = this.#rng;
    const keep = mode === 'random' ? rng.between(1, 999_999) : 0;
    const entries = this.#cacheHead - this.#cacheTail;
    // "newest": a cache that wrote back its latest sectors first and lost the older ones.
    const newest = this.#cacheHead - rng.below(Math.max(1, entries));
    for (let at = this.#cacheTail; at < this.#cacheHead; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const kept =
        mode === 'all' ||
        (mode === 'random' && rng.chance(keep)) ||
        (mode === 'newest' && at >= newest);
      const sector = this.#cacheSector[i] as number;
      if (kept && at + 1 > (this.#since[sector] as number)) {
        this.#harden(sector, this.#cacheStamp[i] as number);
      }
    }
    this.#cacheTail = this.#cacheHead;
    for (let op = 0; op * FIELDS < this.#ops.length; op += 1) {
      const kind = this.#ops[op * FIELDS];
      if (kind === DiskOp.Write) this.#tear(op, mode, keep);
      else if (kind === DiskOp.MetaWrite) this.#tearPage(op, mode);
      if (kind !== 0) this.release(op);
    }
    this.#tellHardened();
    this.#inFlight = 0;
    this.view.set(this.media);
    this.life += 1;
  }

  #take(kind: number, slot: number, guard: number): number {
    const op = this.#free.pop() ?? this.#grow();
    const base = op * FIELDS;
    const ops = this.#ops;
    for (let i = base; i < base + FIELDS; i += 1) ops[i] = 0;
    ops[base] = kind;
    ops[base + Field.slot] = slot;
    ops[base + Field.guard] = guard;
    return op;
  }

  #grow(): number {
    const count = this.#ops.length / FIELDS;
    const ops = new Int32Array(this.#ops.length * 2);
    ops.set(this.#ops);
    this.#ops = ops;
    const stamps = new Int32Array(this.#stamps.length * 2);
    stamps.set(this.#stamps);
    this.#stamps = stamps;
    for (let op = count * 2 - 1; op > count; op -= 1) this.#free.push(op);
    return count;
  }

  #write(op: number, fua: boolean): void {
    const sector = this.sectorOf(op);
    const count = this.countOf(op);
    const from = op * this.#maxSectors;
    const { view } = this;
    const stamps = this.#stamps;
    if (fua) {
      const since = this.#since;
      const head = this.#cacheHead;
      for (let i = 0; i < count; i += 1) {
        const stamp = stamps[from + i] as number;
        view[sector + i] = stamp;
        this.#harden(sector + i, stamp);
        since[sector + i] = head;
      }
      this.#tellHardened();
      return;
    }
    const over = this.unflushed + count - CACHE_ENTRIES;
    if (over > 0) this.#destage(this.#cacheTail + over);
    const cacheSector = this.#cacheSector;
    const cacheStamp = this.#cacheStamp;
    let head = this.#cacheHead;
    for (let i = 0; i < count; i += 1, head += 1) {
      const stamp = stamps[from + i] as number;
      view[sector + i] = stamp;
      cacheSector[head & (CACHE_ENTRIES - 1)] = sector + i;
      cacheStamp[head & (CACHE_ENTRIES - 1)] = stamp;
    }
    this.#cacheHead = head;
  }

  #destage(mark: number): void {
    const sectors = this.#cacheSector;
    const stamps = this.#cacheStamp;
    const since = this.#since;
    let at = this.#cacheTail;
    for (; at < mark; at += 1) {
      const i = at & (CACHE_ENTRIES - 1);
      const sector = sectors[i] as number;
      if (at + 1 > (since[sector] as number)) this.#harden(sector, stamps[i] as number);
    }
    this.#cacheTail = at;
    this.#tellHardened();
  }

  /** One sector becomes durable; the caller ends with {@link #tellHardened}. */
  #harden(sector: number, stamp: number): void {
    this.media[sector] = stamp;
    const hardened = this.#hardened;
    hardened[this.#hardenedCount] = sector ^ (this.#node << 26);
    hardened[this.#hardenedCount + 1] = stamp;
    this.#hardenedCount += 2;
    if (this.#hardenedCount === HARDENED) this.#tellHardened();
  }

  /** What became durable goes into the trace hash: many words at once cost less than one by one. */
  #tellHardened(): void {
    if (this.#hardenedCount === 0) return;
    this.#hash.words(this.#hardened, 0, this.#hardenedCount);
    this.#hardenedCount = 0;
  }

  #tear(op: number, mode: CrashMode, keep: number): void {
    const sector = this.sectorOf(op);
    const from = op * this.#maxSectors;
    for (let i = 0; i < this.countOf(op); i += 1) {
      const kept =
        mode === 'all' || mode === 'newest' || (mode === 'random' && this.#rng.chance(keep));
      if (kept) this.#harden(sector + i, this.#stamps[from + i] as number);
    }
  }

  #tearPage(op: number, mode: CrashMode): void {
    const to = this.sectorOf(op) * PAGE_BYTES;
    const held = this.#pages[op] as Uint8Array;
    this.#tellHardened();
    for (let i = 0; i < SECTORS_PER_PAGE; i += 1) {
      const kept = mode === 'all' || (mode !== 'none' && this.#rng.chance(500_000));
      if (!kept) continue;
      const at = i * SECTOR_BYTES;
      this.meta.set(held.subarray(at, at + SECTOR_BYTES), to + at);
      this.#hash.word(i ^ (this.sectorOf(op) << 4));
    }
  }
}
