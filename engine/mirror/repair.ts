/**
 * What becomes of a read that the primary's own disk could not do: the client is served by the peer
 * where the peer's copy is clean, and the block is then written again in place and read back. Never
 * guesses: where no good copy can be had, the request fails, and it alone.
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision, Flag, Status } from '../data/abi.ts';
import type { TimelineValue } from '../timeline/event.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { Kind, Peer, Phase, SlotQueue } from './request.ts';
import { Through } from './state.ts';

/** Blocks that wait for their repair; what finds no room is found again by the next read. */
const QUEUE_MAX = 256;
/** Blocks known to be without a good copy. Each stood before a client; past it the oldest go. */
const KNOWN_MAX = 4096;

/** How far the repair of one block has come. */
const Stage = { Probe: 0, Ask: 1, Rewrite: 2, Check: 3, Record: 4 } as const;

/** Spare blocks that are tried for one block. */
const SPARES_TRIED = 3;

/** The disk refuses the block, takes it and keeps it bad, or the peer has no good copy either. */
type Trouble = 'rewrite' | 'read-back' | 'peer';

/** Whether the device is there and only some of its sectors are not. */
export function mediumError(status: number): boolean {
  return (
    status === Status.Io ||
    status === Status.Medium ||
    status === Status.Protection ||
    status === Status.Differs
  );
}

export class Repair {
  readonly #p: Parts;
  readonly #firstEngine: number;
  readonly #end: number;
  /** Reads that wait until the peer is back or left out. */
  readonly #parked: SlotQueue;
  /** 1 for a read that asked its own disk twice. */
  readonly #again: Uint8Array;
  /** A bit for each peer that was asked for what is in the slot. */
  readonly #tried: Uint8Array;
  /** Blocks to be repaired, oldest first, and the event in which each was found, '' for none. */
  readonly #queue: Map<number, string> = new Map();
  /** Blocks whose own copy nothing is known against, but the peer's agrees with its checksum. */
  readonly #overruled: Set<number> = new Set();
  /** Blocks that cannot be repaired as things are, and why: see {@link Trouble}. */
  readonly #bad: Map<number, Trouble> = new Map();
  #slot = -1;
  /** By what the block in hand was found. */
  #by = '';
  #stage: number = Stage.Probe;
  /** The block that was put right last, -1 when it is wanted again. */
  #done = -1;
  /** Counts the repairs that ended: what comes of one that did ends no other. */
  #run = 0;
  /** The own disk has failed since: what is in hand is to end, however it goes. */
  #over = false;
  /** The spare block that is to take it, 0 while it is to stay; and how many were tried. */
  #page = 0;
  #spares = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    const { layout } = parts.turn.memory;
    this.#firstEngine = layout.frontSlots + layout.peerSlots;
    this.#end = this.#firstEngine + layout.engineSlots;
    this.#parked = new SlotQueue(parts.slots);
    this.#again = new Uint8Array(layout.frontSlots);
    this.#tried = new Uint8Array(this.#end);
  }

  /** The own disk could not do the client's read in `slot`, which holds its range. */
  readFailed(slot: number, status: number): void {
    const { role, writes, turn, canary } = this.#p;
    if (!mediumError(status) || canary.readErrorPassed) {
      if (!canary.readErrorPassed) role.failDisk('read', status);
      if (this.#p.state.through === Through.No) writes.readDone(slot, Status.Io);
      else this.#seek(slot);
      return;
    }
    turn.reached('mirror.read.error');
    this.#seek(slot);
  }

  /** The own disk is no source: the client's read in `slot` is for the other members. */
  elsewhere(slot: number): void {
    this.#tried[slot] = 0;
    this.#seek(slot);
  }

  /**
   * The own disk has failed, and others serve: nothing is put right any more, and what is known of
   * single blocks says nothing of what is served. What is on its way ends when it comes back.
   */
  suspend(): void {
    this.#queue.clear();
    this.#overruled.clear();
    this.#bad.clear();
    const { slots, canary } = this.#p;
    if (this.#slot < 0 || canary.proxyLateRepair) return;
    this.#over = true;
    // Nobody else has the slot in hand.
    const waits = slots.phase[this.#slot] === Phase.Range || this.#stage === Stage.Record;
    if (waits) this.#close();
  }

  /** The peer's answer for `slot`, or a refusal. */
  answered(slot: number, status: number): void {
    const { slots, writes, balance } = this.#p;
    if (slots.kind[slot] === Kind.Repair) {
      this.#asked(status);
      return;
    }
    if (balance.isAway(slot)) {
      balance.ended(slot);
      if (status === Status.Ok) writes.readDone(slot, Status.Ok);
      else this.#readHere(slot);
      return;
    }
    if (status === Status.Ok) {
      if (this.#p.state.through === Through.No) this.#served(slot);
      writes.readDone(slot, Status.Ok);
    } else if (status === Status.StaleEpoch || this.#isElsewhere(slot)) this.#seek(slot);
    else this.#lost(slot);
  }

  /** A client's write is on the own disk: what it covers whole is readable again. */
  written(offset: number, length: number): void {
    if (this.#bad.size === 0 && this.#queue.size === 0) return;
    const first = Math.ceil(offset / BLOCK_BYTES);
    const end = Math.floor((offset + length) / BLOCK_BYTES);
    for (let block = first; block < end; block += 1) {
      this.#queue.delete(block);
      this.#overruled.delete(block);
      if (!this.#bad.delete(block)) continue;
      this.#p.turn.event('mirror.block.rewritten', { block });
    }
  }

  /** Somebody else found that the own disk does not give [offset, offset+length). */
  notice(offset: number, length: number): void {
    this.#want(offset, length);
  }

  /**
   * The same of one block that is to be copied, in the copy that began with the event `by`. False
   * where no member in step has it.
   */
  mends(offset: number, by: string): boolean {
    const { partners, turn } = this.#p;
    const has = partners.all.some(({ link, map }) => {
      return link.mode === Mode.Sync && !map.isDirty(offset / BLOCK_BYTES);
    });
    if (has) turn.under(by, () => this.notice(offset, BLOCK_BYTES));
    return has;
  }

  /** The peer's copy of the block differs, agrees with its checksum, and the own one has none. */
  overrule(block: number): void {
    if (this.#overruled.size < QUEUE_MAX) this.#overruled.add(block);
    this.#want(block * BLOCK_BYTES, BLOCK_BYTES);
  }

  /** Whether the block waits for its repair, or is being repaired. */
  isAbout(block: number): boolean {
    return this.#queue.has(block) || (this.#slot >= 0 && this.#blockOf(this.#slot) === block);
  }

  /** Whether it was this block that was put right last. */
  isDone(block: number): boolean {
    return this.#done === block;
  }

  /** The peer is back, or left out by a committed record: reads that waited for it go on. */
  unpark(): void {
    for (let count = this.#parked.count; count > 0; count -= 1) this.#seek(this.#parked.take());
  }

  /** A record named another primary: what waits ends. */
  fence(): void {
    for (let s = this.#parked.take(); s >= 0; s = this.#parked.take()) {
      this.#p.writes.readDone(s, Status.Fenced);
    }
  }

  /** The link is lost: slots that wait for an answer are the backend's until LinkDown. */
  linkLost(link: number): void {
    const { slots, locks } = this.#p;
    for (let slot = 0; slot < this.#end; slot += 1) {
      const kind = slots.kind[slot];
      if (kind !== Kind.Read && kind !== Kind.Repair) continue;
      if (slots.peer[slot] !== Peer.Sent || slots.link[slot] !== link) continue;
      slots.peer[slot] = Peer.Failing;
      if (kind === Kind.Repair) locks.release(slot);
    }
  }

  /** The backend has let go of every slot that waited for an answer on `link`. */
  linkGone(link: number): void {
    const { slots, balance } = this.#p;
    for (let slot = 0; slot < this.#end; slot += 1) {
      if (slots.peer[slot] !== Peer.Failing || slots.link[slot] !== link) continue;
      if (slots.kind[slot] === Kind.Read) {
        slots.peer[slot] = Peer.Lost;
        // It may be back, and was not heard.
        this.#tried[slot] = 0;
        if (balance.isAway(slot)) {
          balance.ended(slot);
          this.#readHere(slot);
        } else this.#seek(slot);
      } else if (slots.kind[slot] === Kind.Repair) this.#close();
    }
  }

  /** Whether a block is being repaired. */
  get busy(): boolean {
    return this.#slot >= 0;
  }

  /** Whether blocks are to be repaired. */
  get waits(): boolean {
    return this.#queue.size > 0;
  }

  /** End of a turn: begins the next repair. One at a time: clients come first. */
  pump(): void {
    if (this.busy || this.#queue.size === 0) return;
    const { slots, locks, state, reads, quiesce, canary } = this.#p;
    if (state.demoting || quiesce.on || state.through !== Through.No || !reads.possible) return;
    const slot = slots.firstFree(this.#firstEngine, this.#end);
    if (slot < 0) return;
    const [block, by] = this.#queue.entries().next().value as [number, string];
    this.#queue.delete(block);
    this.#by = by;
    const offset = block * BLOCK_BYTES;
    this.#slot = slot;
    this.#stage = Stage.Probe;
    this.#page = 0;
    this.#spares = 0;
    this.#tried[slot] = 0;
    slots.open(slot, Kind.Repair, offset, BLOCK_BYTES, 0);
    slots.phase[slot] = Phase.Range;
    // Nothing may be written between what the peer says and the writing of it here.
    const hold = canary.repairNoLock ? Hold.None : Hold.Exclusive;
    if (locks.acquire(slot, offset, offset + BLOCK_BYTES, hold)) this.granted(slot);
  }

  /** The block is free of every other operation. */
  granted(slot: number): void {
    // Of a read of many blocks most were well, and what failed once may work now.
    this.#local(slot, Decision.LocalRead, Stage.Probe, 0);
  }

  /** The own disk is done with a step of the repair. */
  localDone(slot: number, status: number): void {
    const { role, canary } = this.#p;
    if (this.#over) {
      this.#close();
      return;
    }
    if (status !== 0 && !mediumError(status)) {
      this.#close();
      role.failDisk(this.#stage === Stage.Rewrite ? 'write' : 'read', status);
      return;
    }
    switch (this.#stage) {
      case Stage.Probe:
        // Something is known against it: the peer's copy need not be vouched for.
        if (status !== 0) this.#overruled.delete(this.#blockOf(slot));
        if (status === 0 && !this.#overruled.has(this.#blockOf(slot))) this.#close();
        else this.#ask(slot);
        return;
      case Stage.Rewrite:
        if (status !== 0) this.#elsewhere('rewrite');
        // A disk that takes a write may keep the sector unreadable.
        else if (canary.repairNotReadBack && this.#page === 0) this.#repaired();
        else this.#local(slot, Decision.LocalRead, Stage.Check, Flag.Check);
        return;
      default:
        if (status !== 0) this.#elsewhere('read-back');
        else if (this.#page > 0) this.#record();
        else this.#repaired();
    }
  }

  /** The peer was asked to spare the own disk, and does not serve: the own disk does. */
  #readHere(slot: number): void {
    const { slots, state, writes, turn } = this.#p;
    const offset = slots.offset[slot] as number;
    turn.reached('mirror.read.came-back');
    if (state.fencing) writes.readDone(slot, Status.Fenced);
    else if (state.disk === 'Failed') this.#seek(slot);
    else {
      slots.phase[slot] = Phase.Flying;
      turn.emit(Decision.LocalRead, slot, 0, 0, offset, slots.length[slot] as number, 0);
    }
  }

  /** Finds somebody to serve the client's read in `slot`. */
  #seek(slot: number): void {
    const { slots, writes, reads, state, partners, turn } = this.#p;
    const offset = slots.offset[slot] as number;
    const length = slots.length[slot] as number;
    const partner = this.#good(slot);
    if (state.fencing) writes.readDone(slot, Status.Fenced);
    else if (partner !== null) {
      this.#asks(slot, partner);
      reads.ask(partner, slot, offset, length);
    } else if (state.through === Through.Asked || (partners.required && !partners.inStep)) {
      // The peer may be admitted, come back, or take over: an error now would be for nothing.
      slots.phase[slot] = Phase.Parked;
      this.#tried[slot] = 0;
      this.#parked.push(slot);
      turn.reached('mirror.read.parked');
    } else if (this.#again[slot] === 0 && state.disk !== 'Failed') {
      this.#again[slot] = 1;
      slots.phase[slot] = Phase.Flying;
      turn.reached('mirror.read.again');
      turn.emit(Decision.LocalRead, slot, 0, 0, offset, length, 0);
    } else this.#lost(slot);
  }

  /** Begins the use of a slot for another client's read. */
  opened(slot: number): void {
    this.#again[slot] = 0;
    this.#tried[slot] = 0;
  }

  /** A member whose copy of the range is good, null for none. */
  #good(slot: number): Partner | null {
    const { slots, reads, partners } = this.#p;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    for (const partner of partners.all) {
      if (((this.#tried[slot] as number) & (1 << partner.index)) !== 0) continue;
      if (reads.mayAsk(partner) && this.#clean(partner, offset, length)) return partner;
    }
    return null;
  }

  /** Whether another peer than those that were asked may have a good copy. */
  #isElsewhere(slot: number): boolean {
    return this.#good(slot) !== null;
  }

  #asks(slot: number, partner: Partner): void {
    this.#tried[slot] = (this.#tried[slot] as number) | (1 << partner.index);
  }

  /** No block of the range may differ from the peer's. */
  #clean({ map }: Partner, offset: number, length: number): boolean {
    const { canary, state } = this.#p;
    // What it may lack of a disk that has failed is no matter: nobody has anything better.
    if (map.dirty === 0 || canary.repairFromDirty || state.through === Through.On) return true;
    const end = offset + length;
    for (let block = Math.floor(offset / BLOCK_BYTES); block * BLOCK_BYTES < end; block += 1) {
      if (map.isDirty(block)) return false;
    }
    return true;
  }

  /** No good copy can be had: the request fails, and stays the only one to. */
  #lost(slot: number): void {
    const { slots, writes, turn, canary } = this.#p;
    const offset = slots.offset[slot] as number;
    const length = slots.length[slot] as number;
    turn.reached('mirror.read.lost');
    const news = this.#p.state.through !== Through.No || this.#want(offset, length);
    if (news) this.#foundBy(turn.event('mirror.read.lost', { offset, length }), offset, length);
    writes.readDone(slot, canary.failedReadOk ? Status.Ok : Status.Io);
  }

  /** The peer's copy served the client: the own one is to be put right. */
  #served(slot: number): void {
    const { slots, turn } = this.#p;
    const offset = slots.offset[slot] as number;
    const length = slots.length[slot] as number;
    const end = offset + length;
    turn.reached('mirror.read.served-by-peer');
    for (let block = Math.floor(offset / BLOCK_BYTES); block * BLOCK_BYTES < end; block += 1) {
      // It has a good copy after all.
      if (this.#bad.get(block) === 'peer') this.#bad.delete(block);
    }
    if (!this.#want(offset, length)) return;
    this.#foundBy(turn.event('mirror.read.peer', { offset, length }), offset, length);
  }

  /** What waits of the range, and had no event, was found in this one. */
  #foundBy(event: string, offset: number, length: number): void {
    const end = offset + length;
    for (let block = Math.floor(offset / BLOCK_BYTES); block * BLOCK_BYTES < end; block += 1) {
      if (this.#queue.get(block) === '') this.#queue.set(block, event);
    }
  }

  /**
   * Each block of the range is looked at, but for those that are known to stay bad. False when all
   * of them were known: nobody needs to be told again.
   */
  #want(offset: number, length: number): boolean {
    const end = offset + length;
    const before = this.#queue.size;
    for (let block = Math.floor(offset / BLOCK_BYTES); block * BLOCK_BYTES < end; block += 1) {
      if (this.#done === block) this.#done = -1;
      if (this.#bad.has(block) || this.#queue.has(block)) continue;
      if (this.#queue.size < QUEUE_MAX) this.#queue.set(block, this.#p.turn.cause);
    }
    return this.#queue.size > before;
  }

  #ask(slot: number): void {
    const { slots, reads } = this.#p;
    const offset = slots.offset[slot] as number;
    const partner = this.#good(slot);
    if (partner === null) {
      this.#close();
      return;
    }
    this.#asks(slot, partner);
    this.#stage = Stage.Ask;
    reads.ask(partner, slot, offset, BLOCK_BYTES);
  }

  #asked(status: number): void {
    if (this.#over) {
      this.#close();
      return;
    }
    const slot = this.#slot;
    const { sums } = this.#p;
    const block = this.#blockOf(slot);
    const overruled = this.#overruled.has(block);
    // A copy against which nothing is known gives way to nothing less than one that is vouched for.
    const serves = status === Status.Ok && (!overruled || sums?.peerAgrees(slot) === true);
    if (!serves && this.#isElsewhere(slot)) {
      this.#ask(slot);
      return;
    }
    this.#overruled.delete(block);
    if (overruled && !serves) this.#close();
    else if (serves) {
      this.#local(slot, Decision.LocalWrite, Stage.Rewrite, Flag.Fua);
    } else if (status === Status.StaleEpoch) this.#close();
    else this.#failed('peer');
  }

  #blockOf(slot: number): number {
    return (this.#p.slots.offset[slot] as number) / BLOCK_BYTES;
  }

  #local(slot: number, op: number, stage: number, flags: number): void {
    const { slots, turn, io } = this.#p;
    this.#stage = stage;
    slots.phase[slot] = Phase.Flying;
    const offset = slots.offset[slot] as number;
    if (this.#page > 0) io.aim(slot, this.#page);
    turn.emit(op, slot, 0, flags, offset, BLOCK_BYTES, 0);
  }

  /** The block cannot stay where it is: what the peer has of it goes to a spare one. */
  #elsewhere(what: Trouble): void {
    const { spare, canary, turn } = this.#p;
    if (this.#page > 0) spare.giveUp(this.#page);
    this.#page = this.#spares < SPARES_TRIED && !canary.refusedGivenUp ? spare.take() : 0;
    this.#spares += 1;
    if (this.#page === 0) {
      this.#failed(what);
      return;
    }
    turn.reached('mirror.repair.elsewhere');
    // Reading it back has overwritten what the peer sent before, so the same one is asked again.
    this.#tried[this.#slot] = 0;
    this.#ask(this.#slot);
  }

  #record(): void {
    const { slots, spare, turn } = this.#p;
    const block = (slots.offset[this.#slot] as number) / BLOCK_BYTES;
    this.#stage = Stage.Record;
    const run = this.#run;
    spare.record(block, this.#page, () => {
      if (run !== this.#run) return;
      this.#close();
      this.#done = block;
      turn.reached('mirror.repair.moved');
      this.#tells(block, 'mirror.block.moved', { block, why: 'read' }, true);
    });
  }

  #repaired(): void {
    const { slots, turn } = this.#p;
    const block = (slots.offset[this.#slot] as number) / BLOCK_BYTES;
    this.#close();
    this.#done = block;
    turn.reached('mirror.repair.done');
    this.#tells(block, 'mirror.repair.done', { block }, true);
  }

  /** What became of the block in hand; whether it `counts` against the disk. */
  #tells(block: number, kind: string, d: { [name: string]: TimelineValue }, counts: boolean): void {
    const { turn, health } = this.#p;
    turn.under(this.#by, () => {
      turn.cause = turn.event(kind, d);
      if (counts) health.wentBad(block);
    });
  }

  /** The block stays bad here until a client writes it. */
  #failed(what: Trouble): void {
    const { slots, turn } = this.#p;
    const block = (slots.offset[this.#slot] as number) / BLOCK_BYTES;
    this.#close();
    if (this.#bad.size >= KNOWN_MAX) this.#bad.delete(this.#bad.keys().next().value as number);
    this.#bad.set(block, what);
    turn.reached(`mirror.repair.${what}`);
    // What both have lost, giving up one of them would not bring back.
    this.#tells(block, 'mirror.repair.failed', { block, what }, what !== 'peer');
  }

  #close(): void {
    const { slots, locks } = this.#p;
    const slot = this.#slot;
    this.#slot = -1;
    this.#run += 1;
    slots.close(slot);
    locks.releaseIfHeld(slot);
  }
}
