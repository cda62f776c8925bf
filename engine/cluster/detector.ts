/**
 * From silence to proof. A leader that suspects an owner asks all voters to attest that the
 * owner's lease has run out; a voter does so as soon as its own promise allows, durably, and then
 * refuses the node until the log has settled the matter.
 */
import type { Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { Links } from './heartbeat.ts';
import { attestableAt, judgeRenewal, type LeaseVoter, type VoterView } from './lease.ts';
import type { AttestMessage, AttestRequestMessage, Heartbeat } from './messages.ts';
import type { Durability } from './persist.ts';
import { type ClusterState, identityOf, leaseEpochOf } from './state.ts';

interface Asked {
  readonly lease: number;
  readonly by: NodeId;
  readonly cause: string;
  readonly at: Micros;
}

/** A majority's word, and the events in which it was given. */
export interface Expiry {
  readonly lease: number;
  readonly voters: readonly { readonly node: NodeId; readonly identity: number }[];
  readonly reads: readonly string[];
}

export class Detector {
  readonly #context: Context;
  readonly #links: Links;
  readonly #durability: Durability;
  readonly #voter: LeaseVoter;
  readonly #state: () => ClusterState;
  /** Since when this core runs without a stall: one that slept judges nobody at once. */
  awakeSince: Micros = 0;
  #asked = new Map<NodeId, Asked>();
  /** Leader: when it asked last. */
  #wrote = new Map<NodeId, { lease: number; at: Micros }>();
  #collected = new Map<NodeId, { lease: number; words: Map<NodeId, AttestMessage> }>();

  constructor(
    context: Context,
    links: Links,
    durability: Durability,
    voter: LeaseVoter,
    state: () => ClusterState,
  ) {
    this.#context = context;
    this.#links = links;
    this.#durability = durability;
    this.#voter = voter;
    this.#state = state;
  }

  /** Judges a renewal; true when this voter acknowledges it, for the first time. */
  renew(node: NodeId, beat: Heartbeat): boolean {
    if (beat.lease === 0 || !this.#admitted()) return false;
    const { now, timing, flags, reached } = this.#context;
    const refusal = judgeRenewal(this.#view(node), beat.lease, flags);
    if (refusal === 'attested') reached('lease-refused-attested');
    if (refusal === 'unsettled') reached('lease-refused-unsettled');
    if (refusal !== '') return false;
    if (this.#isDeaf(node)) {
      reached('lease-refused-deaf');
      return false;
    }
    this.#voter.promise(node, now + timing.grant);
    return this.#voter.fresh(node, beat.sent);
  }

  /**
   * Whether the node does not hear us, as far as its heartbeats tell. It would not hear the answer:
   * a promise would give it no right, and keep others from taking over for as long as it is deaf.
   */
  #isDeaf(node: NodeId): boolean {
    const { flags } = this.#context;
    return (this.#links.peer(node)?.suspectEvent ?? '') !== '' && !flags['deaf-renewed'];
  }

  /** Leader: asks every voter, itself included, about a node. */
  ask(node: NodeId, cause: string): void {
    const { boot, life, now, timing } = this.#context;
    const lease = leaseEpochOf(this.#state(), node);
    // An answer makes the planner look again, and it must not make it ask again.
    const before = this.#wrote.get(node);
    if (before?.lease === lease && now - before.at < timing.heartbeat / 2) return;
    this.#wrote.set(node, { lease, at: now });
    const message: AttestRequestMessage = {
      kind: 'attest-request',
      boot,
      life,
      event: cause,
      node,
      lease,
    };
    for (const peer of this.#links.peers) {
      if (peer.node !== node) this.#links.send(peer.node, message);
    }
    this.onRequest(this.#context.node, message);
  }

  onRequest(from: NodeId, message: AttestRequestMessage): void {
    const { node, lease } = message;
    if (node === this.#context.node || !this.#admitted()) return;
    this.#asked.set(node, { lease, by: from, cause: message.event, at: this.#context.now });
    this.#attest(node);
  }

  onAttest(from: NodeId, message: AttestMessage): void {
    let found = this.#collected.get(message.node);
    if (found === undefined || found.lease < message.lease) {
      found = { lease: message.lease, words: new Map() };
      this.#collected.set(message.node, found);
    }
    if (found.lease === message.lease) found.words.set(from, message);
  }

  /** What the voters have said, when it is enough. */
  expired(node: NodeId, needed: number): Expiry | null {
    const state = this.#state();
    const found = this.#collected.get(node);
    if (found === undefined || found.lease !== leaseEpochOf(state, node)) return null;
    const words = [...found.words].filter(([v, word]) => identityOf(state, v) === word.identity);
    if (words.length < needed) return null;
    words.sort((a, b) => a[0] - b[0]);
    return {
      lease: found.lease,
      voters: words.map(([voter, word]) => ({ node: voter, identity: word.identity })),
      reads: words.map(([, word]) => word.event).filter((event) => event !== ''),
    };
  }

  /** When a pending request may be answered; -1 for never. */
  get due(): Micros {
    let due = -1;
    for (const node of this.#asked.keys()) {
      const at = this.#attestableAt(node);
      if (due < 0 || at < due) due = at;
    }
    return due;
  }

  tick(): void {
    for (const [node, asked] of this.#asked) {
      const { now, timing } = this.#context;
      const moved = asked.lease !== leaseEpochOf(this.#state(), node);
      if (moved || now - asked.at > 4 * timing.heartbeat) this.#asked.delete(node);
      else this.#attest(node);
    }
  }

  #attest(node: NodeId): void {
    const asked = this.#asked.get(node);
    const state = this.#state();
    if (asked === undefined || asked.lease !== leaseEpochOf(state, node)) return;
    const { now, reached, startedAt, timing } = this.#context;
    let event = '';
    if (this.#voter.attestedEpoch(node) === asked.lease) {
      event = this.#voter.attested.find((a) => a.node === node)?.event ?? '';
    } else {
      if (now < this.#attestableAt(node)) {
        if (now < startedAt + timing.grant) reached('voter-attest-waits-for-restart');
        return;
      }
      reached('voter-attested');
      event = this.#context.event(
        'lease.attested',
        { peer: node, lease: asked.lease },
        asked.cause,
      );
      this.#voter.attest({ node, lease: asked.lease, event });
      this.#durability.mark();
    }
    this.#asked.delete(node);
    const { boot, life, identity } = this.#context;
    const { lease, by } = asked;
    const word: AttestMessage = { kind: 'attest', boot, life, event, node, lease, identity };
    this.#durability.after(() => {
      if (by === this.#context.node) this.onAttest(by, word);
      else this.#links.send(by, word);
    });
  }

  #attestableAt(node: NodeId): Micros {
    const { timing, flags } = this.#context;
    const at = attestableAt(this.#view(node), timing.grant, flags);
    if (flags['attest-early-after-restart']) return at;
    const awake =
      this.awakeSince + (this.awakeSince > this.#context.startedAt ? timing.suspect : 0);
    return Math.max(at, awake);
  }

  #view(node: NodeId): VoterView {
    return {
      startedAt: this.#context.startedAt,
      promisedUntil: this.#voter.promisedUntil(node),
      attested: this.#voter.attestedEpoch(node),
      settled: leaseEpochOf(this.#state(), node),
    };
  }

  #admitted(): boolean {
    const { identity, node, flags } = this.#context;
    return identityOf(this.#state(), node) === identity || flags['blank-voter-votes'];
  }
}
