/**
 * The asynchronous replica's side: it takes the primary's writes in their order, and becomes a
 * later image of the volume again and again. Between two points it overwrites the image of the last
 * one, whose undo log keeps what that had; at a point everything that was admitted is on the disk,
 * nothing that came later is, and one update of the superblock gives the log up for the new image.
 * So whatever happens, it shows or can put back what the volume was at one moment (LAW-prefix).
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision } from '../data/abi.ts';
import { LAG_MEMORY_MAX, SHIPPED_MAX } from './config.ts';
import { DiskFlag } from './metadata.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Phase, SlotQueue } from './request.ts';
import { Deadline } from './turn.ts';

/**
 * The primary hears that so many bytes, or writes, have come, or this long after it, in µs: long
 * before a point covers them.
 */
const TELL_BYTES = 262_144;
const TELL_WRITES = 64;
const TELL_DELAY = 100_000;
/** A point is due when this part of what may be under way has come since the last. */
const POINT_PART = 4;

/** Pieces that a batch is taken to have: as many as slots are free, where few write beside it. */
const BATCH_PIECES = 4;

const Stage = {
  /** No writes are taken. */
  None: 0,
  /** The disk is an image. */
  Rest: 1,
  /** Its undo log is being begun. */
  Opening: 2,
  /** Writes overwrite it. */
  Open: 3,
  /** What was admitted ends; what comes waits. */
  Closing: 4,
} as const;

export class Points {
  readonly #p: Parts;
  #stage: number = Stage.None;
  #source: Partner | null = null;
  /** The event with which the present image began to be overwritten, or else the last image. */
  #by = '';
  /** Tells a late callback from an earlier relation. */
  #attempt = 1;
  /** By which relation the write of each slot was admitted, 0 for none. */
  readonly #relation: Int32Array;
  /** Writes that came and are not admitted, in their order. */
  readonly #held: SlotQueue;
  /**
   * Writes that are admitted and not done, and those of them that the undo log may need room for.
   */
  #admitted = 0;
  #unsavedBatches = 0;
  #unsavedBlocks = 0;
  /** The newest write that is admitted. */
  #last = 0;
  /** Bytes and writes admitted since the last point. */
  #bytes = 0;
  #writes = 0;
  /** The newest write that has come, and what has come since the primary was told. */
  #came = 0;
  #untoldBytes = 0;
  #untold = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#held = new SlotQueue(parts.slots);
    this.#relation = new Int32Array(parts.slots.count);
  }

  /** A copy from `source` is finished, and this disk is an image: its writes follow. */
  begin(source: Partner): void {
    this.#attempt += 1;
    this.#stage = Stage.Rest;
    this.#source = source;
    this.#by = this.#p.turn.cause;
    this.#admitted = 0;
    this.#unsavedBatches = 0;
    this.#unsavedBlocks = 0;
    // Of what came behind its word that the copy is finished the primary has heard nothing yet.
    if (this.#untold > 0) this.#p.turn.due(Deadline.Received, this.#p.turn.now + TELL_DELAY);
    source.link.mode = Mode.Take;
    this.#go();
  }

  /** The relation is over. What was taken in part stays so: the last image can be put back. */
  end(): void {
    const { slots, turn } = this.#p;
    this.#attempt += 1;
    this.#stage = Stage.None;
    this.#source = null;
    this.#untold = 0;
    this.#untoldBytes = 0;
    turn.due(Deadline.Point, Number.POSITIVE_INFINITY);
    turn.due(Deadline.Received, Number.POSITIVE_INFINITY);
    for (let s = this.#held.take(); s >= 0; s = this.#held.take()) {
      slots.close(s);
      turn.emit(Decision.Free, s, 0, 0, 0, 0, 0);
    }
  }

  /** A write came on the link that is followed: true when it may go on now. */
  admits(slot: number): boolean {
    this.#arrived(slot);
    if (this.#held.count === 0 && this.#mayTake(slot)) {
      this.#take(slot);
      return true;
    }
    this.#p.slots.phase[slot] = Phase.Epoch;
    this.#held.push(slot);
    this.#go();
    return false;
  }

  /** What the write of `slot` overwrites is in the log. */
  saved(slot: number): void {
    if (this.#relation[slot] !== this.#attempt) return;
    const blocks = this.#blocks(slot);
    this.#unsavedBatches -= batchesOf(blocks);
    this.#unsavedBlocks -= blocks;
  }

  /** An admitted write is done. */
  done(slot: number): void {
    if (this.#relation[slot] !== this.#attempt) return;
    this.#relation[slot] = 0;
    this.#admitted -= 1;
    if (this.#stage === Stage.Closing) this.#closeBy();
  }

  /** It is time to become a later image. */
  timer(): void {
    if (this.#stage !== Stage.Open) return;
    this.#stage = Stage.Closing;
    this.#closeBy();
  }

  /** Apart from who calls it for each write: a function there would cost each of them. */
  #closeBy(): void {
    this.#p.turn.under(this.#by, () => this.#close());
  }

  #blocks(slot: number): number {
    const { slots } = this.#p;
    const offset = slots.offset[slot] as number;
    const last = Math.floor((offset + (slots.length[slot] as number) - 1) / BLOCK_BYTES);
    return last - Math.floor(offset / BLOCK_BYTES) + 1;
  }

  #mayTake(slot: number): boolean {
    if (this.#p.canary.pointCrossed && this.#stage === Stage.Closing) return true;
    if (this.#stage !== Stage.Open) return false;
    // The first one after a point is taken whatever it needs: waiting would bring no more room.
    if (this.#admitted === 0 && this.#p.undo.saved.dirty === 0) return true;
    const blocks = this.#blocks(slot);
    const batches = this.#unsavedBatches + batchesOf(blocks);
    return this.#p.undo.hasRoom(this.#unsavedBlocks + blocks, batches);
  }

  #take(slot: number): void {
    const { slots, config } = this.#p;
    this.#relation[slot] = this.#attempt;
    this.#admitted += 1;
    const blocks = this.#blocks(slot);
    this.#unsavedBatches += batchesOf(blocks);
    this.#unsavedBlocks += blocks;
    this.#last = slots.sequence[slot] as number;
    this.#bytes += slots.length[slot] as number;
    this.#writes += 1;
    // The primary counts all that is under way, and must not wait for the next one by the clock.
    // It may have no file for what is more than memory has room for.
    const much = this.#bytes * POINT_PART >= Math.min(config.lagBytes, LAG_MEMORY_MAX);
    if (much || this.#writes * POINT_PART >= SHIPPED_MAX) this.timer();
  }

  #arrived(slot: number): void {
    const { slots, turn } = this.#p;
    this.#came = slots.sequence[slot] as number;
    this.#untoldBytes += slots.length[slot] as number;
    this.#untold += 1;
    if (this.#untoldBytes >= TELL_BYTES || this.#untold >= TELL_WRITES) this.tell();
    else if (!turn.isSet(Deadline.Received)) turn.due(Deadline.Received, turn.now + TELL_DELAY);
  }

  /** The primary hears what has come, on its disk or not. */
  tell(): void {
    this.#p.turn.due(Deadline.Received, Number.POSITIVE_INFINITY);
    if (this.#untold === 0 || this.#source === null) return;
    this.#untoldBytes = 0;
    this.#untold = 0;
    this.#source.link.send({ kind: 'received', sequence: this.#came });
  }

  /** Something waits: what it waits for is begun. */
  #go(): void {
    if (this.#held.count === 0) return;
    if (this.#stage === Stage.Rest) this.#open();
    else if (this.#stage === Stage.Open) {
      if (this.#mayTake(this.#held.head)) this.#release();
      else this.timer();
    }
  }

  #release(): void {
    const { peers } = this.#p;
    while (this.#held.count > 0 && this.#mayTake(this.#held.head)) {
      const slot = this.#held.take();
      this.#take(slot);
      peers.order(slot);
    }
    this.#go();
  }

  #open(): void {
    const { undo, state, store, turn, config, canary } = this.#p;
    this.#stage = Stage.Opening;
    const attempt = this.#attempt;
    const opened = (): void => {
      if (attempt !== this.#attempt) return;
      this.#stage = Stage.Open;
      this.#bytes = 0;
      this.#writes = 0;
      turn.due(Deadline.Point, turn.now + config.pointDelay);
      this.#release();
    };
    const begin = (): void => {
      if (attempt !== this.#attempt || state.disk === 'Failed') return;
      store.block.flags = (store.block.flags | DiskFlag.Inconsistent) & ~DiskFlag.Point;
      this.#by = turn.cause = undo.open() || this.#by;
      state.disk = 'Inconsistent';
      if (canary.openUnwaited) opened();
      store.persist(canary.openUnwaited ? () => {} : opened);
    };
    undo.begin(begin, (reason) => {
      if (attempt === this.#attempt) this.#source?.link.drop(`undo-${reason}`);
    });
  }

  #close(): void {
    const { undo, flushes, canary } = this.#p;
    if (this.#admitted > 0) return;
    const attempt = this.#attempt;
    const still = (next: () => void) => () => {
      if (undo.returning || attempt !== this.#attempt) return;
      if (this.#p.state.disk !== 'Failed') next();
    };
    const write = still(() => this.#write());
    undo.whenIdle(still(() => (canary.pointUnstable ? write() : flushes.run(write))));
  }

  /** Everything that was admitted is stable here, and nothing else is: one update says so. */
  #write(): void {
    const { undo, state, store, turn } = this.#p;
    const { block } = store;
    const attempt = this.#attempt;
    const sequence = this.#last;
    const { log } = undo;
    block.flags = (block.flags & ~DiskFlag.Inconsistent) | DiskFlag.Point;
    block.undo = 0;
    state.disk = 'Consistent';
    turn.due(Deadline.Point, Number.POSITIVE_INFINITY);
    store.persist(() => {
      undo.ended(log);
      if (attempt !== this.#attempt) return;
      turn.reached('mirror.point');
      this.#by = turn.cause = turn.event('mirror.point', { sequence });
      this.#source?.link.send({ kind: 'point', sequence });
      this.#stage = Stage.Rest;
      this.#go();
    });
  }
}

/** Batches of the undo log that a write may take, by that. */
function batchesOf(blocks: number): number {
  return Math.ceil(blocks / BATCH_PIECES);
}
