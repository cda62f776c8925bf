/**
 * Which of the two copies serves a read, where the configuration lets both: the one that is likely
 * to be done first, by what reads took there lately and how many are under way. Only while both
 * replicas are members and nothing at all is dirty; the caller holds the read's range, so no write
 * is between them. What the peer does not answer, the own disk does.
 */
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';

/** Of so many reads that could go either way, one asks the side that seems slower. */
const PROBE_EVERY = 32;
/** A reader that goes on where it was stays there, unless the other is so many times quicker. */
const STICKY = 2;
/** The newest sample counts for one in so many. */
const SMOOTH = 8;

/** What is known of one copy. */
interface Side {
  /** Microseconds that a read took lately, smoothed; 0 before the first. */
  took: number;
  /** Reads under way. */
  flying: number;
  /** Where the last read ended. */
  end: number;
}

export class ReadBalance {
  readonly #p: Parts;
  readonly #own: Side = { took: 0, flying: 0, end: -1 };
  readonly #peer: Side = { took: 0, flying: 0, end: -1 };
  /** When the read in each front slot was issued, and 1 for one that the peer is to serve. */
  readonly #since: Float64Array;
  readonly #away: Uint8Array;
  #reads = 0;

  constructor(parts: Parts) {
    const { frontSlots } = parts.turn.memory.layout;
    this.#p = parts;
    this.#since = new Float64Array(frontSlots).fill(Number.POSITIVE_INFINITY);
    this.#away = new Uint8Array(frontSlots);
  }

  /** Whether the read in `slot` is with the peer because both were asked in turns. */
  isAway(slot: number): boolean {
    return this.#away[slot] === 1;
  }

  /** Chooses for the read in `slot`; true when the peer is asked, else the own disk is to be. */
  begin(slot: number): boolean {
    const { slots, turn, reads, config } = this.#p;
    if (!config.balanceReads) return false;
    const offset = slots.offset[slot] as number;
    const length = slots.length[slot] as number;
    const partner = this.#mayAsk();
    const away = partner !== null && this.#prefersPeer(offset);
    const side = away ? this.#peer : this.#own;
    side.flying += 1;
    side.end = offset + length;
    this.#since[slot] = turn.now;
    this.#away[slot] = away ? 1 : 0;
    if (away) {
      turn.reached('mirror.read.balanced');
      reads.ask(partner, slot, offset, length);
    }
    return away;
  }

  /**
   * Whoever was asked is done with `slot`, well or not. From here on the read is like one that was
   * never balanced.
   */
  ended(slot: number): void {
    const { config, turn } = this.#p;
    if (!config.balanceReads || this.#since[slot] === Number.POSITIVE_INFINITY) return;
    const side = this.#away[slot] === 1 ? this.#peer : this.#own;
    side.flying -= 1;
    const took = Math.max(1, turn.now - (this.#since[slot] as number));
    side.took = side.took === 0 ? took : side.took + (took - side.took) / SMOOTH;
    this.#since[slot] = Number.POSITIVE_INFINITY;
    this.#away[slot] = 0;
  }

  /** Both are members of one epoch on this link, and no block is known to differ. */
  #mayAsk(): Partner | null {
    const { reads, partners, state, canary } = this.#p;
    const { first } = partners;
    if (canary.balanceInCopy) return state.lead && first.link.mirrored ? first : null;
    const partner = state.demoting ? null : reads.somebody;
    return partner !== null && partner.map.dirty === 0 ? partner : null;
  }

  #prefersPeer(offset: number): boolean {
    this.#reads += 1;
    const own = cost(this.#own);
    const peer = cost(this.#peer);
    if (this.#reads % PROBE_EVERY === 0) return peer >= own;
    if (offset === this.#own.end && own <= peer * STICKY) return false;
    if (offset === this.#peer.end && peer <= own * STICKY) return true;
    return peer < own;
  }
}

/** How long one more read may take there. A side of which nothing is known is worth a try. */
function cost(side: Side): number {
  return (side.flying + 1) * side.took;
}
