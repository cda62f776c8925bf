/**
 * The checksum map at work: every read and write of the local disk passes here. A write waits until
 * the page with its sums is durably open; what a read brings is held against what the page says,
 * and a block that contradicts it counts as one that the disk did not give. A page is closed,
 * durably and with its sums, when its writes have ended and a flush has made them stable: so a
 * closed page is true whatever crashes, and an open one says nothing afterwards. Where nothing is
 * known there is no opinion, which is neither a match nor a mismatch.
 */
import { invariant } from '../core/invariant.ts';
import { BLOCK_BYTES, type Micros } from '../core/units.ts';
import { Decision, Flag, PAGE_BYTES, Status, slotCount } from '../data/abi.ts';
import type { Parts } from './parts.ts';
import {
  decodeSumPage,
  encodeSumPage,
  keptSum,
  LOST,
  NO_OPINION,
  SUM_BLOCKS,
  ZERO_SUM,
} from './sum-page.ts';
import { Deadline } from './turn.ts';

/** What the sums say of what a slot's read brought. */
export const Opinion = { None: 0, Match: 1, Mismatch: 2 } as const;

/** In place of a status: the read has to wait for its sums. */
export const WAITS = -1;

/** A page to which nobody writes for so long is closed: a crash then costs none of its sums. */
const CLOSE_AFTER: Micros = 5_000_000;
/** Pages that are closed by one flush. */
const CLOSED_AT_ONCE = 64;
/** Blocks whose mismatch the timeline names already. */
const TOLD_MAX = 4096;

const Use = { None: 0, Read: 1, Write: 2, Side: 3 } as const;
const Doing = { Nothing: 0, Reading: 1, Opening: 2, Closing: 3 } as const;

/** One page of the map in memory. */
interface Page {
  readonly index: number;
  readonly sums: Uint32Array;
  loaded: boolean;
  /** Durably open on the disk. */
  open: boolean;
  /** Says more than the closed page on the disk. */
  changed: boolean;
  doing: number;
  /** Operations that need it, and the writes among them. */
  pins: number;
  writes: number;
  /** Rises with everything that may change a sum. */
  version: number;
  used: Micros;
  /** Slots that wait for it. */
  waiting: number[];
}

export class Sums {
  readonly #p: Parts;
  readonly #deliver: (slot: number, status: number, flags: number) => void;
  readonly #pages: Map<number, Page> = new Map();
  readonly #byToken: Map<number, Page> = new Map();
  readonly #scratch = new Uint8Array(PAGE_BYTES);
  // One row a slot: the operation that passes, how many pages it waits for, how it ended.
  readonly #use: Uint8Array;
  readonly #how: Int32Array;
  readonly #offset: Float64Array;
  readonly #length: Float64Array;
  readonly #waits: Uint8Array;
  readonly #ended: Uint8Array;
  readonly #status: Int32Array;
  readonly #flags: Int32Array;
  readonly #opinion: Uint8Array;
  readonly #peer: Uint8Array;
  /** Checksums of the blocks of each slot, as the backend told them. */
  readonly #sums: Uint32Array;
  /** The in-pages as words. */
  readonly #words: Uint32Array;
  readonly #slotBlocks: number;
  /** Writes that wait for a page. */
  #held = 0;
  /** A flush before the closing of pages is under way. */
  #closing = false;
  readonly #told: Set<number> = new Set();

  /** `deliver` is told how a read or write ended that had to wait, or was never issued. */
  constructor(parts: Parts, deliver: (slot: number, status: number, flags: number) => void) {
    const { layout, inPages } = parts.turn.memory;
    const slots = slotCount(layout);
    this.#p = parts;
    this.#deliver = deliver;
    this.#use = new Uint8Array(slots);
    this.#how = new Int32Array(slots);
    this.#offset = new Float64Array(slots);
    this.#length = new Float64Array(slots);
    this.#waits = new Uint8Array(slots);
    this.#ended = new Uint8Array(slots);
    this.#status = new Int32Array(slots);
    this.#flags = new Int32Array(slots);
    this.#opinion = new Uint8Array(slots);
    this.#peer = new Uint8Array(slots);
    this.#slotBlocks = layout.slotBytes / BLOCK_BYTES;
    invariant(this.#slotBlocks * 4 <= PAGE_BYTES, 'the checksums of a slot fit one page');
    this.#sums = new Uint32Array(slots * this.#slotBlocks);
    this.#words = new Uint32Array(inPages.buffer, inPages.byteOffset, inPages.length / 4);
    parts.turn.onData = (op, slot, flags, offset, length) =>
      this.#issue(op, slot, flags, offset, length);
  }

  /** What the sums said of the last read into `slot`. */
  opinion(slot: number): number {
    return this.#opinion[slot] as number;
  }

  /** What the peer said with its answer for `slot`: whether its own sums agree with all of it. */
  peerAgrees(slot: number): boolean {
    return this.#peer[slot] === 1 || this.#p.canary.sumUnknownVouches;
  }

  /** The peer's answer for `slot` came with these flags. */
  told(slot: number, flags: number): void {
    if (slot >= 0 && slot < this.#peer.length) {
      this.#peer[slot] = (flags & Flag.Sums) === 0 ? 0 : 1;
    }
  }

  /**
   * The local disk is done with `slot`, and left checksums in in-page `page` if the flags say so.
   * Answers the status that counts, or {@link WAITS}.
   */
  ended(slot: number, status: number, flags: number, page: number): number {
    const use = this.#use[slot];
    invariant(use !== Use.None, 'what the disk ends has passed the checksums');
    if (use === Use.Write) {
      this.#written(slot, status, flags, page);
      return status;
    }
    if (use === Use.Side) {
      this.#use[slot] = Use.None;
      return status;
    }
    if ((flags & Flag.Sums) === 0) {
      if (this.#waits[slot] !== 0 && !this.#p.canary.readWaitsOn) this.#forget(slot);
      this.#opinion[slot] = Opinion.None;
      this.#letGo(slot);
      return status;
    }
    this.#take(slot, page);
    if (this.#waits[slot] === 0) return this.#judge(slot, status);
    this.#ended[slot] = 1;
    this.#status[slot] = status;
    this.#flags[slot] = flags;
    return WAITS;
  }

  /**
   * What the last read into `slot` brought is what both replicas have, or are about to: blocks that
   * have no sum get the one of what was read.
   */
  adopt(slot: number): void {
    const first = this.#first(slot);
    for (let i = 0; i < this.#count(slot); i += 1) {
      const page = this.#pages.get(Math.floor((first + i) / SUM_BLOCKS));
      const at = (first + i) % SUM_BLOCKS;
      if (page === undefined || !page.loaded || page.sums[at] !== NO_OPINION) continue;
      page.sums[at] = keptSum(this.#sums[slot * this.#slotBlocks + i] as number);
      this.#change(page);
    }
  }

  /** A read or write of the map ended; false when it was not of the map. */
  pageDone(token: number, status: number, inPage: number): boolean {
    const page = this.#byToken.get(token);
    if (page === undefined) return false;
    this.#byToken.delete(token);
    const { doing } = page;
    page.doing = Doing.Nothing;
    if (doing === Doing.Reading) this.#loaded(page, status, inPage);
    else if (status !== 0) this.#p.role.failDisk('metadata-write', status);
    else if (doing === Doing.Opening) page.open = true;
    const { waiting } = page;
    page.waiting = [];
    for (const slot of waiting) {
      if (!this.#isReady(page, this.#use[slot] as number)) page.waiting.push(slot);
      else {
        this.#waits[slot] = (this.#waits[slot] as number) - 1;
        if (this.#waits[slot] === 0) this.#go(slot);
      }
    }
    this.#step(page);
    return true;
  }

  /** End of a turn. */
  pump(): void {
    if (this.#held > 0 && this.#p.state.disk === 'Failed') this.#failHeld();
    if (this.#pages.size > this.#p.config.checksumPages) this.#trim();
  }

  /** Some time has passed since a page was changed. */
  timer(): void {
    const { turn } = this.#p;
    const idle: Page[] = [];
    let changed = false;
    for (const page of this.#pages.values()) {
      if (!page.changed) continue;
      changed = true;
      if (page.used <= turn.now - CLOSE_AFTER) idle.push(page);
    }
    this.#close(idle.slice(0, CLOSED_AT_ONCE));
    if (changed) turn.due(Deadline.Sums, turn.now + CLOSE_AFTER);
  }

  /** A read or write wants to be issued; answers its flags, or -1 while it has to wait. */
  #issue(op: number, slot: number, flags: number, offset: number, length: number): number {
    // The side area is no part of the volume.
    if ((flags & Flag.Side) !== 0) {
      this.#use[slot] = Use.Side;
      return flags;
    }
    const use = op === Decision.LocalWrite ? Use.Write : Use.Read;
    this.#use[slot] = use;
    this.#how[slot] = flags;
    this.#offset[slot] = offset;
    this.#length[slot] = length;
    this.#ended[slot] = 0;
    let waits = 0;
    const last = this.#lastPage(slot);
    for (let index = this.#firstPage(slot); index <= last; index += 1) {
      const page = this.#page(index);
      page.pins += 1;
      page.used = this.#p.turn.now;
      if (use === Use.Write) {
        page.writes += 1;
        page.version += 1;
      }
      if (this.#isReady(page, use)) continue;
      page.waiting.push(slot);
      waits += 1;
      this.#step(page);
    }
    this.#waits[slot] = waits;
    if (use === Use.Read || waits === 0 || this.#p.canary.sumsUnopened) return flags | Flag.Sums;
    this.#held += 1;
    return -1;
  }

  /** Nothing is missing any more for what waited. */
  #go(slot: number): void {
    if (this.#use[slot] === Use.Write) {
      if (this.#p.canary.sumsUnopened) return;
      this.#held -= 1;
      const [offset, length] = [this.#offset[slot] as number, this.#length[slot] as number];
      const flags = (this.#how[slot] as number) | Flag.Sums;
      this.#p.turn.put(Decision.LocalWrite, slot, 0, flags, offset, length, 0);
    } else if (this.#ended[slot] === 1) {
      const status = this.#judge(slot, this.#status[slot] as number);
      this.#deliver(slot, status, this.#flags[slot] as number);
    }
  }

  /** Copies the checksums that the backend told. */
  #take(slot: number, page: number): void {
    const from = (page * PAGE_BYTES) / 4;
    const to = slot * this.#slotBlocks;
    const count = this.#count(slot);
    for (let i = 0; i < count; i += 1) this.#sums[to + i] = this.#words[from + i] as number;
  }

  /** A write is on the disk, or failed. */
  #written(slot: number, status: number, flags: number, page: number): void {
    const { slots, canary } = this.#p;
    const zero = ((this.#how[slot] as number) & Flag.Zero) !== 0;
    const told = !zero && (flags & Flag.Sums) !== 0;
    if (told) this.#take(slot, page);
    const lost = ((slots.flags[slot] as number) & Flag.Lost) !== 0;
    const [first, count] = [this.#first(slot), this.#count(slot)];
    // What is covered in part, or may have failed, nobody knows.
    const end = Math.ceil(
      ((this.#offset[slot] as number) + (this.#length[slot] as number)) / BLOCK_BYTES,
    );
    const from = Math.floor((this.#offset[slot] as number) / BLOCK_BYTES);
    for (let block = from; block < end; block += 1) {
      const i = block - first;
      let sum = NO_OPINION;
      if (status === 0 && i >= 0 && i < count) {
        const at = canary.sumOfAnother && count > 1 ? i ^ 1 : i;
        if (zero) sum = ZERO_SUM;
        else if (told) sum = keptSum(this.#sums[slot * this.#slotBlocks + at] as number);
        if (lost) sum = LOST;
      }
      this.#set(block, sum);
    }
    this.#letGo(slot);
  }

  #set(block: number, sum: number): void {
    const page = this.#pages.get(Math.floor(block / SUM_BLOCKS));
    invariant(page !== undefined, 'a page that is written to is in memory');
    page.sums[block % SUM_BLOCKS] = sum;
    this.#change(page);
    if (this.#told.size > 0) this.#told.delete(block);
  }

  #change(page: Page): void {
    const { turn } = this.#p;
    page.changed = true;
    page.version += 1;
    page.used = turn.now;
    if (!turn.isSet(Deadline.Sums)) turn.due(Deadline.Sums, turn.now + CLOSE_AFTER);
  }

  /** Holds what a read brought against its sums. */
  #judge(slot: number, status: number): number {
    const { canary } = this.#p;
    const [first, count] = [this.#first(slot), this.#count(slot)];
    let opinion: number = count * BLOCK_BYTES === this.#length[slot] ? Opinion.Match : Opinion.None;
    let blessed = false;
    for (let i = 0; i < count; i += 1) {
      const page = this.#pages.get(Math.floor((first + i) / SUM_BLOCKS));
      invariant(page !== undefined, 'a page that a read needs is in memory');
      const known = page.sums[(first + i) % SUM_BLOCKS] as number;
      if (known === keptSum(this.#sums[slot * this.#slotBlocks + i] as number)) continue;
      if (known === NO_OPINION && !canary.sumUnknownAccused) {
        if (opinion === Opinion.Match) opinion = Opinion.None;
        blessed = canary.sumBlessed;
        continue;
      }
      opinion = Opinion.Mismatch;
      this.#tell(first + i);
    }
    this.#letGo(slot);
    if (blessed) this.adopt(slot);
    if (canary.sumMismatchIgnored) return status;
    this.#opinion[slot] = opinion;
    return opinion === Opinion.Mismatch ? Status.Differs : status;
  }

  #tell(block: number): void {
    const { turn } = this.#p;
    turn.reached('mirror.sums.mismatch');
    if (this.#told.has(block) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(block);
    turn.event('mirror.sums.mismatch', { block });
  }

  /** The operation of `slot` needs its pages no more. */
  #letGo(slot: number): void {
    const last = this.#lastPage(slot);
    for (let index = this.#firstPage(slot); index <= last; index += 1) {
      const page = this.#pages.get(index);
      invariant(page !== undefined && page.pins > 0, 'a page that is needed is in memory');
      page.pins -= 1;
      if (this.#use[slot] === Use.Write) page.writes -= 1;
    }
    this.#use[slot] = Use.None;
  }

  /** The replica is given up: what waits for a page will never be written. */
  #failHeld(): void {
    for (let slot = 0; slot < this.#use.length; slot += 1) {
      if (this.#use[slot] !== Use.Write || this.#waits[slot] === 0) continue;
      this.#held -= 1;
      this.#forget(slot);
      this.#letGo(slot);
      this.#deliver(slot, Status.Io, 0);
    }
  }

  /** `slot` waits for no page any more: whoever uses it next is not to be taken for it. */
  #forget(slot: number): void {
    this.#waits[slot] = 0;
    for (const page of this.#pages.values()) {
      page.waiting = page.waiting.filter((other) => other !== slot);
    }
  }

  // Pages.

  #isReady(page: Page, use: number): boolean {
    return page.loaded && (use === Use.Read || page.open);
  }

  #page(index: number): Page {
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    const page: Page = {
      index,
      sums: new Uint32Array(SUM_BLOCKS),
      loaded: false,
      open: false,
      changed: false,
      doing: Doing.Nothing,
      pins: 0,
      writes: 0,
      version: 0,
      used: this.#p.turn.now,
      waiting: [],
    };
    this.#pages.set(index, page);
    return page;
  }

  /** Begins what the page needs next, one thing at a time. */
  #step(page: Page): void {
    if (page.doing !== Doing.Nothing) return;
    if (!page.loaded) {
      const token = this.#begin(page, Doing.Reading);
      this.#p.turn.emit(Decision.MetaRead, 0, 0, 0, this.#at(page), token, 0);
    } else if (page.writes > 0 && !page.open && this.#p.state.disk !== 'Failed') {
      this.#write(page, Doing.Opening);
    }
  }

  #begin(page: Page, doing: number): number {
    const token = this.#p.state.nextToken();
    page.doing = doing;
    this.#byToken.set(token, page);
    return token;
  }

  #write(page: Page, doing: number): void {
    const { store, turn } = this.#p;
    const open = doing === Doing.Opening;
    const at = this.#at(page);
    encodeSumPage(store.device, at, page.index, open, page.sums, this.#scratch);
    const token = this.#begin(page, doing);
    turn.emitPage(Decision.MetaWrite, 0, at, token, this.#scratch);
  }

  #at(page: Page): number {
    return this.#p.store.layout.sums + page.index;
  }

  #loaded(page: Page, status: number, inPage: number): void {
    const { turn, store, canary } = this.#p;
    const bytes = turn.memory.inPages.subarray(inPage * PAGE_BYTES, (inPage + 1) * PAGE_BYTES);
    page.loaded = true;
    const { device } = store;
    const at = this.#at(page);
    const read =
      status === 0
        ? decodeSumPage(device, at, page.index, bytes, page.sums, canary.sumOpenTrusted)
        : 'bad';
    if (read === 'open') {
      // A crash left it so. It is open for us as well.
      page.open = true;
      this.#change(page);
    }
    if (read !== 'bad') return;
    turn.reached('mirror.sums.page-lost');
    turn.event('mirror.sums.page-lost', { page: page.index });
  }

  /** Makes room: what is on the disk is forgotten, what is not is written there. */
  #trim(): void {
    const most = this.#p.config.checksumPages;
    const idle = [...this.#pages.values()].filter(
      ({ pins, doing }) => pins === 0 && doing === Doing.Nothing,
    );
    idle.sort((a, b) => a.used - b.used || a.index - b.index);
    for (const page of idle) {
      if (this.#pages.size <= most) return;
      if (!page.changed && !page.open) this.#pages.delete(page.index);
    }
    this.#close(idle.filter(({ changed }) => changed).slice(0, CLOSED_AT_ONCE));
  }

  /** Closes pages to which nobody writes, once a flush has made their blocks stable. */
  #close(pages: readonly Page[]): void {
    const { flushes, canary } = this.#p;
    if (this.#closing || pages.length === 0) return;
    const versions = pages.map(({ version }) => version);
    this.#closing = true;
    const flushed = (): void => {
      this.#closing = false;
      for (const [i, page] of pages.entries()) {
        if (page.version !== versions[i] || page.writes > 0) continue;
        if (page.doing !== Doing.Nothing) continue;
        page.open = false;
        page.changed = false;
        this.#write(page, Doing.Closing);
      }
    };
    if (canary.sumsUnflushed) flushed();
    else flushes.run(flushed);
  }

  #first(slot: number): number {
    return Math.ceil((this.#offset[slot] as number) / BLOCK_BYTES);
  }

  /** Blocks that the operation of `slot` covers whole. */
  #count(slot: number): number {
    const end = (this.#offset[slot] as number) + (this.#length[slot] as number);
    return Math.max(0, Math.floor(end / BLOCK_BYTES) - this.#first(slot));
  }

  #firstPage(slot: number): number {
    return Math.floor((this.#offset[slot] as number) / BLOCK_BYTES / SUM_BLOCKS);
  }

  #lastPage(slot: number): number {
    const end = (this.#offset[slot] as number) + (this.#length[slot] as number);
    return Math.floor((end - 1) / BLOCK_BYTES / SUM_BLOCKS);
  }
}
