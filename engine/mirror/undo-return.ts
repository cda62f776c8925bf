/**
 * Puts back the image that an unfinished resync has overwritten, by order of a person. What is put
 * back becomes dirty first, durably: the source may count it as copied. Until everything is back
 * and stable the replica stays Inconsistent with the same way back, so that a return that was cut
 * short is begun again, and does the same. Then it is Outdated, with its old generation.
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision, Flag, PAGE_BYTES } from '../data/abi.ts';
import { DiskFlag } from './metadata.ts';
import { Mode } from './mode.ts';
import type { Parts } from './parts.ts';
import { mediumError } from './repair.ts';
import { Kind, Phase } from './request.ts';
import { type UndoRun, ZEROES } from './undo-log.ts';

export class UndoReturn {
  readonly #p: Parts;
  readonly #first: number;
  readonly #end: number;
  /** The batch that is next, and what is left of the present one. */
  #batch = 0;
  #runs: UndoRun[] = [];
  #flying = 0;
  /** Why it cannot go on, '' while it can. */
  #failed = '';
  #reading = false;
  /** The event in which it began. */
  #begun = '';

  constructor(parts: Parts) {
    this.#p = parts;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots + layout.peerSlots;
    this.#end = this.#first + layout.engineSlots;
  }

  /** A person wants the old image back; what is not read of the log yet belongs to it. */
  order(cause: string): void {
    this.#p.undo.whenRead(() => this.#order(cause));
  }

  #order(cause: string): void {
    const { undo, turn, state, peers } = this.#p;
    if (cause !== '') turn.cause = cause;
    const reason = this.obstacle();
    if (reason !== '') {
      if (!undo.returning) turn.event('mirror.return.refused', { reason });
      return;
    }
    undo.returning = true;
    const { generation } = this.#p.store.block;
    const d = { generation, blocks: undo.saved.dirty };
    this.#begun = turn.cause = turn.event('mirror.return.start', d);
    turn.reached('mirror.return.begun');
    this.#failed = '';
    undo.whenIdle(() => peers.whenIdle(() => state.disk !== 'Failed' && this.#mark()));
  }

  /** Why the image cannot be put back now, '' when it can. */
  obstacle(): string {
    const { undo, state, partners } = this.#p;
    if (!state.attached || state.disk !== 'Inconsistent') return 'no-copy-begun';
    if (undo.returning) return 'returning';
    if (!undo.kept) return 'no-way-back';
    const mode = partners.leader?.link.mode;
    return mode === Mode.Target || mode === Mode.Take ? 'source-is-there' : '';
  }

  /** End of a turn: keeps the disk busy. */
  pump(): void {
    const { undo, slots, turn, state } = this.#p;
    if (!undo.returning || this.#reading || state.disk === 'Failed') return;
    while (this.#runs.length > 0 && this.#failed === '') {
      const slot = slots.firstFree(this.#first, this.#end);
      if (slot < 0) return;
      const { block, blocks, page } = this.#runs.pop() as UndoRun;
      const length = blocks * BLOCK_BYTES;
      slots.open(slot, Kind.Return, block * BLOCK_BYTES, length, 0);
      slots.phase[slot] = page === ZEROES ? Phase.Flying : Phase.Range;
      this.#flying += 1;
      if (page === ZEROES) this.#put(slot, Flag.Zero);
      else turn.emit(Decision.LocalRead, slot, 0, Flag.Side, page * PAGE_BYTES, length, 0);
    }
  }

  /** The local disk has read what a block held, or has it back. */
  localDone(slot: number, status: number): void {
    const { slots, role } = this.#p;
    const back = slots.phase[slot] === Phase.Flying;
    if (status === 0 && !back) {
      slots.phase[slot] = Phase.Flying;
      this.#put(slot, 0);
      return;
    }
    if (status !== 0) {
      if (!back && mediumError(status)) this.#failed = 'unreadable';
      else role.failDisk(back ? 'write' : 'read', status);
    }
    slots.close(slot);
    this.#flying -= 1;
    if (this.#flying > 0) return;
    this.#p.turn.under(this.#begun, () => {
      if (this.#failed !== '') this.#fail(this.#failed);
      else if (this.#runs.length === 0) this.#nextBatch();
    });
  }

  #put(slot: number, flags: number): void {
    const { turn, slots } = this.#p;
    const offset = slots.offset[slot] as number;
    turn.emit(Decision.LocalWrite, slot, 0, flags, offset, slots.length[slot] as number, 0);
  }

  /** What is put back differs from what the source has, whatever its map says. */
  #mark(): void {
    const { undo, partners, store, canary } = this.#p;
    const { saved } = undo;
    for (const partner of partners.all) {
      const { map } = partner;
      const { dirty } = map;
      let block = canary.returnUnmarked ? -1 : saved.nextDirty(0);
      for (; block >= 0; block = saved.nextDirty(block + 1)) map.mark(block);
      // Nobody changed them here.
      partner.padded += map.dirty - dirty;
    }
    this.#batch = undo.batches;
    if (canary.returnClaimed) this.#claim(() => {});
    store.flushPages(() => this.#nextBatch());
  }

  /** The youngest first, so that what was held first is what stays. */
  #nextBatch(): void {
    const { undo, state, turn } = this.#p;
    if (state.disk === 'Failed') return;
    if (this.#batch === 0) {
      this.#p.flushes.run(() => this.#finish());
      return;
    }
    this.#batch -= 1;
    this.#reading = true;
    undo.readBatch(this.#batch, (runs) => {
      this.#reading = false;
      const most = turn.memory.layout.slotBytes / BLOCK_BYTES;
      if (runs === null || runs.some(({ blocks }) => blocks > most)) {
        this.#fail('damaged');
        return;
      }
      this.#runs = runs;
      if (runs.length === 0) this.#nextBatch();
    });
  }

  #fail(reason: string): void {
    const { undo, turn } = this.#p;
    this.#runs = [];
    undo.returning = false;
    turn.cause = turn.event('mirror.return.failed', { reason });
    this.#dropLinks();
  }

  #finish(): void {
    const { state, undo, turn, store } = this.#p;
    this.#claim(() => {
      state.disk = 'Outdated';
      undo.returning = false;
      undo.ended();
      turn.reached('mirror.return.done');
      turn.cause = turn.event('mirror.return.end', { generation: store.block.generation });
      this.#dropLinks();
    });
  }

  /** What was said of this replica on its links is no longer so. */
  #dropLinks(): void {
    for (const { link } of this.#p.partners.all) link.drop('returned');
  }

  /** Durably an image again, and no more than that. */
  #claim(done: () => void): void {
    const { store } = this.#p;
    const { block } = store;
    block.undo = 0;
    block.flags = (block.flags & ~DiskFlag.Inconsistent) | DiskFlag.Outdated;
    store.persist(done);
  }
}
