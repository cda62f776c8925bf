/**
 * What becomes of a write that the medium refuses: it is tried once more, then block by block, and
 * a block that is still refused is written to the spare area, read there, and stands there from
 * then on. The range stays locked all the while, and whoever waits for the write sees it end well.
 * Only what the device calls an error of its medium is rescued: any other failure of a write may
 * have cost what the device had in its cache, and costs the replica.
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision, Flag, Status } from '../data/abi.ts';
import type { Parts } from './parts.ts';
import { Kind, Phase, SlotQueue } from './request.ts';

/** How far the rescue of one write has come. */
const Stage = { Again: 0, Each: 1, Spare: 2, Room: 3, Back: 4, Record: 5 } as const;

/** Spare blocks that are tried for one block: where these fail as well, the whole disk does. */
const SPARES_TRIED = 3;

export class WriteRescue {
  readonly #p: Parts;
  readonly #deliver: (slot: number, status: number) => void;
  readonly #first: number;
  readonly #end: number;
  /** Writes that wait for the one in hand. */
  readonly #queue: SlotQueue;
  #slot = -1;
  #stage: number = Stage.Again;
  #block = 0;
  /** The spare block that is being tried, and how many were. */
  #page = 0;
  #tried = 0;
  /** What is recorded for an earlier rescue ends nothing of this one. */
  #run = 0;
  /** Why the medium refused. */
  #status = 0;

  /** `deliver` is told how a write ended that was seen to here. */
  constructor(parts: Parts, deliver: (slot: number, status: number) => void) {
    this.#p = parts;
    this.#deliver = deliver;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots + layout.peerSlots;
    this.#end = this.#first + layout.engineSlots;
    this.#queue = new SlotQueue(parts.slots);
  }

  /** Whether a write is being seen to. */
  get waits(): boolean {
    return this.#slot >= 0;
  }

  /** The own disk is done with the write of `slot`; true when somebody still sees to it. */
  takes(slot: number, status: number): boolean {
    if (slot === this.#slot) {
      this.#step(status);
      return true;
    }
    const { slots, state, turn, canary } = this.#p;
    const kind = slots.kind[slot];
    if (kind !== Kind.Write && kind !== Kind.PeerWrite) return false;
    if (!refused(status) || state.disk === 'Failed' || canary.refusedGivenUp) return false;
    turn.reached('mirror.write.refused');
    this.#queue.push(slot);
    if (this.#slot < 0) this.#next();
    return true;
  }

  /**
   * Whether a write that was refused for good costs its client that block, and nobody anything
   * else: there is no other copy to go on with.
   */
  isLoss(status: number): boolean {
    const { role, state, partners } = this.#p;
    const others = role.latest?.members.some(({ node }) => node !== state.node) ?? false;
    if (!refused(status) || others || partners.required) return false;
    this.#p.turn.reached('mirror.write.lost');
    return true;
  }

  /** What stands in the spare area was read, or could not be. */
  readBack(slot: number, status: number): void {
    const { slots, spare } = this.#p;
    slots.close(slot);
    if (status !== 0 && !this.#p.canary.rescueUnread) {
      this.#spoilt();
      return;
    }
    this.#stage = Stage.Record;
    this.#run += 1;
    const run = this.#run;
    spare.record(this.#block, this.#page, () => {
      if (run === this.#run) this.#moved();
    });
  }

  /** End of a turn: a slot may be free by now to read into. */
  pump(): void {
    // A disk that is given up records nothing any more, and nobody else would end what waits.
    while (this.#slot >= 0 && this.#p.state.disk === 'Failed') {
      if (this.#stage !== Stage.Record && this.#stage !== Stage.Room) break;
      if (this.#p.canary.rescueOutlivesDisk) break;
      this.#run += 1;
      this.#finish(Status.Io);
    }
    if (this.#slot >= 0 && this.#stage === Stage.Room) this.#look();
  }

  #next(): void {
    const slot = this.#queue.take();
    this.#slot = slot;
    if (slot < 0) return;
    const { slots, turn } = this.#p;
    this.#stage = Stage.Again;
    this.#block = Math.floor((slots.offset[slot] as number) / BLOCK_BYTES);
    this.#tried = 0;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    turn.put(Decision.LocalWrite, slot, 0, this.#flags, offset, length, 0);
  }

  #step(status: number): void {
    if (status !== 0 && !refused(status)) this.#finish(status);
    else if (this.#stage === Stage.Again && status === 0) this.#finish(0);
    else if (this.#stage === Stage.Again) {
      this.#status = status;
      this.#stage = Stage.Each;
      this.#each();
    } else if (this.#stage === Stage.Each && status === 0) {
      this.#block += 1;
      this.#each();
    } else if (this.#stage === Stage.Each) this.#elsewhere();
    else if (status === 0) this.#look();
    else this.#spoilt();
  }

  get #flags(): number {
    return (this.#p.slots.flags[this.#slot] as number) & (Flag.Fua | Flag.Zero | Flag.Unmap);
  }

  /** Writes the next block where it stands; ends when there is none. */
  #each(): void {
    const { turn, spare } = this.#p;
    const [start, end] = this.#range;
    const from = Math.max(start, this.#block * BLOCK_BYTES);
    const to = Math.min(end, (this.#block + 1) * BLOCK_BYTES);
    if (from >= end) {
      this.#finish(0);
      return;
    }
    const page = spare.pageOf(this.#block);
    const flags = page === 0 ? this.#flags : (this.#flags | Flag.Fua) & ~Flag.Unmap;
    this.#tried = 0;
    turn.emitPart(Decision.LocalWrite, this.#slot, from - start, flags, from, to - from, page);
  }

  /** The block is refused by itself: another place, if all of it is known. */
  #elsewhere(): void {
    const { turn, spare } = this.#p;
    const [start, end] = this.#range;
    const from = this.#block * BLOCK_BYTES;
    // Of a part of a block, what else stands in it is not here, nor is it locked.
    const whole = from >= start && from + BLOCK_BYTES <= end;
    this.#page = whole && this.#tried < SPARES_TRIED ? spare.take() : 0;
    if (this.#page === 0) {
      turn.reached('mirror.write.no-spare');
      this.#finish(this.#status);
      return;
    }
    this.#tried += 1;
    this.#stage = Stage.Spare;
    const flags = (this.#flags | Flag.Fua) & ~Flag.Unmap;
    const at = from - start;
    turn.emitPart(Decision.LocalWrite, this.#slot, at, flags, from, BLOCK_BYTES, this.#page);
  }

  /** Reads what was written, into a slot of its own: the peer is still being sent this one. */
  #look(): void {
    const { slots, turn } = this.#p;
    const back = slots.firstFree(this.#first, this.#end);
    this.#stage = back < 0 ? Stage.Room : Stage.Back;
    if (back < 0) return;
    const offset = this.#block * BLOCK_BYTES;
    slots.open(back, Kind.Rescue, offset, BLOCK_BYTES, 0);
    slots.phase[back] = Phase.Flying;
    turn.emitPart(Decision.LocalRead, back, 0, 0, offset, BLOCK_BYTES, this.#page);
  }

  /** The spare block is no better: another one, or the end. */
  #spoilt(): void {
    this.#p.spare.giveUp(this.#page);
    this.#elsewhere();
  }

  #moved(): void {
    const { turn, health } = this.#p;
    turn.reached('mirror.write.moved');
    const event = turn.event('mirror.block.moved', { block: this.#block, why: 'write' });
    turn.under(event, () => health.wentBad(this.#block));
    this.#block += 1;
    this.#stage = Stage.Each;
    this.#each();
  }

  /** Whoever asked for the write is told; then the next one is seen to. */
  #finish(status: number): void {
    const slot = this.#slot;
    this.#slot = -1;
    this.#deliver(slot, status);
    if (this.#slot < 0) this.#next();
  }

  get #range(): readonly [start: number, end: number] {
    const { slots } = this.#p;
    const start = slots.offset[this.#slot] as number;
    return [start, start + (slots.length[this.#slot] as number)];
  }
}

function refused(status: number): boolean {
  return status === Status.Medium || status === Status.Protection;
}
