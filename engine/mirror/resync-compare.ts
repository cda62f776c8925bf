/**
 * Pieces of a resync that may be equal on both sides: under the range lock the target is asked for
 * the digest of what it has, the own disk is held against it, and only what differs is sent, from
 * the slot that it was read into. Equal is as good as copied, and no better.
 */
import type { NodeId } from '../core/units.ts';
import { Decision, Flag, Status } from '../data/abi.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Phase } from './request.ts';
import { EqualSkipper } from './skip-equal.ts';
import { Opinion } from './sums.ts';

/** What becomes of a piece. */
export interface PieceOutcome {
  /** Whether the piece belongs to the present link. */
  isOurs(slot: number): boolean;
  /** Both have it, perhaps in volatile caches. */
  settle(slot: number): void;
  /** The own disk was read: as any copy goes on. */
  send(slot: number, status: number, flags: number): void;
  /** It belongs to a link that is gone. */
  close(slot: number): void;
}

export class ResyncCompare {
  readonly #p: Parts;
  readonly #outcome: PieceOutcome;
  /** Which pieces are compared, and what came of it. */
  readonly skipper: EqualSkipper;
  /**
   * Nodes that were asked what they have, and had not said it when the link was lost: such a disk
   * may take longer to read than a peer may be silent, and asking again would lose the next link,
   * and so on. They are asked nothing until a copy has come to its end.
   */
  readonly #vain: Set<NodeId> = new Set();

  constructor(parts: Parts, outcome: PieceOutcome) {
    this.#p = parts;
    this.#outcome = outcome;
    this.skipper = new EqualSkipper(parts.config.skipEqual ?? 'off');
  }

  /** A copy to `partner` begins, of whose dirty blocks so many are somebody's change. */
  begin(partner: Partner): void {
    const { unproved, canary } = this.#p;
    // What a doubtful disk shows is written anew here and there, whatever the other one has (0026).
    const sure = !unproved.on || canary.skipSourceInDoubt;
    const coarse = 2 * partner.changed < partner.map.dirty;
    const answers = partner.link.comparesCopies && !this.#vain.has(partner.node);
    this.skipper.begin(answers && sure, coarse);
  }

  /** Whether the piece in `slot` is compared before it is sent. */
  has(slot: number): boolean {
    return ((this.#p.slots.flags[slot] as number) & Flag.Digest) !== 0;
  }

  /**
   * Asks for the digest of the piece, whose range is free of writes here; what the target was sent
   * before stands before the question there.
   */
  ask(partner: Partner, slot: number): void {
    const { slots, reads, locks, canary } = this.#p;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    reads.ask(partner, slot, offset, length, slots.flags[slot] as number);
    if (canary.skipNoLock) locks.releaseIfHeld(slot);
  }

  /** The target's answer; the range is held until it is clear what becomes of the piece. */
  answered(slot: number, status: number): void {
    const vouched = ((this.#p.slots.flags[slot] as number) & Flag.Sums) !== 0;
    if (!this.#outcome.isOurs(slot)) this.#outcome.close(slot);
    else if (status !== Status.Ok) {
      // It does not give the block, or is in doubt what it has: it gets this one.
      if (status === Status.StaleEpoch) this.skipper.refused();
      this.#p.turn.reached('mirror.resync.uncompared');
      this.#copyAll(slot);
    } else if (vouched) this.#outcome.settle(slot);
    else this.read(slot, Flag.Resync | Flag.Digest | Flag.Check | Flag.Zero);
  }

  /** The piece was held against the target's digest. What was read is in the slot either way. */
  localDone(partner: Partner, slot: number, status: number, flags: number): void {
    const { slots, sums, canary } = this.#p;
    const missed = canary.skipMisses && status === Status.Differs;
    const ours = this.#outcome.isOurs(slot) || canary.skipSettlesLate;
    if ((status === Status.Ok || missed) && ours) {
      this.#equal(partner, slot, (flags & Flag.Zero) !== 0);
      return;
    }
    slots.flags[slot] = Flag.Resync;
    const sound = sums?.opinion(slot) !== Opinion.Mismatch || canary.skipSendsMismatch;
    const differs = status === Status.Differs && sound;
    if (differs && ours) this.skipper.differs(slots.length[slot] as number);
    this.#outcome.send(slot, differs ? Status.Ok : status, flags);
  }

  /** Reads the piece from the own disk. */
  read(slot: number, flags: number): void {
    const { slots, turn } = this.#p;
    slots.phase[slot] = Phase.Flying;
    const offset = slots.offset[slot] as number;
    turn.emit(Decision.LocalRead, slot, 0, flags, offset, slots.length[slot] as number, 0);
  }

  /**
   * A target that lacks checksums of what is equal is told that it may have them: a copy would have
   * made them there.
   */
  #equal(partner: Partner, slot: number, zero: boolean): void {
    const { slots, sums, turn } = this.#p;
    this.skipper.same(slots.length[slot] as number, turn.now, zero);
    turn.reached('mirror.resync.equal');
    sums?.adopt(slot);
    if (sums === null || sums.peerAgrees(slot)) {
      this.#outcome.settle(slot);
      return;
    }
    turn.reached('mirror.resync.vouched');
    slots.flags[slot] = Flag.Resync | Flag.Digest | Flag.Sums;
    this.ask(partner, slot);
  }

  /** The piece was sent, and is on both. */
  sent(slot: number): void {
    const { slots, turn } = this.#p;
    this.skipper.sent(slots.length[slot] as number, turn.now);
  }

  /** The link is lost before the target has answered for the piece in `slot`. */
  unanswered({ node }: Partner, slot: number): void {
    if (this.has(slot) && !this.#p.canary.skipAsksAgain) this.#vain.add(node);
  }

  /** The copy has come to its end. */
  finished({ node }: Partner): void {
    this.#vain.delete(node);
    this.tell();
  }

  /** What of this copy was compared, for the timeline; nothing where nothing was. */
  tell(): void {
    const { compared, equal } = this.skipper;
    if (compared > 0) this.#p.turn.event('mirror.resync.compared', { compared, equal });
  }

  /** Nothing is known of the piece: it is copied like any other. */
  #copyAll(slot: number): void {
    this.#p.slots.flags[slot] = Flag.Resync;
    this.read(slot, Flag.Zero);
  }
}
