/**
 * The leader's standing duties beside the groups: in-sync sets as the primaries wish them, boots,
 * blank voters, and leases about which somebody attested.
 */
import type { NodeId } from '../core/units.ts';
import type { Discard, Member, VolumeRecord } from '../data/messages.ts';
import { changesLayout, nodeOf, usableOf } from './changes.ts';
import type { Context } from './context.ts';
import type { GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { Links } from './heartbeat.ts';
import type { FactsMessage, VolumeFacts, Want } from './messages.ts';
import type { Proposals } from './proposals.ts';
import {
  admits,
  agreedOf,
  bootOf,
  type ClusterState,
  identityOf,
  leaseEpochOf,
  stateBugs,
} from './state.ts';
import type { Views } from './views.ts';

export class Upkeep {
  readonly #context: Context;
  readonly #links: Links;
  readonly #views: Views;
  readonly #proposals: Proposals;
  readonly #state: () => ClusterState;

  constructor(
    context: Context,
    links: Links,
    views: Views,
    proposals: Proposals,
    state: () => ClusterState,
  ) {
    this.#context = context;
    this.#links = links;
    this.#views = views;
    this.#proposals = proposals;
    this.#state = state;
  }

  /** The primary's wish for another in-sync set becomes an entry. */
  wants(unit: Unit, group: GroupState, record: VolumeRecord): boolean {
    if (record.primary === 0 || group.base.length > 0) return false;
    const { facts, reachable, life } = this.#views.candidate(record.primary);
    if (!reachable || facts === null || facts.life !== life) return false;
    if (life !== group.ownerLife) return false;
    const local = facts.volumes.find((v) => v.volume === unit.volume.name);
    if (local === undefined) return false;
    const { want } = local;
    if (want === null || want.epoch !== record.epoch) return false;
    // What a primary wished before its disk failed would leave out the copy that is sound.
    const proxies = want.reason === 'disk-failed';
    if (proxies ? local.proxies !== true : local.disk === 'Failed') return false;
    const members = this.#wanted(unit, record, want);
    if (members === null) return false;
    const { flags } = this.#context;
    const inUse = this.#inUse(record, members);
    // What the log would refuse fills it all the same.
    const wished = { ...record, members };
    if (!admits(this.#state(), record, wished, inUse, stateBugs(flags))) return false;
    const shrinks = record.members.some((m) => !members.some((n) => n.node === m.node));
    const renewed = shrinks && !flags['generation-kept'];
    const generation = renewed ? this.#context.draw() : record.generation;
    // The primary serves: what was void before it is among its parents.
    const { voided: _, discard, takenBack, ...said } = record;
    const plain: VolumeRecord = { ...said, epoch: record.epoch + 1, members, generation };
    const next = standing(plain, discard, takenBack);
    const event = this.#context.event(
      'volume.propose',
      {
        volume: record.volume,
        epoch: next.epoch,
        primary: record.primary,
        members: members.map((m) => m.node).join(','),
        reason: want.reason,
      },
      want.cause,
    );
    const { reason, changed } = want;
    const entry = { kind: 'volume', event, from: record.epoch, record: next, reason } as const;
    const known = inUse === 0 ? entry : { ...entry, inUse };
    this.#proposals.propose(changed === undefined ? known : { ...known, changed });
    return true;
  }

  #wanted(unit: Unit, record: VolumeRecord, want: Want): readonly Member[] | null {
    const members: Member[] = [];
    for (const wished of want.members) {
      const before = record.members.find((m) => m.node === wished.node);
      if (before !== undefined) {
        members.push(before);
        continue;
      }
      if (!this.#holds(unit, wished.node)) return null;
      // Admitted in the life that was copied to: after a reboot the copy may lack what was cached.
      const seen = this.#views.candidate(wished.node);
      if (wished.boot === 0 || seen.boot !== wished.boot) return null;
      const copy = seen.facts?.volumes.find((v) => v.volume === unit.volume.name);
      if (copy?.disk === 'Failed') return null;
      // What the node is known to have in use is of the disk that it has open by the same word.
      if (!this.#isTold(wished, copy)) return null;
      members.push(wished);
    }
    // The primary, and nobody else, may leave itself out: and then it admits nobody.
    const named = members.some((m) => m.node === record.primary);
    const out = want.reason === 'disk-failed';
    if (named === out || members.length === 0) return null;
    if (out && members.some((m) => !record.members.includes(m))) return null;
    return members.sort((a, b) => a.node - b.node);
  }

  /** Once something was changed online, it must be said which disk was copied to, and is open. */
  #isTold({ disk = 0 }: Member, copy: VolumeFacts | undefined): boolean {
    const { flags } = this.#context;
    if (this.#state().agreed === undefined || flags['other-disk-counts']) return true;
    return disk !== 0 && copy?.device === disk;
  }

  /** Whether it holds a replica, by this node's configuration or by what is agreed on since. */
  #holds({ volume }: Unit, node: NodeId): boolean {
    const { changes } = usableOf(agreedOf(this.#state()));
    const last = changes.findLast(({ change }) => {
      return change.volume === volume.name && nodeOf(change) === node && changesLayout(change);
    });
    if (last !== undefined) return last.change.kind === 'add-replica';
    return volume.replicas.some((replica) => replica.node === node);
  }

  /** What of the configuration whoever is admitted has in use, by its own word. */
  #inUse(record: VolumeRecord, members: readonly Member[]): number {
    if (this.#state().agreed === undefined) return 0;
    const added = members.filter(({ node }) => !record.members.some((m) => m.node === node));
    const known = added.map(({ node }) => this.#views.candidate(node).facts?.config ?? 0);
    return known.reduce((least, each) => Math.min(least, each), known[0] ?? 0);
  }

  knowBoots(): void {
    for (const { id } of this.#context.config.nodes) {
      const { boot, reachable } = this.#views.candidate(id);
      const was = bootOf(this.#state(), id);
      if (!reachable || boot === 0 || boot === was || this.#proposals.busy('boot', id)) continue;
      if (this.#state().boots.some((b) => b.node === id && b.past.includes(boot))) continue;
      const cause = this.#links.peer(id)?.lifeEvent ?? this.#context.started;
      const event = this.#context.event('boot.known', { peer: id, boot }, cause);
      this.#proposals.propose({ kind: 'boot', event, node: id, was, boot });
    }
  }

  readmit(): void {
    for (const peer of this.#links.peers) {
      const identity = peer.identity !== 0 ? peer.identity : (peer.facts?.identity ?? 0);
      const was = identityOf(this.#state(), peer.node);
      if (identity === 0 || identity === was || this.#proposals.busy('voter', peer.node)) continue;
      const voter = this.#state().voters.find((v) => v.node === peer.node);
      if (voter === undefined || voter.past.includes(identity)) continue;
      if (!this.#links.reachable(peer.node)) continue;
      const d = { voter: peer.node };
      const event = this.#context.event('voter.readmitted', d, peer.lifeEvent);
      this.#context.reached('voter-readmitted');
      this.#proposals.propose({ kind: 'readmit', event, node: peer.node, was, identity });
    }
  }

  /** A node is heard again about which somebody attested: let it renew. */
  settle(): void {
    for (const { id } of this.#context.config.nodes) {
      const lease = leaseEpochOf(this.#state(), id);
      const attested = lease === 0 ? null : this.#attested(id, lease);
      if (attested === null) continue;
      if (this.#proposals.busy('lease', id) || !this.#links.reachable(id)) continue;
      // An owner change that rests on these attestations may be on its way.
      const moving = this.#state().groups.some(
        (g) => g.owner === id && this.#proposals.busy('group', g.group),
      );
      if (moving) continue;
      this.#context.reached('lease-settled');
      const heard = this.#links.peer(id)?.upEvent ?? '';
      const reads = heard === '' ? [] : [heard];
      const event = this.#context.event('lease.settled', { peer: id, lease }, attested, reads);
      this.#proposals.propose({ kind: 'settle', event, node: id, lease });
    }
  }

  /** The event in which somebody says to have attested the lease's end; null for nobody. */
  #attested(node: NodeId, lease: number): string | null {
    const own = attestationOf(this.#views.ownFacts, node, lease);
    if (own !== null) return own;
    for (const { facts } of this.#links.peers) {
      const said = facts === null ? null : attestationOf(facts, node, lease);
      if (said !== null) return said;
    }
    return null;
  }
}

/** What is known of orders stands until there is one branch: a member has given its own up. */
function standing(
  record: VolumeRecord,
  discard: Discard | undefined,
  takenBack: Discard | undefined,
): VolumeRecord {
  const { members, primary } = record;
  if (discard !== undefined) {
    const done = primary !== discard.node && members.some((m) => m.node === discard.node);
    return done ? record : { ...record, discard };
  }
  return takenBack === undefined || members.length > 1 ? record : { ...record, takenBack };
}

function attestationOf(facts: FactsMessage, node: NodeId, lease: number): string | null {
  for (const word of facts.attested) {
    if (word.node === node && word.lease === lease) return word.event;
  }
  return null;
}
