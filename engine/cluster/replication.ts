/**
 * A leader's bookkeeping of what each voter's disk has, and the sending of what it lacks. Another
 * identity is another disk: it starts from nothing, and counts only when the log has admitted it.
 */
import type { Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { Links } from './heartbeat.ts';
import type { RaftLog } from './raft-log.ts';
import { type ClusterState, majorityOf } from './state.ts';

/** Most entries in one message, so that it fits a datagram. */
const APPEND_MAX = 32;

export class Replication {
  readonly #context: Context;
  readonly #links: Links;
  readonly #machine: { readonly state: ClusterState };
  #match = new Map<NodeId, { identity: number; matched: number }>();
  #next = new Map<NodeId, number>();
  /** The event in which this node began to lead. */
  #event = '';
  /** The heartbeat that last made us send: it comes once per link. */
  #asked = new Map<NodeId, Micros>();

  constructor(context: Context, links: Links, machine: { readonly state: ClusterState }) {
    this.#context = context;
    this.#links = links;
    this.#machine = machine;
  }

  /** A new term of leadership: nothing is known of anybody. */
  begin(last: number, event: string): void {
    this.#event = event;
    this.#match.clear();
    this.#asked.clear();
    for (const peer of this.#links.peers) this.#next.set(peer.node, last + 1);
  }

  matched(node: NodeId): number {
    return this.#match.get(node)?.matched ?? 0;
  }

  /** False when the heartbeat sent at `sent` was answered on another link. */
  fresh(node: NodeId, sent: Micros): boolean {
    if (this.#asked.get(node) === sent) return false;
    this.#asked.set(node, sent);
    return true;
  }

  /** A voter's durable agreement; true when it is news. */
  note(from: NodeId, matched: number, identity: number): boolean {
    const known = this.#match.get(from);
    if (known?.identity === identity && matched <= known.matched) return false;
    this.#match.set(from, { identity, matched });
    this.#next.set(from, matched + 1);
    return true;
  }

  /**
   * A refusal of what followed `previous`; false when it was answered before, or when it comes so
   * late that the voter has agreed to that meanwhile: whoever goes back behind what a disk is known
   * to have sends it again and again, for each answer to that is no news.
   */
  refused(from: NodeId, previous: number, hint: number, identity: number): boolean {
    if (previous + 1 !== this.#next.get(from)) return false;
    const known = this.#match.get(from);
    const had = known?.identity === identity && previous <= known.matched;
    if (had && !this.#context.flags['late-refusal']) return false;
    this.#next.set(from, Math.max(1, hint + 1));
    return true;
  }

  /** Up to where a majority of the admitted voters agrees, `own` being this node's part. */
  agreed(own: number): number {
    const { node, flags } = this.#context;
    const { voters } = this.#machine.state;
    const matches = voters.map((voter) => {
      if (voter.node === node) return own;
      const match = this.#match.get(voter.node);
      const counts = match?.identity === voter.identity || flags['blank-voter-votes'];
      return match !== undefined && counts ? match.matched : 0;
    });
    matches.sort((a, b) => b - a);
    return matches[majorityOf(voters.length) - 1] ?? 0;
  }

  /** Sends what the peer lacks: entries, or the snapshot when those are gone. */
  send(to: NodeId, log: RaftLog, term: number, commit: number, state: ClusterState): void {
    const { boot, life } = this.#context;
    const next = this.#next.get(to) ?? log.last + 1;
    const event = this.#event;
    if (next <= log.snapIndex) {
      const index = log.snapIndex;
      const indexTerm = log.snapTerm;
      const kind = state.agreed === undefined ? 'snapshot' : 'agreed-snapshot';
      this.#links.send(to, { kind, boot, life, event, term, index, indexTerm, state });
      return;
    }
    this.#links.send(to, {
      kind: 'append',
      boot,
      life,
      event,
      term,
      previous: next - 1,
      previousTerm: log.termAt(next - 1),
      entries: log.from(next, APPEND_MAX),
      commit,
    });
  }
}
