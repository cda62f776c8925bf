/** The nodes as this leader knows them, and where a group could go. */
import { invariant } from '../core/invariant.ts';
import type { NodeId } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { Links } from './heartbeat.ts';
import type { FactsMessage, VolumeFacts } from './messages.ts';
import {
  type Candidate,
  effectiveMembers,
  judge,
  type Others,
  type Placement,
  place,
  type Verdict,
} from './placement.ts';
import { bootOf, type ClusterState } from './state.ts';

export class Views {
  readonly #context: Context;
  readonly #links: Links;
  readonly #state: () => ClusterState;
  readonly #ownFacts: () => FactsMessage;

  constructor(
    context: Context,
    links: Links,
    state: () => ClusterState,
    ownFacts: () => FactsMessage,
  ) {
    this.#context = context;
    this.#links = links;
    this.#state = state;
    this.#ownFacts = ownFacts;
  }

  get ownFacts(): FactsMessage {
    return this.#ownFacts();
  }

  /** A node's present life; facts of an earlier one do not count. */
  candidate(node: NodeId): Candidate {
    if (node === this.#context.node) {
      const { boot, life } = this.#context;
      return { node, reachable: true, boot, life, facts: this.#ownFacts() };
    }
    const peer = this.#links.peer(node);
    invariant(peer !== null, 'candidates are configured nodes');
    const { boot, life, facts } = peer;
    return { node, reachable: this.#links.reachable(node), boot, life, facts };
  }

  /** Whether the node may take the group's volume. */
  judge(unit: Unit, group: GroupState, record: VolumeRecord, candidate: Candidate): Verdict {
    const members = effectiveMembers(group, record);
    return judge(unit, members, candidate, this.#others, this.#context.flags, record.discard);
  }

  /** Where the group could go. */
  where(unit: Unit, group: GroupState, record: VolumeRecord): Placement {
    const candidates = unit.nodes.map((node) => this.candidate(node));
    return place(unit, group, record, candidates, this.#others, this.#context.flags);
  }

  readonly #others: Others = {
    boot: (node) => bootOf(this.#state(), node),
    doubted: (node, volume) => this.#says(node, volume, (v) => v.doubted && v.lacking !== true),
    lacking: (node, volume) => this.#says(node, volume, (v) => v.lacking === true),
  };

  /** Whether a node that is heard says so of its replica. */
  #says(node: NodeId, volume: string, what: (facts: VolumeFacts) => boolean): boolean {
    const { facts, life, reachable } = this.candidate(node);
    if (!reachable || facts === null || facts.life !== life) return false;
    return facts.volumes.some((v) => v.volume === volume && what(v));
  }
}
