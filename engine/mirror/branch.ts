/**
 * What this replica says of its own branch while its peer's data went on apart from it, or are a
 * stranger's: found at every hello, so also when no handshake comes of it. Decides nothing.
 */
import { MICROS_PER_S, type Micros } from '../core/units.ts';
import type { Branch, Discard, VolumeRecord } from '../data/messages.ts';
import type { Comparison, ReplicaView } from './compare.ts';
import { APART } from './generation.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';

/** While counts grow, control is told of them this often. */
const TELL_EVERY: Micros = MICROS_PER_S;

export class BranchWatch {
  readonly #p: Parts;
  readonly #partner: Partner;
  #peer: ReplicaView | null = null;
  /** The event behind the hello in which it was found, and the one that told of it. */
  #by = '';
  #event = '';
  #verdict: Branch['verdict'] = 'split-brain';
  #told: Branch | null = null;
  #toldAt: Micros = 0;

  constructor(parts: Parts, partner: Partner) {
    this.#p = parts;
    this.#partner = partner;
  }

  /** The peer said what it is, and the two were compared without regard to any order. */
  met(peer: ReplicaView, { verdict }: Comparison): void {
    const apart = verdict === 'split-brain' || verdict === 'unrelated';
    this.#peer = apart ? peer : null;
    this.#by = this.#p.turn.cause;
    if (!apart) return;
    this.#verdict = verdict;
    if (this.ahead) this.#p.turn.reached('mirror.branch.ahead');
  }

  /** The peer is heard no more. */
  lost(): void {
    this.#peer = null;
  }

  /** Whether the peer's branch saw epochs that no committed record has reached. */
  get ahead(): boolean {
    return this.#peer !== null && this.#peer.epoch > this.#p.state.epoch;
  }

  /** Whether there is a branch that control is to hear of, or has heard of. */
  get speaks(): boolean {
    return this.#peer !== null || this.#told !== null;
  }

  /** End of a turn: control hears what is new. */
  tell(): void {
    const { turn, config } = this.#p;
    // What the link carries now has been agreed on.
    if (this.#partner.link.mode !== Mode.None) this.#peer = null;
    const branch = this.#branch();
    const told = this.#told;
    if (branch === null && told === null) return;
    if (branch === null && this.#p.partners.several && !this.#isAsked) {
      // Another one is told of since.
      this.#told = null;
      return;
    }
    if (branch !== null && told !== null && !isNews(branch, told)) {
      const grew = branch.dirty !== told.dirty || branch.padded !== told.padded;
      if (!grew || turn.now < this.#toldAt + TELL_EVERY) return;
    } else if (branch !== null) {
      const { verdict, generation: mine, peer: theirs, shared } = branch;
      turn.reached('mirror.branch.found');
      turn.under(this.#by, () => {
        this.#event = turn.event('mirror.branch', { verdict, mine, theirs, shared });
      });
    }
    this.#told = branch;
    this.#toldAt = turn.now;
    const said = branch && { ...branch, event: this.#event };
    turn.report({ kind: 'branch', volume: config.volume, branch: said });
  }

  /** Control hears of one branch at a time: among several of the one that the order is about. */
  get #isAsked(): boolean {
    const { state, partners } = this.#p;
    const { record } = state;
    if (!partners.several || record?.discard?.taker === undefined) return true;
    const { discard, primary } = record;
    return this.#partner.node === (primary === state.node ? discard.node : primary);
  }

  #branch(): Branch | null {
    const { store, state, writes, role } = this.#p;
    if (this.#peer === null || !this.#isAsked) return null;
    const { shared, differing, padded } = this.#partner;
    const { generation, parents } = store.block;
    return {
      verdict: this.#verdict,
      generation,
      parents: parents.slice(),
      peer: this.#peer.generation,
      // Nobody has a number of that kind.
      shared: shared === APART ? 0 : shared,
      epoch: store.durableEpoch,
      dirty: differing,
      padded: padded < 0 ? differing : Math.min(padded, differing),
      settled: !state.lead && !role.busy && writes.open === 0 && writes.waiting === 0,
    };
  }
}

/**
 * Whether this replica, if the record's order keeps it, has what is to be kept; null where no order
 * keeps it. A copy that is not whole keeps nothing.
 */
export function keepsOrdered({ state, store }: Pick<Parts, 'state' | 'store'>): boolean | null {
  const discard = state.record?.discard;
  if (discard === undefined || discard.node === state.node) return null;
  const { generation, parents } = store.block;
  const whole = state.disk !== 'Inconsistent' && state.disk !== 'Failed';
  return whole && (generation === discard.keeps || parents.includes(discard.keeps));
}

/**
 * The newest order of two records by which a loss was accepted. Without regard to any other two
 * branches are told; but what a taker lacks of an equal generation only that order tells.
 */
export function lossOf(a: VolumeRecord | null, b: VolumeRecord | null): Discard | undefined {
  const newest = (a?.epoch ?? -1) >= (b?.epoch ?? -1) ? a : b;
  return newest?.discard?.taker === undefined ? undefined : newest.discard;
}

/** Whether more than counts is different. */
function isNews(branch: Branch, told: Branch): boolean {
  return (
    branch.verdict !== told.verdict ||
    branch.generation !== told.generation ||
    branch.peer !== told.peer ||
    branch.shared !== told.shared ||
    branch.settled !== told.settled ||
    branch.epoch !== told.epoch
  );
}
