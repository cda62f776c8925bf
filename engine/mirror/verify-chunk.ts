/**
 * The chunk that a verification has in hand, one at a time: under its range lock the peer is asked
 * for it, or for its digest, and the own disk is held against the answer. A block that differs and
 * is to be repaired is seen to its end here, whatever becomes of the order. What to look at next,
 * and what to make of the outcome, the pass decides.
 */
import { ByteReader } from '../core/bytes.ts';
import { invariant } from '../core/invariant.ts';
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision, Flag, HEADER_BYTES, Header, Status } from '../data/abi.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { mediumError } from './repair.ts';
import { Kind, Peer, Phase } from './request.ts';
import { Opinion } from './sums.ts';

/** What became of a chunk; each is told once, when its slot and its lock are free again. */
export interface ChunkOutcome {
  /** Both have the same. */
  equal(length: number): void;
  /** Something in it differs, or cannot be read: its blocks are to be looked at alone. */
  apart(first: number, count: number): void;
  /** The block differs, with nothing under way over it. Told at once; whether to repair it. */
  differs(look: BlockLook): boolean;
  /** That block is left as it is: nobody wants it repaired. */
  left(length: number): void;
  /** The block that differed is the same now, by the digests of both. */
  repaired(block: number): void;
  /** One of the two disks, or both, did not give the block. */
  unreadable(look: BlockLook): void;
  /** It was not looked at, and has to be. */
  again(first: number, count: number): void;
}

/** What was seen of one block. A digest is '' where it is not known. */
export interface BlockLook {
  readonly block: number;
  readonly own: string;
  readonly other: string;
  /** Which disk did not give it. */
  readonly lost: 'own-disk' | 'other-disk' | 'both-disks' | null;
  /** The own map said that the peer lacks writes of it. */
  readonly dirty: boolean;
  /** Whose copy is right by the checksums that the two keep; null where they do not tell. */
  readonly right: 'own' | 'other' | null;
}

const DIGEST_BYTES = 16;
/** How often a block is rewritten before a resync has to see to it. */
const TRIES = 3;

/**
 * How far it has come. A block that differs and is to be repaired goes on: its dirty bit is made
 * durable, the peer is given the block, and both are asked once more.
 */
const Stage = {
  Lock: 0,
  Ask: 1,
  Compare: 2,
  /** The other disk did not give it: whether the own one does. */
  Own: 3,
  /** Both have the same, and the peer is told so: it lacks checksums of it. */
  Vouch: 4,
  Mark: 5,
  Rewrite: 6,
  AskAgain: 7,
  Recheck: 8,
} as const;

export class VerifyChunk {
  readonly #p: Parts;
  readonly #outcome: ChunkOutcome;
  readonly #first: number;
  readonly #end: number;
  /** Whose copy it is held against. */
  #partner: Partner;
  #slot = -1;
  /** The event in which the order began. */
  begun = '';
  #stage: number = Stage.Lock;
  /** {@link Flag.Digest} where digests are compared, 0 where the peer sends what it has. */
  #how = 0;
  /** The order that it belongs to has ended: what becomes of it concerns nobody. */
  #abandoned = false;
  /** The own disk has failed since it was begun. */
  #over = false;
  #dirty = false;
  #other = '';
  #tries = 0;
  /** The block whose own copy is being put right from the other, -1 for none. */
  #healing = -1;
  /** Why the peer did not send the chunk. */
  #refusal = 0;
  /** Called when no repair is in hand. */
  #idle: (() => void)[] = [];

  constructor(parts: Parts, outcome: ChunkOutcome) {
    this.#p = parts;
    this.#outcome = outcome;
    this.#partner = parts.partners.first;
    const { layout } = parts.turn.memory;
    this.#first = layout.frontSlots + layout.peerSlots;
    this.#end = this.#first + layout.engineSlots;
  }

  get inHand(): boolean {
    return this.#slot >= 0 || this.#healing >= 0;
  }

  /** The first block that is in hand for the present order, or Infinity. */
  get firstBlock(): number {
    if (this.#abandoned) return Number.POSITIVE_INFINITY;
    if (this.#healing >= 0) return this.#healing;
    return this.#slot < 0 ? Number.POSITIVE_INFINITY : this.#block;
  }

  get #block(): number {
    return (this.#p.slots.offset[this.#slot] as number) / BLOCK_BYTES;
  }

  get #length(): number {
    return this.#p.slots.length[this.#slot] as number;
  }

  /** Takes blocks in hand; `how` as above. False when no slot is free. */
  begin(partner: Partner, block: number, count: number, how: number): boolean {
    const { slots, locks, config } = this.#p;
    const slot = slots.firstFree(this.#first, this.#end);
    if (slot < 0) return false;
    const offset = block * BLOCK_BYTES;
    const length = Math.min(count * BLOCK_BYTES, config.sizeBytes - offset);
    this.#slot = slot;
    this.#partner = partner;
    this.#stage = Stage.Lock;
    this.#how = how;
    this.#abandoned = false;
    this.#over = false;
    this.#dirty = count === 1 && partner.map.isDirty(block);
    this.#other = '';
    this.#tries = 0;
    this.#refusal = 0;
    slots.open(slot, Kind.Verify, offset, length, 0);
    slots.phase[slot] = Phase.Range;
    // Without the lock a write that one of them has already would be taken for a difference.
    if (locks.acquire(slot, offset, offset + length, Hold.Shared)) this.granted(slot);
    return true;
  }

  /** The order has ended. */
  abandon(): void {
    this.#abandoned = true;
    this.#healing = -1;
  }

  /**
   * The own disk has failed: nothing is compared or written by it any more. What waits for it, or
   * for a lock, ends now; what a peer or the disk has in hand when that one is done with it.
   */
  suspend(): void {
    this.abandon();
    const slot = this.#slot;
    if (slot < 0) return;
    this.#over = true;
    if (this.#stage === Stage.Lock || this.#stage === Stage.Mark) this.#close();
  }

  /** End of a turn: whether the own copy of the last block has been put right. */
  pump(): void {
    const block = this.#healing;
    const { repair } = this.#p;
    if (block < 0 || repair.isAbout(block)) return;
    this.#healing = -1;
    if (repair.isDone(block)) this.#outcome.repaired(block);
    else this.#outcome.left(BLOCK_BYTES);
  }

  /** The range of the chunk is free of writes. */
  granted(slot: number): void {
    const { slots, reads, canary } = this.#p;
    if (slots.phase[slot] !== Phase.Range) return;
    if (!reads.mayAsk(this.#partner)) {
      this.#again();
      return;
    }
    this.#stage = Stage.Ask;
    if (canary.verifyNoLock) this.#p.locks.release(slot);
    this.#ask(slot);
  }

  /** The peer's answer for the chunk. */
  answered(slot: number, status: number): void {
    if (this.#over) {
      this.#close();
      return;
    }
    const again = this.#stage === Stage.AskAgain;
    const { canary } = this.#p;
    if (this.#abandoned && !again) this.#close();
    else if (status === Status.StaleEpoch) this.#again();
    else if (this.#stage === Stage.Vouch) this.#equal();
    else if (status !== Status.Ok && again) this.#unequal();
    else if (status !== Status.Ok) this.#refused(slot, status);
    else {
      this.#stage = again ? Stage.Recheck : Stage.Compare;
      if (this.#length <= BLOCK_BYTES) this.#other = this.#digest(slot);
      const check = canary.digestUnchecked && this.#how !== 0 ? 0 : Flag.Check;
      this.#read(slot, this.#how | check);
    }
  }

  /** The own disk was held against the peer's answer. */
  localDone(slot: number, status: number): void {
    const { role } = this.#p;
    if (this.#over) {
      this.#close();
      return;
    }
    const told = status === Status.Ok || status === Status.Differs;
    if (!told && !mediumError(status)) {
      this.#close();
      role.failDisk('read', status);
    } else if (this.#stage === Stage.Recheck && !this.#isOfThisLink(slot)) {
      // The peer may have lost it with its power since: it stays dirty, and the resync's.
      this.#close();
    } else if (this.#stage === Stage.Own) this.#own(slot, told);
    else if (this.#stage === Stage.Recheck) {
      if (status === Status.Ok) this.#isRepaired();
      else if (told || this.#p.canary.rewriteUnread) this.#unequal();
      else this.#unread(slot);
    } else {
      invariant(this.#stage === Stage.Compare, 'a chunk is read here once the peer answered');
      if (this.#abandoned) this.#close();
      else if (status === Status.Ok) this.#same(slot);
      else if (this.#length > BLOCK_BYTES) this.#apart();
      else if (status === Status.Differs) this.#differs(slot);
      else this.#lost('own-disk', slot);
    }
  }

  /** The peer has the block durably. Whether it is the same as here, both are asked once more. */
  acked(slot: number): void {
    if (this.#over || !this.#p.reads.mayAsk(this.#partner)) {
      // Another leads: the block is dirty, and the handshake with it says so.
      this.#close();
      return;
    }
    this.#stage = Stage.AskAgain;
    this.#ask(slot);
  }

  /** Calls `done` when no repair is in hand: a host gives up its role with no block half done. */
  whenIdle(done: () => void): void {
    if (this.#slot >= 0 && this.#stage >= Stage.Mark) this.#idle.push(this.#p.turn.carry(done));
    else done();
  }

  /** The link is lost: the chunk is looked at again when the peer is back. */
  linkLost(partner: Partner, link: number): void {
    const slot = this.#slot;
    if (slot < 0 || partner !== this.#partner) return;
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

  #ask(slot: number): void {
    const { slots, reads } = this.#p;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    reads.ask(this.#partner, slot, offset, length, this.#how);
  }

  #read(slot: number, flags: number): void {
    const { slots, turn } = this.#p;
    slots.phase[slot] = Phase.Flying;
    const offset = slots.offset[slot] as number;
    turn.emit(Decision.LocalRead, slot, 0, flags, offset, slots.length[slot] as number, 0);
  }

  /** The digests agree, or the checksum of what was sent does: that one is no evidence. */
  #same(slot: number): void {
    const { sums, reads, slots } = this.#p;
    if (sums !== null && this.#how !== 0) {
      sums.adopt(slot);
      if (!sums.peerAgrees(slot) && reads.mayAsk(this.#partner)) {
        this.#stage = Stage.Vouch;
        const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
        reads.ask(this.#partner, slot, offset, length, this.#how | Flag.Sums);
        return;
      }
    }
    this.#equal();
  }

  #equal(): void {
    const length = this.#length;
    this.#close();
    this.#outcome.equal(length);
  }

  #apart(): void {
    const [first, count] = [this.#block, Math.ceil(this.#length / BLOCK_BYTES)];
    this.#close();
    this.#outcome.apart(first, count);
  }

  /** The other disk did not give it. */
  #refused(slot: number, status: number): void {
    this.#refusal = status;
    if (this.#length > BLOCK_BYTES) {
      this.#apart();
      return;
    }
    this.#stage = Stage.Own;
    this.#read(slot, this.#how);
  }

  /** The other disk did not give the block, or contradicts its checksum; the own one was read. */
  #own(slot: number, told: boolean): void {
    const wrong = this.#p.sums?.opinion(slot) === Opinion.Mismatch;
    if (!told || wrong) this.#lost('both-disks', slot);
    else if (this.#refusal !== Status.Differs) this.#lost('other-disk', slot);
    else if (this.#abandoned) this.#close();
    else this.#differs(slot);
  }

  /** Whose copy the checksums say is right. Without an opinion a copy is neither. */
  #right(slot: number): BlockLook['right'] {
    const { sums } = this.#p;
    if (sums === null) return null;
    const own = sums.opinion(slot);
    if (this.#refusal === Status.Differs) return 'own';
    if (own === Opinion.Mismatch) return 'other';
    if (sums.peerAgrees(slot)) return own === Opinion.None ? 'other' : null;
    return own === Opinion.Match ? 'own' : null;
  }

  #lost(lost: 'own-disk' | 'other-disk' | 'both-disks', slot: number): void {
    const { repair, turn } = this.#p;
    const own = lost === 'other-disk' ? this.#digest(slot) : '';
    const [block, other, dirty] = [this.#block, this.#other, this.#dirty];
    const look = { block, own, other, lost, dirty, right: null };
    const length = this.#length;
    const abandoned = this.#abandoned;
    this.#close();
    if (abandoned) return;
    turn.under(this.begun, () => {
      if (lost !== 'other-disk') repair.notice(look.block * BLOCK_BYTES, length);
      this.#outcome.unreadable(look);
    });
  }

  #differs(slot: number): void {
    const { store, reads, repair, sums, turn, canary } = this.#p;
    const block = this.#block;
    const [own, dirty] = [this.#digest(slot), this.#dirty];
    const right = this.#right(slot);
    const look = { block, own, other: this.#other, lost: null, dirty, right };
    const wanted = this.#outcome.differs(look);
    if (right === 'other' && !canary.sumHealedWrong) {
      const known = sums?.opinion(slot) === Opinion.Mismatch;
      this.#close();
      turn.under(this.begun, () => {
        if (known) repair.notice(block * BLOCK_BYTES, BLOCK_BYTES);
        else repair.overrule(block);
      });
      this.#healing = block;
      return;
    }
    // By the checksums no person has to decide.
    if (!(wanted || right !== null) || !reads.mayAsk(this.#partner)) {
      this.#close();
      this.#outcome.left(BLOCK_BYTES);
      return;
    }
    // Dirty until both were found equal, and durably so: whatever comes between, a resync copies.
    const { map } = this.#partner;
    const marked = map.dirty;
    map.mark(block);
    this.#partner.pad(map.dirty - marked);
    this.#stage = Stage.Mark;
    store.flushPages(() => {
      if (this.#slot === slot && this.#stage === Stage.Mark) this.#rewrite(slot);
    });
  }

  #rewrite(slot: number): void {
    const { slots, reads, canary } = this.#p;
    if (!reads.mayAsk(this.#partner)) {
      this.#close();
      return;
    }
    this.#tries += 1;
    this.#stage = Stage.Rewrite;
    const offset = slots.offset[slot] as number;
    const flags = canary.verifyNoFua ? 0 : Flag.Fua;
    this.#partner.link.sendOwn(slot, offset, slots.length[slot] as number, flags);
  }

  /** Both were asked again, and have the same: the evidence that clears the block. */
  #isRepaired(): void {
    const { turn } = this.#p;
    const block = this.#block;
    this.#partner.map.clear(block);
    turn.reached('mirror.verify.repaired');
    turn.under(this.begun, () => turn.event('mirror.verify.repaired', { block }));
    const abandoned = this.#abandoned;
    this.#close();
    if (!abandoned) this.#outcome.repaired(block);
  }

  /** The block was written over, and is not the same: one of the reads or writes was not true. */
  #unequal(): void {
    const { reads } = this.#p;
    const { link } = this.#partner;
    if (this.#tries < TRIES && reads.mayAsk(this.#partner) && this.#stage === Stage.Recheck) {
      this.#rewrite(this.#slot);
      return;
    }
    this.#close();
    // It stays dirty: a resync sees to it, from the beginning.
    this.#p.turn.under(this.begun, () => link.drop('not-repaired'));
  }

  /** Whether what the peer said of the chunk was said on the link that is there. */
  #isOfThisLink(slot: number): boolean {
    const { slots, reads, canary } = this.#p;
    const present = slots.link[slot] === this.#partner.link.id;
    return canary.recheckAnyLink || (reads.mayAsk(this.#partner) && present);
  }

  /** The own disk does not give the block any more: what stands in the slot is nobody's data. */
  #unread(slot: number): void {
    const { slots, repair, turn } = this.#p;
    const [offset, length] = [slots.offset[slot] as number, this.#length];
    this.#close();
    turn.under(this.begun, () => {
      repair.notice(offset, length);
      this.#partner.link.drop('not-repaired');
    });
  }

  /** It is begun anew later; what was being rewritten is dirty, and the resync's from here on. */
  #again(): void {
    const [first, count] = [this.#block, Math.ceil(this.#length / BLOCK_BYTES)];
    const done = this.#stage >= Stage.Mark || this.#abandoned;
    this.#close();
    if (!done) this.#outcome.again(first, count);
  }

  #close(): void {
    const { slots, locks } = this.#p;
    const slot = this.#slot;
    this.#slot = -1;
    slots.close(slot);
    locks.releaseIfHeld(slot);
    for (const call of this.#idle.splice(0)) call();
  }

  /** The digest in the slot's header, '' where none was asked for. */
  #digest(slot: number): string {
    if (this.#how === 0) return '';
    const at = slot * HEADER_BYTES + Header.Digest;
    const { bytes } = this.#p.turn.memory.headers;
    return new ByteReader(bytes, at, at + DIGEST_BYTES).hex(DIGEST_BYTES);
  }
}
