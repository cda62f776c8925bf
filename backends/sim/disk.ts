/**
 * A simulated disk with a volatile cache. Data sectors hold 32-bit stamps instead of bytes, so that
 * every sector of every write can be told from all others; metadata pages hold real bytes.
 *
 * * A write is taken when it is done, and may still be lost, sector by sector, in any combination,
 *   until a later flush is done. A write with FUA, and a metadata write, is durable when done.
 * * Operations in flight at a crash leave any subset of their sectors behind.
 * * The disk outlives processes: what a killed core asked for still lands, but for {@link forsake}.
 * * What {@link DiskIlls} says of it, it does: a sector that then holds something else than it
 *   ought to is marked so ({@link Spoils}), and beside the metadata stands what it ought to be.
 */
import { Rng } from '../../engine/core/rng.ts';
import { PAGE_BYTES, Status } from '../../engine/data/abi.ts';
import { PATH_LOST } from '../../engine/mirror/path.ts';
import type { ArrayPool } from './arrays.ts';
import { type CrashMode, DiskCache } from './disk-cache.ts';
import { DiskIlls, Ill } from './disk-ills.ts';
import { DiskImages } from './disk-images.ts';
import { DiskOp, FIELDS, Field } from './disk-op.ts';
import {
  ANYWHERE,
  type CacheLoss,
  type DiskLatency,
  type DiskSize,
  latencyOf,
  type PartSpan,
  type Span,
  WHOLE,
} from './disk-options.ts';
import { DiskShelf } from './disk-shelf.ts';
import { LatentErrors } from './latent-errors.ts';
import { MovedBlocks, type SideArea } from './moved-blocks.ts';
import { Spoils } from './spoils.ts';
import { StaleReads } from './stale-reads.ts';
import type { SummedBlocks } from './summed.ts';
import type { TraceHash } from './trace-hash.ts';

export const SECTOR_BYTES = 512;
/** Rot that is to matter strikes where a page has content. */
const ROT_WITHIN = 256;
const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;

/** What a read that failed leaves behind: no write has this stamp. */
const UNREAD = 0x7fffffff;
const MILLION = 1_000_000;

/** One replica's disk. */
export class SimDisk {
  readonly sectors: number;
  readonly metaPages: number;
  /** The side area: what reads return, and what survives. Its sectors come behind all others. */
  readonly side: SideArea;
  /** Metadata pages, those of the side area behind them; durable but for writes in flight. */
  readonly meta: Uint8Array;
  /** What of its data cannot be read at present. */
  readonly latent: LatentErrors;
  /** What the metadata would be if the disk had kept its word since it was read last. */
  readonly metaOught: Uint8Array;
  /** Whether the two differ; and whether a part has old data, of which metadata know nothing. */
  metaSpoiled = false;
  partSpoiled = false;
  readonly spoils: Spoils;
  readonly ills: DiskIlls;
  /** The disks of a volume in parts; none of one that is one disk. */
  readonly parts: readonly PartSpan[];
  /** A planted bug: the sectors from here on are not flushed. */
  flushedUpTo = WHOLE.end;
  /** Of which blocks the engine must know the checksum, where the volume has any. */
  summed: SummedBlocks | null = null;
  /** What became of the cache when an operation just failed. Whoever judges it sets it back. */
  loss: CacheLoss | '' = '';
  /** Whether a write or flush failed whose end nobody heard: the next flush fails for it. */
  #unheard = false;
  /** Rises with every crash: queue entries of an earlier life are void. */
  life = 0;
  readonly #hash: TraceHash;
  readonly #node: number;
  readonly #maxSectors: number;
  readonly #latency: DiskLatency;
  #rng: Rng;
  /** Write operations per kind that were issued and have not landed. */
  #inFlight = 0;

  readonly #cache: DiskCache;
  /** Where the blocks of the volume are. */
  readonly places: MovedBlocks;

  #ops: Int32Array = new Int32Array(64 * FIELDS);
  #stamps: Int32Array;
  readonly #pages: Uint8Array[] = [];
  readonly #free: number[] = [];
  readonly #scratch: Int32Array;
  readonly #stale = new StaleReads();
  /** The medium and metadata as they were, for a disk that comes back with them. */
  readonly #images: DiskImages;
  readonly shelf: DiskShelf;

  constructor(
    name: string,
    pool: ArrayPool,
    node: number,
    size: DiskSize,
    latency: DiskLatency,
    hash: TraceHash,
    rng: Rng,
    spoils: Spoils = new Spoils(),
    ills: DiskIlls = new DiskIlls(),
    latent: LatentErrors = new LatentErrors(() => new Rng(0, node)),
  ) {
    this.spoils = spoils;
    this.ills = ills;
    this.latent = latent;
    this.sectors = size.sectors;
    this.parts = size.parts ?? [];
    this.metaPages = size.metaPages;
    this.places = new MovedBlocks(size);
    const { allSectors, allPages } = this.places;
    this.#cache = new DiskCache(name, pool, node, allSectors, hash, spoils);
    this.side = this.places.aside(this.#cache, spoils);
    this.meta = pool.bytes(`${name}.meta`, allPages * PAGE_BYTES);
    this.metaOught = pool.bytes(`${name}.metaOught`, allPages * PAGE_BYTES);
    this.shelf = new DiskShelf(this, this.#cache);
    this.#maxSectors = size.maxSectors;
    this.#scratch = new Int32Array(size.maxSectors);
    this.#images = new DiskImages(pool.ints(`${name}.beforeCrash`, allSectors), spoils);
    this.#stamps = pool.rough(`${name}.stamps`, 64 * size.maxSectors);
    for (let op = 63; op >= 0; op -= 1) this.#free.push(op);
    this.#latency = latency;
    this.#hash = hash;
    this.#node = node;
    this.#rng = rng;
  }

  /** What a read of the volume returns, each block from where the metadata say that it stands. */
  get view(): Int32Array {
    return this.places.shown(this.#cache.view, this.meta);
  }

  /** What of it survives a loss of power. */
  get media(): Int32Array {
    return this.places.shown(this.#cache.media, this.meta);
  }

  /** Sector `sector` of {@link view}. */
  viewAt(sector: number): number {
    return this.#cache.view[this.places.where(sector, this.meta)] as number;
  }

  /** Sector `sector` of {@link media}. */
  mediaAt(sector: number): number {
    return this.#cache.media[this.places.where(sector, this.meta)] as number;
  }

  /** Puts a page of metadata there before the disk is used. */
  format(page: number, bytes: Uint8Array): void {
    const at = this.places.dense(page);
    this.meta.set(bytes, at * PAGE_BYTES);
    this.metaOught.set(bytes, at * PAGE_BYTES);
    this.places.changed(at);
  }

  /** Another disk is in its place, with nothing on it. */
  empty(): void {
    this.#cache.empty();
    this.meta.fill(0);
    this.metaOught.fill(0);
    this.places.replaced();
    this.metaSpoiled = false;
    this.#stale.keep(null);
    this.#unheard = false;
  }

  /** Operations that change the disk and have not landed. */
  get writesInFlight(): number {
    return this.#inFlight;
  }

  /** Sector writes that a crash could lose. */
  get unflushed(): number {
    return this.#cache.unflushed;
  }

  /**
   * Issues a read or write of sectors; `stamps` from `at` on are copied for a write. They stand in
   * page `page` of the metadata area, or in their own places when that is 0.
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
    page = 0,
  ): number {
    const op = this.#take(kind, slot, guard);
    const base = op * FIELDS;
    this.#ops[base + Field.sector] = this.places.at(sector, page);
    this.#ops[base + Field.count] = count;
    this.#ops[base + Field.fua] = fua ? 1 : 0;
    if (stamps !== null) {
      const to = op * this.#maxSectors;
      for (let i = 0; i < count; i += 1) this.#stamps[to + i] = stamps[at + i] as number;
      this.summed?.submitted(op, sector, count, stamps, at);
      this.#inFlight += 1;
    }
    return op;
  }

  /** Issues a flush of everything that is done now. */
  submitFlush(token: number, guard: number): number {
    const op = this.#take(DiskOp.Flush, 0, guard);
    this.#ops[op * FIELDS + Field.token] = token;
    this.#ops[op * FIELDS + Field.mark] = this.#cache.head;
    return op;
  }

  /** Issues a metadata read, or a write of `bytes` (copied) when given. */
  submitMeta(page: number, token: number, guard: number, bytes: Uint8Array | null): number {
    const op = this.#take(bytes === null ? DiskOp.MetaRead : DiskOp.MetaWrite, 0, guard);
    this.#ops[op * FIELDS + Field.sector] = this.places.dense(page);
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
    const range = latencyOf(this.#latency, this.kindOf(op));
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
  /** The page of metadata that an operation is for. */
  pageOf(op: number): number {
    return this.places.page(this.sectorOf(op));
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
  /** Life of the process that asked. */
  guardOf(op: number): number {
    return this.#ops[op * FIELDS + Field.guard] as number;
  }

  /** Carries out the operation; the caller then reads its fields and releases it. */
  land(op: number): void {
    const base = op * FIELDS;
    if (this.#ops[base + Field.gone] === 1) return;
    switch (this.#ops[base]) {
      case DiskOp.Write:
        this.#inFlight -= 1;
        if (this.latent.any) this.#refuse(op);
        if (this.ills.any) this.#writeIll(op);
        else this.#writeAt(op, this.sectorOf(op), (this.#ops[base + Field.fua] as number) === 1);
        this.summed?.landed(op, this);
        if (this.latent.any && this.statusOf(op) === 0) {
          this.latent.written(this.sectorOf(op), this.countOf(op));
        }
        return;
      case DiskOp.Read:
      case DiskOp.MetaRead:
        if (this.ills.strikes(Ill.Path, this.placeOf(op))) {
          this.#ops[base + Field.status] = PATH_LOST;
        } else if (this.#ops[base] === DiskOp.MetaRead) return;
        else if (this.latent.any && this.latent.fails(this.sectorOf(op), this.countOf(op))) {
          this.#ops[base + Field.status] = Status.Medium;
        }
        return;
      case DiskOp.Flush: {
        const mark = this.#ops[base + Field.mark] as number;
        if (this.ills.strikes(Ill.Path)) this.#failFlush(base, mark, Ill.Path, PATH_LOST);
        else if (this.#unheard || this.ills.strikes(Ill.WriteError))
          this.#failFlush(base, mark, Ill.WriteError);
        else if (this.ills.has(Ill.LyingFlush)) this.#lie(mark);
        else if (this.flushedUpTo < this.sectors)
          this.#cache.settle(mark, { first: 0, end: this.flushedUpTo });
        else this.#cache.destage(mark);
        return;
      }
      case DiskOp.MetaWrite: {
        this.#inFlight -= 1;
        const page = this.#ops[base + Field.sector] as number;
        if (this.ills.any && this.#writePageIll(op, page)) return;
        this.meta.set(this.#pages[op] as Uint8Array, page * PAGE_BYTES);
        this.metaOught.set(this.#pages[op] as Uint8Array, page * PAGE_BYTES);
        this.places.changed(page);
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
    const { view } = this.#cache;
    if (this.statusOf(op) !== 0) {
      stamps.fill(UNREAD, at, at + count);
      return;
    }
    for (let i = 0; i < count; i += 1) stamps[at + i] = view[sector + i] as number;
    if (this.#stale.any && sector < this.places.sideAt)
      this.#stale.put(sector, count, stamps, at, this.ills, this.spoils);
  }

  release(op: number): void {
    this.#ops[op * FIELDS] = 0;
    this.#free.push(op);
  }

  /** Power is lost: keeps some of what was not flushed, as `mode` says. */
  crash(mode: CrashMode): void {
    const rng = this.#rng;
    this.#images.powerLost(this.#cache.view);
    const keep = mode === 'random' ? rng.between(1, 999_999) : 0;
    this.#cache.crash(mode, keep, rng);
    for (let op = 0; op * FIELDS < this.#ops.length; op += 1) {
      const kind = this.#ops[op * FIELDS];
      const gone = this.#ops[op * FIELDS + Field.gone] === 1;
      if (kind === DiskOp.Write && !gone) this.#tear(op, mode, keep);
      else if (kind === DiskOp.MetaWrite) this.#tearPage(op, mode);
      if (kind !== 0) this.release(op);
    }
    this.#cache.tellHardened();
    this.#inFlight = 0;
    this.#unheard = false;
    this.#cache.view.set(this.#cache.media);
    this.life += 1;
  }

  /**
   * The core of life `guard` is dead: of its writes that have not landed, about half never will.
   * Answers the slots of those.
   */
  forsake(guard: number): number[] {
    const lost: number[] = [];
    for (let op = 0; op * FIELDS < this.#ops.length; op += 1) {
      if (this.kindOf(op) !== DiskOp.Write || this.guardOf(op) !== guard) continue;
      if (this.#rng.chance(500_000)) continue;
      this.#ops[op * FIELDS + Field.gone] = 1;
      this.#inFlight -= 1;
      lost.push(this.slotOf(op));
    }
    return lost;
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

  #writeAt(op: number, sector: number, fua: boolean): void {
    const from = op * this.#maxSectors;
    this.#cache.write(sector, this.countOf(op), this.#stamps, from, fua);
  }

  #tear(op: number, mode: CrashMode, keep: number): void {
    const sector = this.sectorOf(op);
    const from = op * this.#maxSectors;
    for (let i = 0; i < this.countOf(op); i += 1) {
      const kept =
        mode === 'all' || mode === 'newest' || (mode === 'random' && this.#rng.chance(keep));
      if (kept) this.#cache.harden(sector + i, this.#stamps[from + i] as number);
    }
  }

  #tearPage(op: number, mode: CrashMode): void {
    const to = this.sectorOf(op) * PAGE_BYTES;
    const held = this.#pages[op] as Uint8Array;
    this.#cache.tellHardened();
    this.places.changed(this.sectorOf(op));
    for (let i = 0; i < SECTORS_PER_PAGE; i += 1) {
      const kept = mode === 'all' || (mode !== 'none' && this.#rng.chance(500_000));
      if (!kept) continue;
      const at = i * SECTOR_BYTES;
      this.meta.set(held.subarray(at, at + SECTOR_BYTES), to + at);
      this.metaOught.set(held.subarray(at, at + SECTOR_BYTES), to + at);
      this.#hash.word(i ^ (this.sectorOf(op) << 4));
    }
  }

  /** From here on stale reads return what is there now. */
  keepBefore(on: boolean): void {
    this.#stale.keep(on ? this.#cache.view : null);
  }

  /** Notes what is durable now, under a number. */
  takeImage(number: number): void {
    this.#images.take(number, this.#cache, this.meta);
  }

  /**
   * The disk, whose host is off, holds what it held at the image: data and metadata together, or
   * the data of one part alone.
   */
  putImage(number: number, span: Span = WHOLE): void {
    const differs = this.#images.put(number, this.#cache, this.meta, this.places.sideAt, span);
    if (differs === null) return;
    this.places.replaced();
    if (span === WHOLE) this.metaSpoiled = true;
    else this.partSpoiled = true;
    if (differs) this.ills.count(Ill.Old);
  }

  /**
   * The disk that an operation is for, by a sector of it. A flush is for all. So is a read of
   * metadata, for a replica is opened only when all are there; the metadata stand on the last.
   */
  placeOf(op: number): number {
    const kind = this.kindOf(op);
    if (kind === DiskOp.Flush || kind === DiskOp.MetaRead) return ANYWHERE;
    const last = this.sectors - 1;
    return kind === DiskOp.MetaWrite ? last : Math.min(this.sectorOf(op), last);
  }

  /** Up to `most` written sectors in a row rot on the medium; one that is cached reads well yet. */
  rot(most: number): void {
    const rng = this.ills.rng(Ill.Rot);
    if (this.#cache.rot(most, this.sectors, rng)) this.ills.count(Ill.Rot);
  }

  /** A byte of one metadata page turns over: of a superblock, or of any. */
  rotPage(): void {
    const rng = this.ills.rng(Ill.MetaRot);
    const die = rng.below(4);
    const page = die === 0 ? 0 : die === 1 ? this.places.slotB : rng.below(this.metaPages);
    this.places.changed(page);
    const at = page * PAGE_BYTES + rng.below(ROT_WITHIN);
    this.meta[at] = (this.meta[at] as number) ^ (1 << rng.below(8));
    this.metaSpoiled = true;
    this.#hash.word(at ^ (this.#node << 24));
    this.ills.count(Ill.MetaRot);
  }

  /** Sectors that take no write stay as they are; all others are written. */
  #refuse(op: number): void {
    const sector = this.sectorOf(op);
    for (let i = 0; i < this.countOf(op); i += 1) {
      if (!this.latent.refuses(sector + i)) continue;
      this.#stamps[op * this.#maxSectors + i] = this.#cache.view[sector + i] as number;
      this.#ops[op * FIELDS + Field.status] = Status.Medium;
    }
  }

  #writeIll(op: number): void {
    const { ills, spoils } = this;
    const { view } = this.#cache;
    const [sector, count] = [this.sectorOf(op), this.countOf(op)];
    const from = op * this.#maxSectors;
    const stamps = this.#stamps;
    const place = this.placeOf(op);
    const lies = ills.has(Ill.LyingFlush, place);
    const fua = (this.#ops[op * FIELDS + Field.fua] as number) === 1;
    let elsewhere = -1;
    const status = ills.strikes(Ill.Path, place) ? PATH_LOST : Status.Io;
    if (status === PATH_LOST || ills.strikes(Ill.WriteError, place)) {
      this.#ops[op * FIELDS + Field.status] = status;
      // Any of its sectors may have got there; a device that was reset has lost its cache as well.
      const rng = ills.rng(Ill.WriteError);
      this.#mayLoseCache(rng, ills.span(status === PATH_LOST ? Ill.Path : Ill.WriteError));
      for (let i = 0; i < count; i += 1) {
        if (rng.chance(500_000)) stamps[from + i] = view[sector + i] as number;
      }
    } else if (ills.strikes(Ill.LostWrite, place)) this.#lose(op);
    else if (ills.strikes(Ill.MisdirectedWrite)) {
      for (let i = 0; i < count; i += 1) this.#scratch[i] = stamps[from + i] as number;
      elsewhere = ills.elsewhere(sector, count, this.sectors);
      this.#lose(op);
    }
    this.#writeAt(op, sector, fua && !lies);
    if (fua && lies) this.#cache.lie(this.#cache.head, sector, count);
    if (elsewhere < 0) return;
    for (let i = 0; i < count; i += 1) {
      const there = view[elsewhere + i] as number;
      stamps[from + i] = spoils.stamp(this.#scratch[i] as number, there);
    }
    this.#writeAt(op, elsewhere, fua && !lies);
  }

  /** What the write brings is not what will be there. */
  #lose(op: number): void {
    const [sector, from, stamps] = [this.sectorOf(op), op * this.#maxSectors, this.#stamps];
    for (let i = 0; i < this.countOf(op); i += 1) {
      stamps[from + i] = this.spoils.stamp(
        this.#cache.view[sector + i] as number,
        stamps[from + i] as number,
      );
    }
  }

  /** A write of a metadata page under an ill; false when it goes well. */
  #writePageIll(op: number, page: number): boolean {
    const { ills } = this;
    const bytes = this.#pages[op] as Uint8Array;
    this.places.changed(page);
    const status = ills.strikes(Ill.Path, this.placeOf(op)) ? PATH_LOST : Status.Io;
    if (status === PATH_LOST || ills.strikes(Ill.MetaError)) {
      this.#ops[op * FIELDS + Field.status] = status;
      this.#tearPage(op, 'random');
      this.#mayLoseCache(ills.rng(Ill.MetaError), WHOLE);
      return true;
    }
    if (ills.strikes(Ill.MetaLost)) {
      this.metaOught.set(bytes, page * PAGE_BYTES);
      this.metaSpoiled = true;
      return true;
    }
    if (!ills.strikes(Ill.MetaMisdirected)) return false;
    this.metaOught.set(bytes, page * PAGE_BYTES);
    const other =
      (page + 1 + ills.rng(Ill.MetaMisdirected).below(this.metaPages - 1)) % this.metaPages;
    this.meta.set(bytes, other * PAGE_BYTES);
    this.metaSpoiled = true;
    this.#hash.word(other ^ (this.#node << 24));
    return true;
  }

  /**
   * A flush up to `mark` fails, and what it did not write back is forgotten. Of a failure that
   * nobody alive heard of, the next flush tells: see docs/decisions/0013 for that assumption.
   */
  #failFlush(base: number, mark: number, ill: number, status: number = Status.Io): void {
    this.#ops[base + Field.status] = status;
    this.#unheard = false;
    this.#loseCache(mark, this.ills.rng(Ill.WriteError), this.ills.span(ill));
  }

  /** An operation other than a flush failed: half of the disks lose their cache with it. */
  #mayLoseCache(rng: Rng, span: Span): void {
    if (rng.chance(500_000)) this.#loseCache(this.#cache.head, rng, span);
    else this.loss = 'kept';
  }

  /** What the disk took before `mark` it may keep, lose at once, or with the next loss of power. */
  #loseCache(mark: number, rng: Rng, span: Span): void {
    const gone = rng.chance(500_000);
    const lost = this.#cache.fail(mark, gone, rng.below(MILLION), rng, span);
    this.loss = lost ? (gone ? 'gone' : 'clean') : 'kept';
  }

  /** The process that a write or flush was for is dead: the disk needs somebody if it failed. */
  unheard(op: number): void {
    const reads: readonly number[] = [DiskOp.Read, DiskOp.MetaRead];
    if (reads.includes(this.kindOf(op)) || this.statusOf(op) === 0) return;
    this.#unheard = true;
    this.ills.count(Ill.WriteError);
  }

  /** A flush up to `mark` is answered, and nothing is written back. */
  #lie(mark: number): void {
    this.ills.count(Ill.LyingFlush);
    const { first, end } = this.ills.span(Ill.LyingFlush);
    this.#cache.settle(mark, { first: 0, end: first });
    this.#cache.settle(mark, { first: end, end: WHOLE.end });
    this.#cache.lie(mark, first, end - first);
  }
}
