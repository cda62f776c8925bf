/**
 * Online verification (REQ-M10, direct): the primary reads each chunk from the other replica, and
 * holds its own disk against it under the chunk's lock, while applications go on. A chunk that
 * differs is looked at again block by block, so what is reported is each block that did differ with
 * no write in flight over it. Nobody can tell from two copies alone which one is right; the
 * primary's is the one that clients read and write, so where an order says so, it is written over
 * the other.
 */
import { invariant } from '../core/invariant.ts';
import { BLOCK_BYTES, MICROS_PER_S, type Micros } from '../core/units.ts';
import { Decision, Flag, Status } from '../data/abi.ts';
import type { VerifyOrder, VerifyReport } from '../data/messages.ts';
import { Mode } from './link.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { mediumError } from './repair.ts';
import { Kind, Peer, Phase } from './request.ts';
import { Deadline } from './turn.ts';

/** Runs of differing blocks that a report lists; what is beyond them is only counted. */
export const VERIFY_RUNS_MAX = 256;

/** Most that is compared at once: a client's write over it waits so long. */
const CHUNK_BYTES = 256 * 1024;

/** How often a block is rewritten before a resync has to see to it. */
const TRIES = 3;

/**
 * How far the chunk in hand has come. A block that differs and is to be repaired goes on: its dirty
 * bit is made durable, the peer is given the block, and both are asked once more. From `Mark` on it
 * is seen to its end, whatever becomes of the order.
 */
const Stage = {
  Lock: 0,
  Ask: 1,
  Compare: 2,
  Mark: 3,
  Rewrite: 4,
  AskAgain: 5,
  Recheck: 6,
} as const;

export class Verify {
  readonly #p: Parts;
  readonly #first: number;
  readonly #end: number;
  readonly #chunkBlocks: number;
  #order: VerifyOrder | null = null;
  #state: VerifyReport['state'] = 'done';
  /** The next block of the pass. */
  #cursor = 0;
  /** Blocks of a chunk that differed, or could not be read whole, to be looked at alone. */
  #alone: number[] = [];
  #checked = 0;
  #differing = 0;
  #repaired = 0;
  #unreadable = 0;
  #runs: { block: number; blocks: number }[] = [];
  #slot = -1;
  /** The order that the chunk in hand belongs to. */
  #served = 0;
  #stage: number = Stage.Lock;
  #tries = 0;
  /** Called when no repair is in hand. */
  #idle: (() => void)[] = [];
  /** When the next chunk may begin, and when a report is due. */
  #nextAt: Micros = 0;
  #reportAt: Micros = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots + layout.peerSlots;
    this.#end = this.#first + layout.engineSlots;
    this.#chunkBlocks = Math.floor(Math.min(layout.slotBytes, CHUNK_BYTES) / BLOCK_BYTES);
  }

  /** What people want verified now, null for nothing; an order that is known changes nothing. */
  onOrder(order: VerifyOrder | null, cause: string): void {
    const { turn, map } = this.#p;
    if (order?.id === this.#order?.id) return;
    turn.cause = cause;
    if (this.#order !== null) this.#finish('stopped', 'order');
    if (order === null) return;
    this.#order = order;
    this.#cursor = Math.min(order.from, map.blocks);
    this.#alone = [];
    this.#checked = 0;
    this.#differing = 0;
    this.#repaired = 0;
    this.#unreadable = 0;
    this.#runs = [];
    this.#nextAt = turn.now;
    turn.event('mirror.verify.start', { from: order.from, repair: order.repair });
    this.#say('running', '');
  }

  /** End of a turn: begins the next chunk when it is due. */
  pump(): void {
    if (this.#order === null) return;
    const { state, reads, turn, link } = this.#p;
    // Also with a chunk in hand: its disk may never answer.
    if (!state.lead || state.demoting) {
      this.#finish('stopped', 'not-primary');
      return;
    }
    if (this.#slot >= 0) return;
    if (!reads.possible) {
      if (this.#state === 'paused') return;
      turn.reached('mirror.verify.paused');
      this.#say('paused', link.mode === Mode.Sync ? 'peer-too-old' : 'peer-away');
      return;
    }
    if (this.#state === 'paused') this.#say('running', '');
    if (turn.now < this.#nextAt) {
      turn.due(Deadline.Verify, this.#nextAt);
      return;
    }
    const block = this.#alone.pop();
    if (block !== undefined) this.#begin(block, 1, true);
    else if (this.#cursor >= this.#p.map.blocks) this.#finish('done', '');
    else this.#begin(this.#cursor, this.#chunkBlocks, false);
  }

  /** The range of the chunk is free of writes. */
  granted(slot: number): void {
    const { slots, reads, canary } = this.#p;
    if (slots.phase[slot] !== Phase.Range) return;
    if (!reads.possible) {
      this.#again();
      return;
    }
    this.#stage = Stage.Ask;
    if (canary.verifyNoLock) this.#p.locks.release(slot);
    reads.ask(slot, slots.offset[slot] as number, slots.length[slot] as number);
  }

  /** The peer's answer for the chunk. */
  answered(slot: number, status: number): void {
    const { slots, turn } = this.#p;
    const again = this.#stage === Stage.AskAgain;
    if (this.#isOver && !again) this.#close();
    else if (status === Status.StaleEpoch) this.#again();
    else if (status !== Status.Ok && again) this.#unequal();
    else if (status !== Status.Ok) this.#notRead('other-disk');
    else {
      this.#stage = again ? Stage.Recheck : Stage.Compare;
      slots.phase[slot] = Phase.Flying;
      const offset = slots.offset[slot] as number;
      const length = slots.length[slot] as number;
      turn.emit(Decision.LocalRead, slot, 0, Flag.Check, offset, length, 0);
    }
  }

  /** The own disk was held against the peer's answer. */
  localDone(slot: number, status: number): void {
    const { slots, role } = this.#p;
    const again = this.#stage === Stage.Recheck;
    invariant(
      again || this.#stage === Stage.Compare,
      'a chunk is read here once the peer answered',
    );
    const length = slots.length[slot] as number;
    const told = status === Status.Ok || status === Status.Differs;
    if (!told && !mediumError(status)) {
      this.#close();
      role.failDisk('read');
    } else if (again && status === Status.Ok) this.#isRepaired(slot);
    else if (again) this.#unequal();
    else if (this.#isOver) this.#close();
    else if (status === Status.Ok) this.#equal(length);
    else if (status !== Status.Differs) this.#notRead('own-disk');
    else if (length > BLOCK_BYTES) this.#apart();
    else this.#differs(slot);
  }

  /** The peer has the block durably. Whether it is the same as here, both are asked once more. */
  acked(slot: number): void {
    const { slots, reads } = this.#p;
    if (!reads.possible) {
      // Another leads: the block is dirty, and the handshake with it says so.
      this.#close();
      return;
    }
    this.#stage = Stage.AskAgain;
    reads.ask(slot, slots.offset[slot] as number, slots.length[slot] as number);
  }

  /** Calls `done` when no repair is in hand: a host gives up its role with no block half done. */
  whenIdle(done: () => void): void {
    if (this.#slot >= 0 && this.#stage >= Stage.Mark) this.#idle.push(done);
    else done();
  }

  /** The link is lost: the chunk in hand is looked at again when the peer is back. */
  linkLost(link: number): void {
    const slot = this.#slot;
    if (slot < 0) return;
    const { slots, locks } = this.#p;
    if (slots.phase[slot] === Phase.Range) this.#again();
    else if (slots.peer[slot] === Peer.Sent && slots.link[slot] === link) {
      slots.peer[slot] = Peer.Failing;
      locks.releaseIfHeld(slot);
    }
  }

  /** The backend has let go of every slot that waited on `link`. */
  linkGone(link: number): void {
    const slot = this.#slot;
    if (slot < 0) return;
    const { slots } = this.#p;
    if (slots.peer[slot] === Peer.Failing && slots.link[slot] === link) this.#again();
  }

  /** Whether the order of the chunk in hand has ended: what becomes of it concerns nobody. */
  get #isOver(): boolean {
    return this.#served !== (this.#order?.id ?? 0);
  }

  #begin(block: number, blocks: number, alone: boolean): void {
    const { slots, locks, config, map } = this.#p;
    const slot = slots.firstFree(this.#first, this.#end);
    if (slot < 0) {
      if (alone) this.#alone.push(block);
      return;
    }
    const count = Math.min(blocks, map.blocks - block);
    if (!alone) this.#cursor = block + count;
    const offset = block * BLOCK_BYTES;
    const length = Math.min(count * BLOCK_BYTES, config.sizeBytes - offset);
    this.#slot = slot;
    this.#served = this.#order?.id ?? 0;
    this.#stage = Stage.Lock;
    this.#tries = 0;
    slots.open(slot, Kind.Verify, offset, length, 0);
    slots.phase[slot] = Phase.Range;
    // Without the lock a write that one of them has already would be taken for a difference.
    if (locks.acquire(slot, offset, offset + length, Hold.Shared)) this.granted(slot);
  }

  /** Both have the same in the chunk in hand. */
  #equal(length: number): void {
    const blocks = Math.ceil(length / BLOCK_BYTES);
    this.#checked += blocks;
    this.#close();
    this.#pace(length);
  }

  /** Something in the chunk differs, or cannot be read: each of its blocks is looked at alone. */
  #apart(): void {
    const { slots } = this.#p;
    const first = (slots.offset[this.#slot] as number) / BLOCK_BYTES;
    const count = Math.ceil((slots.length[this.#slot] as number) / BLOCK_BYTES);
    this.#close();
    for (let block = first + count - 1; block >= first; block -= 1) this.#alone.push(block);
  }

  #differs(slot: number): void {
    const { slots, map, store, turn, reads } = this.#p;
    const block = (slots.offset[slot] as number) / BLOCK_BYTES;
    this.#differing += 1;
    this.#note(block);
    turn.reached('mirror.verify.differs');
    turn.event('mirror.verify.differs', { block });
    if (this.#order?.repair !== true || !reads.possible) {
      this.#equal(BLOCK_BYTES);
      return;
    }
    // Dirty until both were found equal, and durably so: whatever comes between, a resync copies.
    map.mark(block);
    this.#stage = Stage.Mark;
    store.flushPages(() => {
      if (this.#slot === slot && this.#stage === Stage.Mark) this.#rewrite(slot);
    });
  }

  #rewrite(slot: number): void {
    const { slots, link, reads, canary } = this.#p;
    if (!reads.possible) {
      this.#close();
      return;
    }
    this.#tries += 1;
    this.#stage = Stage.Rewrite;
    const offset = slots.offset[slot] as number;
    const flags = canary.verifyNoFua ? 0 : Flag.Fua;
    link.sendWrite(slot, offset, slots.length[slot] as number, flags);
  }

  /** Both were asked again, and have the same: the evidence that clears the block. */
  #isRepaired(slot: number): void {
    const { slots, map, turn } = this.#p;
    const block = (slots.offset[slot] as number) / BLOCK_BYTES;
    map.clear(block);
    turn.reached('mirror.verify.repaired');
    turn.event('mirror.verify.repaired', { block });
    if (this.#isOver) {
      this.#close();
      return;
    }
    this.#repaired += 1;
    this.#equal(BLOCK_BYTES);
  }

  /** The block was written over, and is not the same: one of the reads or writes was not true. */
  #unequal(): void {
    const { link } = this.#p;
    if (this.#tries < TRIES && this.#p.reads.possible && this.#stage === Stage.Recheck) {
      this.#rewrite(this.#slot);
      return;
    }
    this.#close();
    // It stays dirty: a resync sees to it, from the beginning.
    link.drop('not-repaired');
  }

  /** One of the two disks did not give the chunk. */
  #notRead(who: 'own-disk' | 'other-disk'): void {
    const { slots, turn, repair } = this.#p;
    const offset = slots.offset[this.#slot] as number;
    const length = slots.length[this.#slot] as number;
    if (length > BLOCK_BYTES) {
      this.#apart();
      return;
    }
    this.#unreadable += 1;
    turn.reached('mirror.verify.unreadable');
    turn.event('mirror.verify.unreadable', { block: offset / BLOCK_BYTES, who });
    this.#close();
    if (who === 'own-disk') repair.notice(offset, length);
    this.#pace(length);
  }

  /** The chunk in hand is begun anew later. */
  #again(): void {
    const { slots } = this.#p;
    const block = (slots.offset[this.#slot] as number) / BLOCK_BYTES;
    const single = (slots.length[this.#slot] as number) <= BLOCK_BYTES;
    // What was being rewritten is dirty, and the resync's from here on.
    const done = this.#stage >= Stage.Mark || this.#isOver;
    this.#close();
    if (done) return;
    if (single) this.#alone.push(block);
    else this.#cursor = Math.min(this.#cursor, block);
  }

  #close(): void {
    const { slots, locks } = this.#p;
    const slot = this.#slot;
    this.#slot = -1;
    slots.close(slot);
    locks.releaseIfHeld(slot);
    for (const call of this.#idle.splice(0)) call();
  }

  /** No more bytes a second than the order allows; once a second, how far it is. */
  #pace(length: number): void {
    const { turn } = this.#p;
    const rate = this.#order?.bytesPerSecond ?? 0;
    const from = Math.max(this.#nextAt, turn.now - MICROS_PER_S / 10);
    this.#nextAt = rate > 0 ? from + Math.ceil((length * MICROS_PER_S) / rate) : turn.now;
    if (this.#order !== null && turn.now >= this.#reportAt) this.#say('running', '');
  }

  #note(block: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.block + last.blocks === block) last.blocks += 1;
    else if (this.#runs.length < VERIFY_RUNS_MAX) this.#runs.push({ block, blocks: 1 });
  }

  #finish(state: 'done' | 'stopped', reason: string): void {
    const { turn } = this.#p;
    const { checked, differing, repaired, unreadable } = this.#counts();
    turn.event('mirror.verify.end', { state, checked, differing, repaired, unreadable });
    this.#say(state, reason);
    this.#order = null;
    turn.due(Deadline.Verify, Number.POSITIVE_INFINITY);
  }

  #counts(): { checked: number; differing: number; repaired: number; unreadable: number } {
    return {
      checked: this.#checked,
      differing: this.#differing,
      repaired: this.#repaired,
      unreadable: this.#unreadable,
    };
  }

  #say(state: VerifyReport['state'], reason: string): void {
    const { turn, config, map, slots } = this.#p;
    this.#state = state;
    this.#reportAt = turn.now + MICROS_PER_S;
    // What is in hand, or waits to be looked at alone, lies before the cursor: so that none is
    // missed by who goes on there.
    const inHand = this.#slot >= 0 && !this.#isOver ? slots.offset[this.#slot] : undefined;
    const least = inHand === undefined ? this.#cursor : inHand / BLOCK_BYTES;
    const cursor = Math.min(this.#cursor, least, ...this.#alone);
    turn.report({
      kind: 'verify',
      volume: config.volume,
      id: this.#order?.id ?? 0,
      state,
      reason,
      cursor,
      blocks: map.blocks,
      ...this.#counts(),
      runs: this.#runs.map((run) => ({ ...run })),
    });
  }
}
