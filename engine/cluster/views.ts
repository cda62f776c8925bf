/** The nodes as this leader knows them, and where a group could go. */
import { invariant } from '../core/invariant.ts';
import type { NodeId } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import { nodeOf, withoutOpen } from './changes.ts';
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
import { agreedOf, bootOf, type ClusterState } from './state.ts';

const OTHER_DISK: Verdict = {
  ok: false,
  reason: 'not-attached',
  remedy: 'wait-or-check-disk',
};

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
    if (this.hasOtherDisk(unit.volume.name, candidate)) return OTHER_DISK;
    const members = effectiveMembers(group, record);
    return judge(unit, members, candidate, this.#others, this.#context.flags, record.discard);
  }

  /** Where the group could go. */
  where(unit: Unit, group: GroupState, record: VolumeRecord): Placement {
    const candidates = unit.nodes.map((node) => {
      const candidate = this.candidate(node);
      if (candidate.facts === null || !this.hasOtherDisk(unit.volume.name, candidate))
        return candidate;
      // What it says is of another disk, as if it had not opened that which counts.
      const volumes = candidate.facts.volumes.map((each) => ({ ...each, attached: false }));
      return { ...candidate, facts: { ...candidate.facts, volumes } };
    });
    return place(unit, group, record, candidates, this.#others, this.#context.flags);
  }

  /**
   * Whether the node goes by a configuration in which its replica was on another disk, or was none:
   * a node that has lost what it took into use opens what its file names, of whatever time that is.
   */
  hasOtherDisk(volume: string, { node, facts }: Candidate): boolean {
    const { changes } = withoutOpen(agreedOf(this.#state()));
    const inUse = facts?.config ?? 0;
    if (this.#context.flags['other-disk-leads']) return false;
    return changes.some(({ version, change }) => {
      const own = change.volume === volume && nodeOf(change) === node;
      return own && change.kind !== 'remove-replica' && inUse < version;
    });
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
