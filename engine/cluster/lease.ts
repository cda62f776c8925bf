/**
 * Leases, one per node (design.md §3.3). The rules are pure functions, explored exhaustively in
 * test/engine/cluster/lease.test.ts; the two classes below keep the facts that they judge.
 *
 * A renewal acknowledged by a voter is a promise: for G after receipt it attests nothing about
 * that node. A node's right runs from when it *sent* the oldest renewal of its best majority. An
 * owner change by expiry carries attestations of a majority; both majorities share a voter.
 * Attestations are about a lease epoch: the log settles them by raising it, and a voter refuses
 * a node that has not learnt of the settlement, for it may still believe that it owns.
 */
import type { Micros, NodeId } from '../core/units.ts';
import type { Flags } from './canaries.ts';

/** What a voter knows of one node's lease. */
export interface VoterView {
  /** Its own restart: it has forgotten the promises before. */
  readonly startedAt: Micros;
  /** Until when it promised to attest nothing; -1 for no promise. */
  readonly promisedUntil: Micros;
  /** The lease epoch it attested, 0 for none. */
  readonly attested: number;
  /** The node's lease epoch in the committed state, as far as this voter knows. */
  readonly settled: number;
}

/** Why a voter refuses, '' when it grants. */
export type Refusal = '' | 'attested' | 'unsettled';

/** Whether a voter acknowledges a renewal that was sent in lease epoch `asked`. */
export function judgeRenewal(view: VoterView, asked: number, flags: Flags): Refusal {
  if (asked < view.settled && !flags['lease-epoch-ignored']) return 'unsettled';
  if (asked <= view.attested && !flags['attest-keeps-renewing']) return 'attested';
  return '';
}

/** From when on a voter may attest that the node's lease has run out. */
export function attestableAt(view: VoterView, grant: Micros, flags: Flags): Micros {
  const restarted = flags['attest-early-after-restart'] ? 0 : view.startedAt + grant;
  return Math.max(restarted, view.promisedUntil);
}

/** Until when the node may act: send time of the oldest renewal in its best majority, plus P. */
export function rightUntil(acked: readonly Micros[], majority: number, pet: Micros): Micros {
  // The newest that so many have reached: no list is sorted, for every acknowledgement asks.
  let oldest = -1;
  for (const candidate of acked) {
    if (candidate <= oldest) continue;
    let reached = 0;
    for (const other of acked) if (other >= candidate) reached += 1;
    if (reached >= majority) oldest = candidate;
  }
  return oldest < 0 ? -1 : oldest + pet;
}

/** The attestation of a voter, kept durably until the log settles it. */
export interface Attestation {
  readonly node: NodeId;
  readonly lease: number;
  readonly event: string;
}

/** A voter's promises and attestations. */
export class LeaseVoter {
  #promises = new Map<NodeId, Micros>();
  #renewed = new Map<NodeId, Micros>();
  #attested: readonly Attestation[] = [];

  get attested(): readonly Attestation[] {
    return this.#attested;
  }

  restore(attested: readonly Attestation[]): void {
    this.#attested = attested;
  }

  attestedEpoch(node: NodeId): number {
    for (const attestation of this.#attested) {
      if (attestation.node === node) return attestation.lease;
    }
    return 0;
  }

  promisedUntil(node: NodeId): Micros {
    return this.#promises.get(node) ?? -1;
  }

  /** True the first time a renewal sent at `sent` is seen: the same one arrives on every link. */
  fresh(node: NodeId, sent: Micros): boolean {
    if (this.#renewed.get(node) === sent) return false;
    this.#renewed.set(node, sent);
    return true;
  }

  promise(node: NodeId, until: Micros): void {
    if (until > this.promisedUntil(node)) this.#promises.set(node, until);
  }

  attest(attestation: Attestation): void {
    this.#attested = [...this.#attested.filter((a) => a.node !== attestation.node), attestation];
  }

  /** Drops attestations that the log has settled; true when there were any. */
  settle(node: NodeId, epoch: number): boolean {
    const left = this.#attested.filter((a) => a.node !== node || a.lease >= epoch);
    if (left.length === this.#attested.length) return false;
    this.#attested = left;
    return true;
  }
}

/** A node's own right. */
export class LeaseHolder {
  #acked = new Map<NodeId, Micros>();
  #until: Micros = -1;
  #seized = false;

  get until(): Micros {
    return this.#until;
  }

  held(now: Micros): boolean {
    return now < this.#until;
  }

  /** A voter acknowledged the renewal sent at `sent`; true when the right now lasts longer. */
  acknowledged(voter: NodeId, sent: Micros, majority: number, pet: Micros): boolean {
    const before = this.#acked.get(voter) ?? -1;
    if (sent <= before) return false;
    this.#acked.set(voter, sent);
    const until = rightUntil([...this.#acked.values()], majority, pet);
    if (until <= this.#until) return false;
    this.#until = until;
    return true;
  }

  /** RULE-01 planted: from now on a right is taken, not asked for. */
  seize(): void {
    this.#seized = true;
  }

  prolong(until: Micros): void {
    if (this.#seized) this.#until = until;
  }

  /** The lease epoch moved: acknowledgements of the one before count no more. */
  reset(): void {
    this.#acked.clear();
  }
}
