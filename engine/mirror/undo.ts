/**
 * The way back of a resync target (P1 Victim, REQ-M16): before anything overwrites a block of an
 * image, its old content is durable in the side area, by name. Writes of clients that the source
 * mirrors meanwhile are held back like copies of the resync. When there is no room left, the
 * configuration says whether the copy waits or the way back is given up; it is given up durably
 * before the first block is overwritten without it.
 */
import { BLOCK_BYTES, MICROS_PER_S, type Micros } from '../core/units.ts';
import { Decision, Flag, PAGE_BYTES } from '../data/abi.ts';
import type { WayBack } from '../data/messages.ts';
import { BlockMap } from './block-map.ts';
import { blockCount } from './config.ts';
import type { Parts } from './parts.ts';
import { mediumError } from './repair.ts';
import { Kind, Phase } from './request.ts';
import { SideArea } from './side-area.ts';
import {
  BATCH_RUNS,
  encodeUndoBatch,
  encodeUndoHead,
  type GivenUp,
  type UndoHead,
  type UndoLayout,
  type UndoRun,
  undoLayout,
  ZEROES,
} from './undo-log.ts';
import { type Log, UndoReader } from './undo-reader.ts';

/** Some blocks in a row that a batch saves. */
interface Piece {
  readonly slot: number;
  readonly block: number;
  readonly blocks: number;
  page: number;
  /** What was held is read; it is on its way into the log. */
  read: boolean;
}

/** Why a copy may not begin. */
export type HeldBack = 'full' | 'unreadable' | 'returning' | 'branch';

export class Undo {
  readonly #p: Parts;
  /** How the side area is laid out for the next log; null where there is none. */
  readonly layout: UndoLayout | null;
  readonly side: SideArea;
  readonly reader: UndoReader | null;
  readonly #first: number;
  readonly #end: number;
  readonly #scratch = new Uint8Array(PAGE_BYTES);
  /** The log that is being kept; it may have begun when the area was smaller. */
  #kept: Log | null = null;
  /** The log that the next copy is to keep, its head written. */
  #prepared: Log | null = null;
  /** What is not overwritten is saved as well; called when all is. */
  #completed: (() => void) | null = null;
  /** All blocks before this one are saved. */
  #completeTo = 0;
  /** Blocks whose old content it has. */
  #saved: BlockMap;
  #batches = 0;
  /** The next free page. */
  #next = 0;
  /** The log is being read after a start. */
  #loading = false;
  #whenLoaded: (() => void)[] = [];
  /** Pieces of the batch that is being saved, and the log that it is for. */
  #batch: Piece[] = [];
  #batchLog = 0;
  #pending = 0;
  /** Why the batch cannot be saved, '' while it can. */
  #failed: '' | 'unreadable' = '';
  /** Peer's writes that wait, each under its range lock. */
  #held: number[] = [];
  #givingUp = false;
  #whenIdle: (() => void)[] = [];
  /** Tells a late callback from an earlier attempt to begin. */
  #attempt = 0;
  /** Id of the event in which the log was begun last, or found on the disk. */
  #begun = '';
  /** The old image is being put back. */
  returning = false;
  #lost: WayBack['reason'] = '';
  #told: WayBack | null = null;
  #toldAt: Micros = 0;
  #heldBack: '' | 'full' | 'unreadable' = '';

  constructor(parts: Parts) {
    this.#p = parts;
    const { config, turn } = parts;
    this.layout = undoLayout(config.sideBytes);
    this.side = new SideArea(parts);
    this.reader = this.layout && new UndoReader(this.layout, this.side);
    this.#saved = new BlockMap(blockCount(config));
    this.#first = turn.memory.layout.frontSlots + turn.memory.layout.peerSlots;
    this.#end = this.#first + turn.memory.layout.engineSlots;
  }

  /** Whether the image that the copy overwrites can be put back. */
  get kept(): boolean {
    return this.#kept !== null && !this.#givingUp;
  }

  /** The log that is being kept, 0 for none. */
  get log(): number {
    return this.#kept?.head.log ?? 0;
  }

  /** Which image the log keeps; null where none is. */
  get head(): UndoHead | null {
    return this.kept ? (this.#kept?.head ?? null) : null;
  }

  /** What blocks held takes so much of the side area. */
  get payloadBytes(): number {
    return this.#kept === null ? 0 : (this.#next - this.#kept.layout.payload) * PAGE_BYTES;
  }

  /** Whether `blocks` blocks more, in `batches` batches, find room in the log. */
  hasRoom(blocks: number, batches: number): boolean {
    const layout = this.#kept?.layout ?? this.layout;
    if (layout === null) return true;
    // One that is under way counts twice.
    return this.#next + blocks <= layout.pages && this.#batches + 1 + batches <= layout.batches;
  }

  /** Batches of the log, and the blocks in it. */
  get batches(): number {
    return this.#batches;
  }

  get saved(): BlockMap {
    return this.#saved;
  }

  /** What people are told of it; null where there is nothing to tell. */
  get wayBack(): WayBack | null {
    const layout = this.#kept?.layout ?? this.layout;
    if (layout === null) return null;
    const { store, state } = this.#p;
    if (state.disk !== 'Inconsistent' || this.#loading) return null;
    const roomBytes = (layout.pages - layout.payload) * PAGE_BYTES;
    // It is full when either runs out.
    const named = Math.floor((roomBytes * this.#batches) / layout.batches);
    const standing = this.#heldBack !== '' ? 'held' : this.kept ? 'kept' : 'lost';
    return {
      state: this.returning ? 'returning' : standing,
      reason: this.#heldBack !== '' ? this.#heldBack : this.#lost,
      generation: store.block.generation,
      blocks: this.#saved.dirty,
      usedBytes: this.kept ? Math.max(this.payloadBytes, named) : 0,
      roomBytes,
    };
  }

  /** The replica attached: reads the log that its metadata names. */
  attach(): void {
    const { store } = this.#p;
    const area = this.layout;
    // What a branch has is no way back from anything.
    if (this.#isTakenByBranch) {
      this.#p.branch.attach();
      return;
    }
    if (area === null || store.block.undo === 0) return;
    this.#loading = true;
    const log = store.block.undo;
    const reader = this.reader as UndoReader;
    reader.open(log, (opened) => {
      if (opened === null || opened.head.generation !== store.block.generation) {
        this.#loaded('damaged');
        return;
      }
      this.#begin(this.#p.canary.areaMoves ? { ...opened, layout: area } : opened);
      reader.all(
        this.#kept as Log,
        (runs) => this.#found(runs),
        (fault) => this.#loaded(fault),
      );
    });
  }

  /**
   * A copy is to begin: `next` when the image that it overwrites can be put back, or there is none;
   * `held` when it must not begin. `given` is the order by which that image is given up.
   */
  begin(next: () => void, held: (reason: HeldBack) => void, given: GivenUp | null = null): void {
    const { state, flushes, peers, partners, config, canary, turn } = this.#p;
    this.#attempt += 1;
    const attempt = this.#attempt;
    const still = (call: () => void) => () => {
      if (attempt === this.#attempt) call();
    };
    if (this.returning) {
      held('returning');
      return;
    }
    if (this.#loading) {
      this.#whenLoaded.push(turn.carry(still(() => this.begin(next, held, given))));
      return;
    }
    const image = state.disk !== 'Inconsistent';
    if (image && this.#kept !== null && !canary.headOverImage) {
      // The update that gives the log up is on its way: until then its head must stand.
      this.#p.store.persist(still(() => this.begin(next, held, given)));
      return;
    }
    if (this.#isTakenByBranch) {
      // An asynchronous replica goes on from image to image, and needs a log for each.
      if (image && (config.undoRequired || partners.asynchronous)) {
        this.#p.branch.holdBack();
        held('branch');
        return;
      }
      this.#p.branch.letGo();
      this.#prepared = null;
      if (image) {
        this.#lost = 'branch';
        this.#p.branch.lose(this.#p.store.block.generation, given, 'branch');
      }
      next();
      return;
    }
    if (!image && this.kept && this.#heldBack !== '' && config.undoRequired) {
      held(this.#heldBack);
      return;
    }
    if (this.layout === null || !image) {
      this.#prepared = this.layout !== null && this.kept ? this.#kept : null;
      next();
      return;
    }
    // What the peer wrote before is part of the image, and what only the cache has is to stay.
    const flushed = still(() => this.#writeHead(given, still(next)));
    this.whenIdle(still(() => peers.whenIdle(still(() => flushes.run(flushed)))));
  }

  /**
   * The image is given up with the next update of the superblock, which names its log. Returns the
   * event in which that was begun, '' where none was.
   */
  open(): string {
    const { store, turn } = this.#p;
    const next = this.#prepared;
    // Also where the area is gone from the configuration: it may come back.
    if (this.#p.branch.stands && !this.#p.canary.branchOverwritten) return '';
    // Where nothing is left of an image no log may say so.
    store.block.undo = next?.head.log ?? 0;
    if (next === this.#kept) return '';
    if (next === null) {
      this.ended();
      return '';
    }
    this.#begin(next);
    const { generation, epoch } = store.block;
    turn.reached('mirror.undo.begun');
    this.#begun = turn.event('mirror.undo.start', { generation, epoch });
    return this.#begun;
  }

  /** Whether [offset, offset+length) may be overwritten now. */
  admits(offset: number, length: number, flags: number): boolean {
    if (this.#kept === null) return true;
    const { canary } = this.#p;
    if (canary.undoCopiesOnly && (flags & Flag.Resync) === 0) return true;
    return this.#covers(offset, length);
  }

  /** A peer's write waits under its lock until what it overwrites is saved. */
  hold(slot: number): void {
    const { peers, canary } = this.#p;
    this.#held.push(slot);
    if (canary.undoTakenLate) peers.issue(slot);
  }

  /**
   * The copy by which a branch is given up is at its end: saves the blocks that it did not
   * overwrite, so that nothing written later takes any of the branch. `done` when all are saved, or
   * the log is given up; never where the log must be kept and has no room.
   */
  complete(done: () => void): void {
    this.#completed = this.#p.turn.carry(done);
    this.#isComplete();
  }

  /** A link is lost: what had come by it and waited is let go. */
  linkLost(link: number): void {
    const { slots } = this.#p;
    this.#held = this.#held.filter((slot) => slots.link[slot] !== link);
    this.#completed = null;
  }

  /** The generation of the copy is adopted, or the image is back: that log is worth nothing. */
  ended(log: number = this.log): void {
    // Another one has begun since.
    if (log !== this.log) return;
    this.#kept = null;
    this.#givingUp = false;
    this.#lost = '';
    this.#heldBack = '';
    this.#release();
  }

  /** Calls `done` when all is known of the log that the metadata names, or there is none. */
  whenRead(done: () => void): void {
    if (this.#loading && !this.#p.canary.returnUnread)
      this.#whenLoaded.push(this.#p.turn.carry(done));
    else done();
  }

  /** Calls `done` when no batch is under way. */
  whenIdle(done: () => void): void {
    if (this.#batch.length === 0) done();
    else this.#whenIdle.push(this.#p.turn.carry(done));
  }

  /** Whether anything waits for the next batch. */
  get waits(): boolean {
    return this.#held.length > 0 || this.#completed !== null;
  }

  /** End of a turn: starts the next batch. */
  pump(): void {
    if (this.#batch.length > 0 || this.#givingUp) return;
    if (this.#kept === null || this.returning) return;
    const full = this.#gather();
    this.#pending = this.#batch.length;
    this.#batchLog = this.log;
    this.#failed = '';
    if (this.#batch.length === 0) {
      if (full) this.#overflow('full');
      return;
    }
    const { turn, slots } = this.#p;
    for (const { slot } of this.#batch) {
      const offset = slots.offset[slot] as number;
      turn.emit(Decision.LocalRead, slot, 0, Flag.Zero, offset, slots.length[slot] as number, 0);
    }
  }

  /** The local disk is done with a piece of the batch. */
  localDone(slot: number, status: number, flags: number): void {
    const { role, turn, slots } = this.#p;
    const piece = this.#batch.find((each) => each.slot === slot);
    if (piece === undefined) return;
    if (status !== 0) {
      if (!piece.read && mediumError(status)) this.#failed = 'unreadable';
      else role.failDisk(piece.read ? 'write' : 'read', status);
    } else if (!piece.read && (flags & Flag.Zero) === 0 && this.#failed === '') {
      piece.read = true;
      piece.page = this.#next;
      this.#next += piece.blocks;
      const to = piece.page * PAGE_BYTES;
      const length = slots.length[slot] as number;
      turn.emit(Decision.LocalWrite, slot, 0, Flag.Side | Flag.Fua, to, length, 0);
      return;
    }
    this.#pending -= 1;
    if (this.#pending > 0 || this.#p.state.disk === 'Failed') return;
    // The copy was finished meanwhile: nothing waits for it any more.
    if (this.log !== this.#batchLog) this.#dismiss();
    else if (this.#failed !== '') {
      this.#dismiss();
      this.#overflow(this.#failed);
    } else this.#writeBatch();
  }

  /** Reads batch `number` of the present log; null when it is not whole. */
  readBatch(number: number, done: (runs: UndoRun[] | null) => void): void {
    (this.reader as UndoReader).batch(this.#kept as Log, number, done);
  }

  /** Whether there is an area by which there may be a way back, or was one that was told of. */
  get speaks(): boolean {
    return this.layout !== null || this.#kept !== null || this.#told !== null;
  }

  /** End of a turn: control hears what is new. */
  tell(): void {
    const { turn, config } = this.#p;
    const now = this.wayBack;
    const told = this.#told;
    if (now === null && told === null) return;
    if (now !== null && told !== null && now.state === told.state && now.reason === told.reason) {
      if (now.blocks === told.blocks || turn.now < this.#toldAt + MICROS_PER_S) return;
    }
    this.#told = now;
    this.#toldAt = turn.now;
    turn.report({ kind: 'way-back', volume: config.volume, wayBack: now });
  }

  #covers(offset: number, length: number): boolean {
    const first = Math.floor(offset / BLOCK_BYTES);
    const last = Math.floor((offset + length - 1) / BLOCK_BYTES);
    for (let block = first; block <= last; block += 1) {
      if (!this.#saved.isDirty(block)) return false;
    }
    return true;
  }

  /** Whether the side area has a branch that stays until a person drops it. */
  get #isTakenByBranch(): boolean {
    const { branch, canary } = this.#p;
    return this.layout !== null && branch.stands && !canary.branchOverwritten;
  }

  /** Whether nothing of the branch is in its place alone, or there is no log of it any more. */
  #isComplete(): void {
    const done = this.#completed;
    if (done === null) return;
    const all = this.#saved.dirty === blockCount(this.#p.config) || this.#p.canary.branchPartly;
    if (this.#kept !== null && !all) return;
    this.#completed = null;
    done();
  }

  #begin(log: Log): void {
    this.#kept = log;
    this.#completeTo = 0;
    this.#saved = new BlockMap(blockCount(this.#p.config));
    this.#batches = 0;
    this.#next = log.layout.payload;
    this.#lost = '';
    this.#heldBack = '';
    this.#givingUp = false;
  }

  #writeHead(given: GivenUp | null, next: () => void): void {
    const { store } = this.#p;
    const layout = this.layout as UndoLayout;
    const { copies, pages } = layout;
    // Each log is begun by an update of the superblock, so that no two have one number.
    const log = store.block.seq + 1;
    const { generation, epoch } = store.block;
    const head = { log, generation, epoch, pages, given };
    const encode = (page: number, into: Uint8Array) =>
      encodeUndoHead(store.device, page, head, into);
    this.side.write(copies[0], copies[1], encode, this.#scratch, () => {
      this.#prepared = { head, layout };
      next();
    });
  }

  /** Takes blocks that are not saved, of writes that wait first; true if there was no room. */
  #gather(): boolean {
    const { slots, config } = this.#p;
    const { head, layout } = this.#kept as Log;
    if (this.#batches >= layout.batches) return true;
    for (const held of this.#held) {
      const offset = slots.offset[held] as number;
      const last = Math.floor((offset + (slots.length[held] as number) - 1) / BLOCK_BYTES);
      const ended = this.#gatherOf(Math.floor(offset / BLOCK_BYTES), last);
      if (ended !== '') return ended === 'full';
    }
    // All of a branch is to be saved: what comes next as well, so that few batches name much.
    if (this.#completed === null && head.given === null) return false;
    const end = blockCount(config);
    while (this.#completeTo < end && this.#saved.isDirty(this.#completeTo)) this.#completeTo += 1;
    return this.#gatherOf(this.#completeTo, end - 1) === 'full';
  }

  /** The same of blocks `block` to `last`; why it ended before, '' if it did not. */
  #gatherOf(from: number, last: number): '' | 'full' | 'busy' {
    const { slots, turn } = this.#p;
    const most = Math.floor(turn.memory.layout.slotBytes / BLOCK_BYTES);
    const taken = this.#batch.reduce((sum, { blocks }) => sum + blocks, 0);
    let room = (this.#kept as Log).layout.pages - this.#next - taken;
    let block = from;
    while (block <= last) {
      if (this.#isTaken(block)) {
        block += 1;
        continue;
      }
      const slot = slots.firstFree(this.#first, this.#end);
      if (slot < 0 || this.#batch.length === BATCH_RUNS) return 'busy';
      if (room <= 0) return 'full';
      let end = block + 1;
      const limit = Math.min(last + 1, block + Math.min(most, room));
      while (end < limit && !this.#isTaken(end)) end += 1;
      const blocks = end - block;
      slots.open(slot, Kind.Undo, block * BLOCK_BYTES, blocks * BLOCK_BYTES, 0);
      slots.phase[slot] = Phase.Flying;
      this.#batch.push({ slot, block, blocks, page: ZEROES, read: false });
      room -= blocks;
      block = end;
    }
    return '';
  }

  #isTaken(block: number): boolean {
    if (this.#saved.isDirty(block)) return true;
    for (const piece of this.#batch) {
      if (block >= piece.block && block < piece.block + piece.blocks) return true;
    }
    return false;
  }

  #writeBatch(): void {
    const { store, canary } = this.#p;
    const { copies } = (this.#kept as Log).layout;
    const { log } = this;
    const number = this.#batches;
    const at = number + 1;
    const runs = this.#batch.map(({ block, blocks, page }) => ({ block, blocks, page }));
    const encode = (page: number, into: Uint8Array) =>
      encodeUndoBatch(store.device, page, log, number, runs, into);
    if (canary.undoUnwaited) this.#save(runs);
    this.side.write(copies[0] + at, copies[1] + at, encode, this.#scratch, () => {
      if (this.log === log) {
        this.#batches += 1;
        this.#save(runs);
      }
      this.#dismiss();
    });
  }

  /** What these blocks held is in the log. */
  #save(runs: readonly UndoRun[]): void {
    for (const { block, blocks } of runs) {
      this.#saved.markBytes(block * BLOCK_BYTES, blocks * BLOCK_BYTES);
    }
    this.#release();
  }

  /** The batch is over, saved or not. */
  #dismiss(): void {
    for (const { slot } of this.#batch) this.#p.slots.close(slot);
    this.#batch = [];
    const idle = this.#whenIdle;
    this.#whenIdle = [];
    for (const call of idle) call();
  }

  /** Lets go of what may be overwritten now. */
  #release(): void {
    const { slots, peers, canary } = this.#p;
    const held = this.#held;
    this.#held = [];
    for (const slot of held) {
      const offset = slots.offset[slot] as number;
      const covered = this.#kept === null || this.#covers(offset, slots.length[slot] as number);
      if (!covered) this.#held.push(slot);
      else if (!canary.undoTakenLate) peers.issue(slot);
    }
    this.#isComplete();
  }

  /** The log cannot take more: the copy waits for a person, or goes on without a way back. */
  #overflow(reason: 'full' | 'unreadable'): void {
    const { config, turn, partners, store } = this.#p;
    if (config.undoRequired) {
      this.#heldBack = reason;
      turn.reached('mirror.undo.held');
      turn.under(this.#begun, () => {
        turn.cause = turn.event('mirror.undo.held', { reason });
        partners.leader?.link.drop('undo');
      });
      return;
    }
    const { generation, given: order } = (this.#kept as Log).head;
    this.#p.branch.lose(generation, order, reason);
    this.#givingUp = true;
    this.#lost = reason;
    turn.reached('mirror.undo.given-up');
    turn.under(this.#begun, () => turn.event('mirror.undo.lost', { reason }));
    const given = () => {
      this.ended();
      this.#lost = reason;
    };
    // Nothing may claim the image once a block of it is gone.
    store.block.undo = 0;
    store.persist(given);
  }

  #found(runs: readonly UndoRun[]): void {
    this.#batches += 1;
    this.#save(runs);
    for (const { blocks, page } of runs) {
      if (page !== ZEROES) this.#next = Math.max(this.#next, page + blocks);
    }
  }

  #loaded(fault: '' | 'damaged'): void {
    const { turn } = this.#p;
    this.#loading = false;
    if (fault !== '') {
      const head = this.#kept?.head;
      if (head !== undefined) this.#p.branch.lose(head.generation, head.given, fault);
      this.#kept = null;
      this.#lost = fault;
      turn.reached('mirror.undo.damaged');
      turn.event('mirror.undo.lost', { reason: fault });
    } else this.#begun = turn.event('mirror.undo.found', { blocks: this.#saved.dirty });
    const calls = this.#whenLoaded;
    this.#whenLoaded = [];
    for (const call of calls) call();
  }
}
