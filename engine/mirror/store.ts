/**
 * Reads and writes the metadata area in the right order: one superblock update and one journal
 * block in flight, map pages a few at a time. A superblock update goes to the slot of the lower
 * sequence, so a torn one leaves the other slot whole.
 */
import { BLOCK_BYTES, type Epoch, EXTENT_BYTES } from '../core/units.ts';
import { Decision, PAGE_BYTES } from '../data/abi.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from './block-map.ts';
import {
  DiskFlag,
  decodeJournal,
  decodeMapPage,
  decodeSuperblock,
  encodeJournal,
  encodeMapPage,
  encodeSuperblock,
  type MetadataFault,
  type MetadataLayout,
  metadataLayout,
  type Superblock,
} from './metadata.ts';
import type { Parts } from './parts.ts';

/** Metadata reads in flight while attaching. */
const READS = 16;
/** Map pages being written at once. */
const PAGE_WRITES = 8;

interface Waiter {
  readonly version: number;
  readonly done: () => void;
}

/** What the attach found, for the attached report. */
export interface Found {
  readonly hot: boolean;
  readonly rebooted: boolean;
}

export class Store {
  readonly #p: Parts;
  readonly layout: MetadataLayout;
  readonly #scratch = new Uint8Array(PAGE_BYTES);
  readonly #words = new Uint32Array(PAGE_WORDS);
  /** The superblock as it should be; {@link Store.persist} makes it so. */
  block: Superblock;
  /** Highest epoch that is durable here. */
  durableEpoch: Epoch = 0;
  #version = 0;
  #versionFlying = 0;
  #versionDurable = 0;
  #epochFlying = 0;
  #token = 0;
  #waiters: Waiter[] = [];
  /** Slot that the next update overwrites. */
  #nextSlot: number;
  #journalToken = 0;
  #journalSeq = 0;
  /** Tokens of map pages in flight, 0 for none. */
  readonly #pageToken: Float64Array;
  #pagesFlying = 0;
  #pageSeq = 2;
  #flushing = false;
  #flushed: (() => void)[] = [];
  // Attach.
  #slotsRead: { page: number; block: Superblock | null; fault: MetadataFault }[] = [];
  #readNext = 0;
  #readsLeft = 0;
  #journalBest = -1;
  #journalExtents: number[] = [];
  #journalBad: number[] = [];
  #attachToken = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    this.layout = metadataLayout(parts.config);
    this.#pageToken = new Float64Array(this.layout.mapPages);
    this.#nextSlot = this.layout.slotA;
    const { node } = parts.state;
    this.block = {
      seq: 0,
      device: '',
      node,
      boot: 0,
      epoch: 0,
      generation: 0,
      parents: [],
      peerGeneration: 0,
      flags: 0,
    };
  }

  /** Begins to read the whole area. */
  attach(): void {
    this.#attachToken = this.#p.state.nextToken();
    this.#readNext = this.layout.journal;
    this.#read(this.layout.slotA);
    this.#read(this.layout.slotB);
  }

  /** Makes {@link Store.block} durable, then calls `done`. */
  persist(done: () => void): void {
    this.#version += 1;
    this.#waiters.push({ version: this.#version, done });
    this.#writeSuperblock();
  }

  /**
   * A write or flush failed: what the disk had only in its cache may be gone, acknowledged writes
   * among it. While another member has them this replica is no image of any moment, also after a
   * restart. The only member's is the best that there is.
   */
  doubt(): void {
    const { record } = this.#p.state;
    const only = record !== null && record.members.length <= 1;
    if (only || this.#p.canary.failureForgotten) return;
    this.block.flags |= DiskFlag.Inconsistent;
    // Nothing waits for it. Where this fails as well, control remembers.
    this.persist(() => {});
  }

  /** RULE-01: makes `epoch` durable before anybody acts in it. */
  persistEpoch(epoch: Epoch, done: () => void): void {
    if (this.#p.canary.rule01) {
      this.durableEpoch = Math.max(this.durableEpoch, epoch);
      done();
      return;
    }
    this.block.epoch = Math.max(this.block.epoch, epoch);
    this.persist(done);
  }

  writeJournal(seq: number, extents: Uint32Array, count: number): void {
    const page = this.layout.journal + (seq % this.layout.journalPages);
    encodeJournal(this.#p.config, page, seq, extents, count, this.#scratch);
    this.#journalToken = this.#p.state.nextToken();
    this.#journalSeq = seq;
    this.#p.turn.emitPage(Decision.MetaWrite, 0, page, this.#journalToken, this.#scratch);
  }

  /** Whether the map page on disk covers all that the memory says. */
  pageIsDurable(page: number): boolean {
    return !this.#p.map.isStale(page) && this.#pageToken[page] === 0;
  }

  /** Writes a map page if its copy on disk is old and it is not being written already. */
  writePage(page: number): void {
    const p = this.#p;
    if (!p.map.isStale(page) || this.#pageToken[page] !== 0) return;
    p.map.takeStale(page);
    const words = this.#words;
    p.map.copyPage(page, words);
    // A cleared block whose copy is not known stable on both sides stays dirty on disk.
    const first = page * PAGE_BLOCKS;
    p.barrier.forEachUnstable((offset, length) => {
      const from = Math.floor(offset / BLOCK_BYTES) - first;
      const to = Math.floor((offset + length - 1) / BLOCK_BYTES) - first;
      for (let b = Math.max(0, from); b <= Math.min(to, PAGE_BLOCKS - 1); b += 1) {
        words[b >>> 5] = ((words[b >>> 5] as number) | (1 << (b & 31))) >>> 0;
      }
    });
    const at = this.layout.map + page;
    this.#pageSeq += 1;
    encodeMapPage(p.config, at, page, this.#pageSeq, words, this.#scratch);
    const token = p.state.nextToken();
    this.#pageToken[page] = token;
    this.#pagesFlying += 1;
    p.turn.emitPage(Decision.MetaWrite, 0, at, token, this.#scratch);
  }

  /** Writes every map page that is old on disk, then calls `done`. */
  flushPages(done: () => void): void {
    this.#flushed.push(done);
    this.#flushing = true;
    this.#flushStep();
  }

  /** A MetaRead or MetaWrite ended. */
  done(page: number, token: number, status: number, inPage: number): void {
    if (!this.#p.state.attached && this.#readsLeft > 0 && token === this.#attachToken) {
      this.#readDone(page, status, inPage);
      return;
    }
    if (status !== 0) {
      this.#p.role.failDisk('metadata-write');
      return;
    }
    if (token === this.#token && this.#versionFlying > 0) this.#superblockDone();
    else if (token === this.#journalToken) {
      this.#journalToken = 0;
      this.#p.log.written(this.#journalSeq);
      this.#p.writes.journalWritten();
    } else this.#pageDone(page - this.layout.map, token);
  }

  #superblockDone(): void {
    this.#versionDurable = this.#versionFlying;
    this.#versionFlying = 0;
    if (!this.#p.canary.rule01) this.durableEpoch = this.#epochFlying;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const w of waiters) {
      if (w.version <= this.#versionDurable) w.done();
      else this.#waiters.push(w);
    }
    this.#writeSuperblock();
  }

  #writeSuperblock(): void {
    if (this.#versionFlying > 0 || this.#versionDurable === this.#version) return;
    const p = this.#p;
    this.block.seq += 1;
    const page = this.#nextSlot;
    this.#nextSlot = page === this.layout.slotA ? this.layout.slotB : this.layout.slotA;
    this.#versionFlying = this.#version;
    this.#epochFlying = this.block.epoch;
    encodeSuperblock(p.config, page, this.block, this.#scratch);
    this.#token = p.state.nextToken();
    p.turn.emitPage(Decision.MetaWrite, 0, page, this.#token, this.#scratch);
  }

  #pageDone(page: number, token: number): void {
    if (page < 0 || page >= this.layout.mapPages || this.#pageToken[page] !== token) return;
    this.#pageToken[page] = 0;
    this.#pagesFlying -= 1;
    if (this.#flushing) this.#flushStep();
    this.#p.writes.roomChanged();
  }

  #flushStep(): void {
    const map = this.#p.map;
    let page = map.nextStale(0);
    while (page >= 0 && this.#pagesFlying < PAGE_WRITES) {
      this.writePage(page);
      page = map.nextStale(page + 1);
    }
    if (map.staleCount > 0 || this.#pagesFlying > 0) return;
    this.#flushing = false;
    const done = this.#flushed;
    this.#flushed = [];
    for (const call of done) call();
  }

  #read(page: number): void {
    this.#readsLeft += 1;
    this.#p.turn.emit(Decision.MetaRead, 0, 0, 0, page, this.#attachToken, 0);
  }

  #readDone(page: number, status: number, inPage: number): void {
    this.#readsLeft -= 1;
    const bytes = this.#p.turn.memory.inPages.subarray(
      inPage * PAGE_BYTES,
      inPage * PAGE_BYTES + PAGE_BYTES,
    );
    const { layout } = this;
    if (page === layout.slotA || page === layout.slotB) {
      this.#superblockRead(page, bytes, status);
      return;
    }
    if (page < layout.map) this.#journalRead(page, bytes, status);
    else this.#mapRead(page, bytes, status);
    this.#readMore();
  }

  #superblockRead(page: number, bytes: Uint8Array, status: number): void {
    const { config, state } = this.#p;
    const read = status === 0 ? decodeSuperblock(config, state.node, page, bytes) : null;
    if (read?.ok) this.#slotsRead.push({ page, block: read.block, fault: 'unreadable' });
    else this.#slotsRead.push({ page, block: null, fault: read?.fault ?? 'unreadable' });
    if (this.#slotsRead.length < 2) return;
    let best: Superblock | null = null;
    let bestPage = 0;
    let fault: MetadataFault = 'unreadable';
    for (const slot of this.#slotsRead) {
      if (slot.fault !== 'unreadable') fault = slot.fault;
      if (slot.block === null || (best !== null && best.seq >= slot.block.seq)) continue;
      best = slot.block;
      bestPage = slot.page;
    }
    // A slot that is whole but of another volume, size or version: never guess round it.
    if (best === null || fault !== 'unreadable') {
      this.#p.role.attachFailed(fault);
      return;
    }
    if (this.#slotsRead.some((s) => s.block === null)) this.#p.turn.reached('mirror.meta.one-slot');
    this.block = best;
    this.durableEpoch = best.epoch;
    this.#nextSlot = bestPage === this.layout.slotA ? this.layout.slotB : this.layout.slotA;
    this.#readMore();
  }

  #readMore(): void {
    while (this.#readsLeft < READS && this.#readNext < this.layout.slotB) {
      this.#read(this.#readNext);
      this.#readNext += 1;
    }
    if (this.#readsLeft === 0 && this.#readNext >= this.layout.slotB) this.#attached();
  }

  #journalRead(page: number, bytes: Uint8Array, status: number): void {
    const read = status === 0 ? decodeJournal(this.#p.config, page, bytes) : null;
    const at = page - this.layout.journal;
    if (read === null || read.seq % this.layout.journalPages !== at) {
      this.#journalBad.push(at);
      return;
    }
    if (read.seq <= this.#journalBest) return;
    this.#journalBest = read.seq;
    this.#journalExtents = read.extents;
  }

  #mapRead(page: number, bytes: Uint8Array, status: number): void {
    const { config, map, turn } = this.#p;
    const at = page - this.layout.map;
    if (status === 0 && decodeMapPage(config, page, at, bytes, this.#words)) {
      map.mergePage(at, this.#words);
      map.takeStale(at);
      return;
    }
    map.markPage(at);
    map.touchStale(at);
    turn.reached('mirror.meta.bad-map-page');
  }

  /** Everything is read: replay the journal, then make this life durable. */
  #attached(): void {
    const { map, state, turn, canary } = this.#p;
    const n = this.layout.journalPages;
    const next = (this.#journalBest + 1) % n;
    // One write is in flight at a time, so a power cut damages at most the page after the newest.
    const torn =
      this.#journalBad.length === 0 ||
      (this.#journalBad.length === 1 && this.#journalBad[0] === next);
    const unknown =
      this.#journalBest < 0 ||
      (!torn && this.#journalBad.includes(next) && this.#journalBad.includes((next + 1) % n));
    const rebooted = this.block.boot !== 0 && this.block.boot !== state.boot;
    const hot = unknown || this.#journalExtents.length > 0;
    if (unknown) {
      turn.reached('mirror.meta.journal-lost');
      for (let page = 0; page < map.pages; page += 1) map.markPage(page);
    } else if (!(rebooted && canary.rule06)) {
      for (const extent of this.#journalExtents) {
        const at = extent * EXTENT_BYTES;
        const length = Math.min(EXTENT_BYTES, this.#p.config.sizeBytes - at);
        if (length > 0) map.markBytes(at, length);
      }
    }
    if (hot) turn.reached('mirror.attach.hot');
    this.#p.log.load(Math.max(this.#journalBest, 0), this.#journalExtents);
    this.block.boot = state.boot;
    // RULE-06: a replica whose host lost power may miss acknowledged writes.
    if (rebooted && !canary.rule06) this.block.flags |= DiskFlag.Rebooted;
    const live = () => this.persist(() => this.#p.role.attachDone({ hot, rebooted }));
    // Durable before the next journal block: that one makes what was lost look merely torn.
    if (unknown) this.flushPages(live);
    else live();
  }
}
