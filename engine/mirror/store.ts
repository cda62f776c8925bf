/**
 * Reads and writes the metadata area in the right order: one superblock update and one journal
 * block in flight, map pages a few at a time. A superblock update goes to the slot of the lower
 * sequence, so a torn one leaves the other slot whole; it counts as durable when both slots have
 * it, so that nobody acts on what one bad slot would take back.
 */
import { invariant } from '../core/invariant.ts';
import { BLOCK_BYTES, type Epoch, EXTENT_BYTES } from '../core/units.ts';
import { Decision, PAGE_BYTES, Status } from '../data/abi.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from './block-map.ts';
import { needsWindows } from './config.ts';
import { Feature, ownFeatures, withWindows } from './features.ts';
import { encodeJournal, RingReader, type RingVerdict } from './journal.ts';
import {
  chooseSuperblock,
  DiskFlag,
  decodeMapPage,
  decodeSuperblock,
  encodeMapPage,
  encodeSuperblock,
  isReadOnly,
  type MetadataLayout,
  metadataLayout,
  type Superblock,
  type SuperblockRead,
} from './metadata.ts';
import { type Claims, DEVICE_BYTES, deviceBytes, noClaims, raiseClaims } from './page.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { isPathLoss } from './path.ts';

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
  /** The first version that has what was padded last. */
  #padVersion = 0;
  #versionFlying = 0;
  #epochFlying = 0;
  /** What each slot has durably: version, epoch and sequence, A first. */
  readonly #slots = [emptySlot(), emptySlot()] as const;
  /** Whether the next update overwrites slot A, the one in flight the other. */
  #nextIsA = true;
  #token = 0;
  #waiters: Waiter[] = [];
  /** What of the area is durable: every page written claims it. */
  readonly #durable: Claims = noClaims();
  #device: Uint8Array = new Uint8Array(DEVICE_BYTES);
  #journalToken = 0;
  #journalSeq = 0;
  /** Journal pages still to be written anew, over a ring in which something was lost. */
  #renewals = 0;
  #renewed: () => void = () => {};
  #renewal = new Uint32Array(0);
  /** Tokens of map pages in flight, 0 for none. */
  readonly #pageToken: Float64Array;
  /** How often each map page has been written. */
  readonly #pageSeq: Float64Array;
  #pagesFlying = 0;
  #flushing = false;
  #flushed: (() => void)[] = [];
  // Attach.
  #slotRead: [a: SuperblockRead | null, b: SuperblockRead | null] = [null, null];
  /** The device gave one of them with an error that says nothing of what stands there (EIO). */
  #unanswered = false;
  #readNext = 0;
  #readsLeft = 0;
  /** What the pages read so far claim of the others. */
  readonly #claimed: Claims = noClaims();
  #ring: RingReader | null = null;
  #badMapPage = -1;
  #attachToken = 0;
  /** The event behind the reading of the metadata. */
  attachBy = '';

  constructor(parts: Parts) {
    this.#p = parts;
    this.layout = metadataLayout(parts.config);
    this.#pageToken = new Float64Array(this.layout.mapPages);
    this.#pageSeq = new Float64Array(this.layout.mapPages);
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
      padded: 0,
      peerDisk: 0,
      others: [],
      remaps: 0,
      undo: 0,
      layout: parts.config.layout ?? 0,
      features: ownFeatures(parts.config),
    };
  }

  /** Begins to read the whole area. */
  attach(): void {
    this.#attachToken = this.#p.state.nextToken();
    this.attachBy = this.#p.turn.cause;
    this.#readNext = this.layout.journal;
    this.#read(this.layout.slotA);
    this.#read(this.layout.slotB);
  }

  /** Makes {@link Store.block} durable, then calls `done`. */
  persist(done: () => void): void {
    this.#version += 1;
    this.#waiters.push({ version: this.#version, done: this.#p.turn.carry(done) });
    this.#writeSuperblock();
  }

  /**
   * The disk failed, or hangs: what it had only in its cache may be gone, acknowledged writes among
   * it, as after a loss of power. While another member has them this replica must not lead for it,
   * nor after a restart. Who is a member is not asked here: at both ends of a resync a record that
   * admits another may be on its way. Whether the other has them is asked when somebody is to lead.
   */
  doubt(status: number): void {
    const { canary } = this.#p;
    const said = (this.block.flags & DiskFlag.Doubted) !== 0;
    const trusted = canary.failureForgotten || (canary.pathUndoubted && isPathLoss(status));
    if (said || trusted) return;
    this.block.flags |= DiskFlag.Doubted;
    // Nothing waits for it. Where this fails as well, control remembers.
    this.persist(() => {});
  }

  /** The replica's identity, as its pages carry it. */
  get device(): Uint8Array {
    return this.#device;
  }

  /** What partners are padded with has changed, and is not durable. */
  padding(): void {
    this.#padVersion = this.#version + 1;
  }

  /** Makes durable what {@link padding} told of, if it is not. */
  persistPadding(done: () => void): void {
    if (this.#versionDurable() >= this.#padVersion) done();
    else this.persist(done);
  }

  /** Whether acknowledged writes may be gone. */
  get doubted(): boolean {
    return (this.block.flags & (DiskFlag.Doubted | DiskFlag.Lacking)) !== 0;
  }

  /** Whether that is only for what an earlier core had received: its disk has kept its word. */
  get lacking(): boolean {
    return this.doubted && (this.block.flags & DiskFlag.Doubted) === 0;
  }

  /** Both replicas are equal, and neither has anything in its cache alone: there is no doubt. */
  proved(): void {
    const { state } = this.#p;
    if (!this.doubted) return;
    this.block.flags &= ~(DiskFlag.Doubted | DiskFlag.Lacking);
    if (state.disk === 'Consistent') state.disk = 'UpToDate';
    this.persist(() => {});
  }

  /** RULE-01: makes `epoch` durable before anybody acts in it. */
  persistEpoch(epoch: Epoch, done: () => void): void {
    if (this.#p.canary.epochUnsynced) {
      this.durableEpoch = Math.max(this.durableEpoch, epoch);
      done();
      return;
    }
    this.block.epoch = Math.max(this.block.epoch, epoch);
    this.persist(done);
  }

  /** What of the area is durable: for whoever else writes a page of it. */
  get claims(): Readonly<Claims> {
    return this.#durable;
  }

  /** Writes journal page `seq`, as encodeJournal() has it. */
  writeJournal(seq: number, extents: Uint32Array, count: number, window: number): void {
    const page = this.layout.journal + (seq % this.layout.journalPages);
    encodeJournal(this.#device, page, seq, this.#durable, extents, count, window, this.#scratch);
    this.#journalToken = this.#p.state.nextToken();
    this.#journalSeq = seq;
    this.#p.turn.emitPage(Decision.MetaWrite, 0, page, this.#journalToken, this.#scratch);
  }

  /** Whether the page on disk covers, in the map of every partner, all that the memory says. */
  pageIsDurable(page: number): boolean {
    for (const partner of this.#p.partners.all) {
      if (partner.map.isStale(page) || this.#pageToken[this.#at(partner, page)] !== 0) return false;
    }
    return true;
  }

  /** Writes a page of every map if its copy on disk is old and it is not being written already. */
  writePages(page: number): void {
    for (const partner of this.#p.partners.all) this.#writePage(partner, page);
  }

  /** The position of a partner's map page among those of all maps. */
  #at({ map, index }: Partner, page: number): number {
    return index * map.pages + page;
  }

  #writePage(partner: Partner, page: number): void {
    const p = this.#p;
    const { map } = partner;
    const index = this.#at(partner, page);
    if (!map.isStale(page) || this.#pageToken[index] !== 0) return;
    map.takeStale(page);
    const words = this.#words;
    map.copyPage(page, words);
    // A cleared block whose copy is not known stable on both sides stays dirty on disk.
    const first = page * PAGE_BLOCKS;
    p.barrier.forEachUnstable((offset, length) => {
      const from = Math.floor(offset / BLOCK_BYTES) - first;
      const to = Math.floor((offset + length - 1) / BLOCK_BYTES) - first;
      for (let b = Math.max(0, from); b <= Math.min(to, PAGE_BLOCKS - 1); b += 1) {
        words[b >>> 5] = ((words[b >>> 5] as number) | (1 << (b & 31))) >>> 0;
      }
    });
    const at = this.layout.map + index;
    const seq = (this.#pageSeq[index] as number) + 1;
    this.#pageSeq[index] = seq;
    encodeMapPage(this.#device, at, index, seq, this.#durable, words, this.#scratch);
    const token = p.state.nextToken();
    this.#pageToken[index] = token;
    this.#pagesFlying += 1;
    p.turn.emitPage(Decision.MetaWrite, 0, at, token, this.#scratch);
  }

  /** Writes every map page that is old on disk, then calls `done`. */
  flushPages(done: () => void): void {
    this.#flushed.push(this.#p.turn.carry(done));
    this.#flushing = true;
    this.#flushStep();
  }

  /** A MetaRead or MetaWrite ended. */
  done(page: number, token: number, status: number, inPage: number): void {
    if (!this.#p.state.attached && this.#readsLeft > 0 && token === this.#attachToken) {
      this.#p.turn.cause = this.attachBy;
      this.#readDone(page, status, inPage);
      return;
    }
    if (this.#p.sums?.pageDone(token, status, inPage) === true) return;
    const ignored = this.#p.canary.journalErrorIgnored && token === this.#journalToken;
    if (status !== 0 && !ignored) {
      this.#p.role.failDisk('metadata-write', status);
      return;
    }
    if (token === this.#token && this.#versionFlying > 0) this.#superblockDone();
    else if (token === this.#journalToken) {
      this.#journalToken = 0;
      this.#durable.journal = this.#journalSeq;
      if (this.#renewals > 0) {
        this.#renew();
        return;
      }
      this.#p.log.written(this.#journalSeq);
      this.#p.writes.journalWritten();
      this.#p.peers.journalWritten();
    } else if (this.#p.spare.owns(page)) this.#p.spare.written(token);
    else this.#pageDone(page - this.layout.map, token);
  }

  #superblockDone(): void {
    const { canary } = this.#p;
    const [a, b] = this.#slots;
    const slot = this.#nextIsA ? b : a;
    slot.version = this.#versionFlying;
    slot.epoch = this.#epochFlying;
    slot.seq = this.block.seq;
    this.#versionFlying = 0;
    const durable = this.#versionDurable();
    this.#durable.superblock = Math.min(a.seq, b.seq);
    if (!canary.epochUnsynced)
      this.durableEpoch = canary.slotSingle ? slot.epoch : Math.min(a.epoch, b.epoch);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const w of waiters) {
      if (w.version <= durable) w.done();
      else this.#waiters.push(w);
    }
    this.#writeSuperblock();
  }

  /** The newest version that no single bad slot takes back. */
  #versionDurable(): number {
    const [a, b] = this.#slots;
    if (this.#p.canary.slotSingle) return Math.max(a.version, b.version);
    return Math.min(a.version, b.version);
  }

  #writeSuperblock(): void {
    if (this.#versionFlying > 0 || this.#versionDurable() === this.#version) return;
    const p = this.#p;
    this.block.seq += 1;
    const page = this.#nextIsA ? this.layout.slotA : this.layout.slotB;
    this.#nextIsA = !this.#nextIsA;
    this.#versionFlying = this.#version;
    this.#epochFlying = this.block.epoch;
    encodeSuperblock(p.config, page, this.block, this.#durable, this.#scratch);
    this.#token = p.state.nextToken();
    p.turn.emitPage(Decision.MetaWrite, 0, page, this.#token, this.#scratch);
  }

  #pageDone(page: number, token: number): void {
    if (page < 0 || page >= this.layout.mapPages || this.#pageToken[page] !== token) return;
    this.#pageToken[page] = 0;
    this.#pagesFlying -= 1;
    this.#durable.mapWrites += 1;
    if (this.#flushing) this.#flushStep();
    this.#p.writes.roomChanged();
  }

  #flushStep(): void {
    let stale = 0;
    for (const partner of this.#p.partners.all) {
      const { map } = partner;
      let page = map.nextStale(0);
      while (page >= 0 && this.#pagesFlying < PAGE_WRITES) {
        this.#writePage(partner, page);
        page = map.nextStale(page + 1);
      }
      stale += map.staleCount;
    }
    if (stale > 0 || this.#pagesFlying > 0) return;
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
    const { state, role } = this.#p;
    if (state.pathLost) return;
    if (isPathLoss(status)) {
      // Of no page it is known how it is: nothing is wrong with any of them.
      if (!state.failedBefore(status)) role.attachFailed('unreadable', false, status);
      return;
    }
    const bytes = this.#p.turn.memory.inPages.subarray(
      inPage * PAGE_BYTES,
      inPage * PAGE_BYTES + PAGE_BYTES,
    );
    const { layout } = this;
    if (page === layout.slotA || page === layout.slotB) {
      this.#superblockRead(page, bytes, status);
      return;
    }
    if (this.#p.spare.owns(page)) {
      const claims = this.#p.spare.read(page, status === 0 ? bytes : null);
      if (claims !== null) raiseClaims(this.#claimed, claims);
    } else if (page < layout.map)
      this.#ring?.add(page - layout.journal, status === 0 ? bytes : null);
    else this.#mapRead(page, bytes, status);
    this.#readMore();
  }

  #superblockRead(page: number, bytes: Uint8Array, status: number): void {
    const { config, state, role, turn } = this.#p;
    const read: SuperblockRead =
      status === 0
        ? decodeSuperblock(config, state.node, page, bytes)
        : { ok: false, fault: 'unreadable' };
    this.#slotRead[page === this.layout.slotA ? 0 : 1] = read;
    if (status === Status.Io) this.#unanswered = true;
    const [a, b] = this.#slotRead;
    if (a === null || b === null) return;
    const chosen = chooseSuperblock(a, b);
    if (!chosen.ok) {
      const unanswered = chosen.fault === 'unreadable' && this.#unanswered;
      role.attachFailed(chosen.fault, false, unanswered ? Status.Io : 0);
      return;
    }
    const { block } = chosen;
    // A data actor writes from its first turn on: this life's boot.
    if (isReadOnly(block)) {
      role.attachFailed('read-only-features');
      return;
    }
    if (chosen.damaged > 0) turn.reached('mirror.meta.one-slot');
    this.block = block;
    this.durableEpoch = block.epoch;
    this.#nextIsA = !chosen.isA;
    for (const slot of this.#slots) slot.epoch = block.epoch;
    (this.#slots[chosen.isA ? 0 : 1] as Slot).seq = block.seq;
    this.#device = deviceBytes(block.device);
    raiseClaims(this.#claimed, chosen.claims);
    const { journal, journalPages } = this.layout;
    this.#ring = new RingReader(this.#device, journal, journalPages, this.#p.canary);
    this.#readMore();
  }

  /** The page that is read after `page`, 0 for none: behind the map comes what else there is. */
  #pageAfter(page: number): number {
    const { map, mapPages } = this.layout;
    return page + 1 < map + mapPages ? page + 1 : this.#p.spare.nextRead(page);
  }

  #readMore(): void {
    while (this.#readsLeft < READS && this.#readNext > 0) {
      this.#read(this.#readNext);
      this.#readNext = this.#pageAfter(this.#readNext);
    }
    if (this.#readsLeft === 0 && this.#readNext === 0) this.#attached();
  }

  #mapRead(page: number, bytes: Uint8Array, status: number): void {
    const { partners, turn, canary } = this.#p;
    const at = page - this.layout.map;
    const { pages } = partners.first.map;
    const index = Math.floor(at / pages);
    const { map } = partners.all[index] as Partner;
    const mapPage = at - index * pages;
    const bugs = { trusted: canary.mapPageTrusted, saltIgnored: canary.saltIgnored };
    const read =
      status === 0 ? decodeMapPage(this.#device, page, at, bytes, this.#words, bugs) : null;
    if (read !== null) {
      this.#pageSeq[at] = read.seq;
      raiseClaims(this.#claimed, read.claims);
      map.mergePage(mapPage, this.#words);
      map.takeStale(mapPage);
      return;
    }
    this.#badMapPage = at;
    map.markPage(mapPage);
    map.touchStale(mapPage);
    turn.reached('mirror.meta.bad-map-page');
  }

  /** Everything is read: replay the journal, then make this life durable. */
  #attached(): void {
    const { partners, state, turn, canary, log } = this.#p;
    // Given up before it answered: control has been told, and turns to others.
    if (state.disk === 'Failed' && !canary.attachRevived) return;
    const claimed = this.#claimed;
    const ring = this.#judged();
    raiseClaims(claimed, ring.claims);
    if (claimed.superblock > this.block.seq && !canary.staleTrusted) {
      turn.reached('mirror.meta.stale-superblock');
      this.#p.role.attachFailed('stale');
      return;
    }
    const spare = this.#p.spare.gather();
    if (spare !== 'ok') {
      turn.reached('mirror.spare.lost');
      this.#p.role.attachFailed(spare === 'stale' ? 'stale' : 'spare');
      return;
    }
    const unknown = !this.#mapIsNewest() || ring.lost;
    const rebooted = this.block.boot !== 0 && this.block.boot !== state.boot;
    const hot = unknown || ring.extents.length > 0;
    for (const partner of partners.all) {
      if (unknown) this.#markAll(partner);
      else if (!(rebooted && canary.rebootUnnoticed) && !canary.hotForgotten) {
        for (const extent of ring.extents) this.#markExtent(partner, extent);
      }
      // What is dirty for a crash only is no change that anybody made. Pages are written before
      // what was counted of them is: where a session did not end in order all of it may be none.
      if (hot || partner.padded < 0) partner.padded = partner.map.dirty;
      if (canary.paddingCounted) partner.padded = 0;
    }
    if (ring.lost) turn.reached('mirror.meta.journal-lost');
    if (ring.torn) turn.reached('mirror.meta.journal-torn');
    if (hot) turn.reached('mirror.attach.hot');
    this.#durable.journal = ring.base;
    this.#durable.superblock = claimed.superblock;
    this.block.boot = state.boot;
    // RULE-06: a replica whose host lost power may miss acknowledged writes.
    if (rebooted && !canary.rebootUnnoticed) {
      const { Doubted, Unproved, Received, Lacking, Rebooted } = DiskFlag;
      const gone = Doubted | Unproved | Received | Lacking;
      this.block.flags = (this.block.flags | Rebooted) & ~gone;
    } else this.#p.receipts.attach();
    this.#noteWindows(ring);
    // More than one page names goes into the map first, and then need not be hot any more.
    const long = ring.extents.length > log.loadable;
    if (long) turn.reached('mirror.attach.long');
    const done = () => {
      if (state.disk === 'Failed' && !canary.attachRevived) return;
      log.load(this.#durable.journal, long ? null : ring.extents);
      if (this.#p.unproved.kept !== 0) this.#p.unproved.suspect();
      this.#p.role.attachDone({ hot, rebooted });
    };
    const renew = () => this.#renewRing(long ? [] : ring.extents, done);
    const live = () =>
      this.#p.spare.mend(() => this.persist(ring.rotten || ring.lost ? renew : done));
    // Durable before the next journal block: that one makes what was lost look merely torn.
    if (unknown || (long && !canary.longUnmapped)) this.flushPages(live);
    else live();
  }

  /** The superblock says it before the first page needs those before it, and until none does. */
  #noteWindows({ window, lost }: RingVerdict): void {
    const { features } = this.block;
    const had = (features.incompatible & Feature.Windows) !== 0;
    const windows = needsWindows(this.#p.config) || (had && (window > 1 || lost));
    if (this.#p.canary.windowUnsaid || windows === had) return;
    this.block = { ...this.block, features: withWindows(features, windows) };
  }

  #markAll({ map }: Partner): void {
    for (let page = 0; page < map.pages; page += 1) {
      map.markPage(page);
      map.touchStale(page);
    }
  }

  #markExtent({ map }: Partner, extent: number): void {
    const at = extent * EXTENT_BYTES;
    const length = Math.min(EXTENT_BYTES, this.#p.config.sizeBytes - at);
    if (length > 0) map.markBytes(at, length);
  }

  #judged(): RingVerdict {
    const ring = this.#ring;
    invariant(ring !== null, 'the ring is read after the superblocks');
    return ring.judge(this.#p.canary.staleTrusted ? 0 : this.#claimed.journal);
  }

  /** Whether the map has every write that was relied on, as far as it can be read. */
  #mapIsNewest(): boolean {
    const { canary, turn } = this.#p;
    let sum = 0;
    for (const seq of this.#pageSeq) sum += seq;
    const missing = this.#claimed.mapWrites - sum;
    this.#durable.mapWrites = Math.max(sum, this.#claimed.mapWrites);
    if (missing <= 0) return true;
    // A page that cannot be read is dirty all over; nothing says that others lack writes as well.
    const at = Math.max(this.#badMapPage, 0);
    this.#pageSeq[at] = (this.#pageSeq[at] as number) + missing;
    if (this.#badMapPage >= 0 || canary.staleTrusted) return true;
    turn.reached('mirror.meta.stale-map');
    return false;
  }

  /** Writes every page of the ring anew, one after another, with the hot set that is known. */
  #renewRing(extents: readonly number[], done: () => void): void {
    this.#renewal = Uint32Array.from(extents);
    this.#renewals = this.layout.journalPages + 1;
    this.#renewed = this.#p.turn.carry(done);
    this.#renew();
  }

  #renew(): void {
    this.#renewals -= 1;
    if (this.#renewals > 0) {
      this.writeJournal(this.#durable.journal + 1, this.#renewal, this.#renewal.length, 1);
    } else this.#renewed();
  }
}

/** What one superblock slot has durably. */
interface Slot {
  version: number;
  epoch: Epoch;
  seq: number;
}

function emptySlot(): Slot {
  return { version: 0, epoch: 0, seq: 0 };
}
