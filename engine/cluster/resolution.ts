/**
 * Split brain as the cluster sees it: what both replicas say of their branches, what that comes to,
 * and the entries by which one of them is given up. Only what both sides say of each other counts.
 *
 * An order goes three steps, each an entry: it is given, by policy or by a person, and names what
 * both sides had; whoever serves by the victim is stopped, and both are looked at again; then it is
 * confirmed, and only then anything is overwritten. Until that step it can be taken back, by its
 * name. Where the second look finds anything else than the order names, the order ends.
 */
import { SPLIT_POLICIES } from '../core/config.ts';
import { invariant } from '../core/invariant.ts';
import type { Epoch, Generation, NodeId } from '../core/units.ts';
import type { Branch, Discard, DiskState, Member, VolumeRecord } from '../data/messages.ts';
import { branchFate } from './branch-fate.ts';
import { isUnproved } from './changes.ts';
import type { Context } from './context.ts';
import type { Blocked, CommandRef, GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { ResolveCommand, SplitStatus, TakeBackCommand, TakeOverCommand } from './interface.ts';
import type { VolumeFacts } from './messages.ts';
import { effectiveMembers, isUnsure } from './placement.ts';
import type { Proposals } from './proposals.ts';
import {
  ancestorOf,
  type Choice,
  chooseVictim,
  type Half,
  isFewer,
  type Side,
  sidesOf,
} from './split-brain.ts';
import { agreedOf, begunOf, type ClusterState } from './state.ts';
import type { Views } from './views.ts';

interface Heard extends Half {
  readonly disk: DiskState;
}

type Pair = readonly [Heard, Heard];

/** Whether a group may go to the side that is kept: not yet, or the order means other data. */
export type Ripeness = 'go' | 'wait' | 'void';

/** As many parents as a replica remembers: of what is older nobody knows. */
const LINE_MAX = 32;

export class Resolution {
  readonly #context: Context;
  readonly #views: Views;
  readonly #proposals: Proposals;
  readonly #state: () => ClusterState;

  constructor(context: Context, views: Views, proposals: Proposals, state: () => ClusterState) {
    this.#context = context;
    this.#views = views;
    this.#proposals = proposals;
    this.#state = state;
  }

  /** What the policy wants becomes an entry; so does an order's next step, or its end. */
  plan(unit: Unit, group: GroupState, record: VolumeRecord): boolean {
    const { discard } = record;
    if (discard !== undefined) return this.#follow(unit, group, record, discard);
    if (!isPair(unit)) return false;
    const pair = this.#pair(unit, record);
    if (pair === null || !(settled(group, record) || idle(group, record))) return false;
    // Whoever still serves without the log is fenced by its records first.
    if (!pair.every(isQuiet)) return false;
    const policy = unit.volume.splitBrain ?? 'manual';
    const { flags } = this.#context;
    if (policy === 'manual' || pair[0].branch.verdict === 'unrelated') return false;
    // A person has put that disk in to be filled: whatever is on it is not one of two equals.
    if (isUnproved(agreedOf(this.#state()), record.volume) && !flags['branch-of-new']) return false;
    const { takenBack } = record;
    if (takenBack !== undefined && isOf(takenBack, pair) && !flags['policy-repeats']) return false;
    const [a, b] = this.#sides(record, pair);
    const choice = chooseVictim(policy, a, b, flags);
    if (choice.victim === 0) return false;
    this.#order(record, pair, choice, policy, null, pair[0].branch.event ?? this.#told(record));
    return true;
  }

  /** The event that told of the record which stands. */
  #told({ volume }: VolumeRecord): string {
    return this.#context.toldOf(`volume ${volume}`);
  }

  /** Whether whoever serves by the victim has stopped, and has what the order names. */
  ripe(unit: Unit, record: VolumeRecord, discard: Discard): Ripeness {
    if (discard.confirmed || this.#context.flags['order-unchecked']) return 'go';
    const pair = this.#pair(unit, record);
    if (pair === null) {
      // Nobody can look at it, and whoever decided did not look at how much it is.
      const { reachable } = this.#views.candidate(discard.node);
      const local = this.#facts(discard.node, record.volume);
      // By accepted loss nobody looks at it: where its disk is gone, that it is there helps nobody.
      if (discard.taker !== undefined && local?.attached === true) return 'go';
      return reachable || discard.atMost >= 0 ? 'wait' : 'go';
    }
    if (!this.#means(record, discard, pair)) return 'void';
    return pair.every(({ node, branch }) => node !== discard.node || branch.settled)
      ? 'go'
      : 'wait';
  }

  /** Ends an order that cannot be looked at. */
  abandon(record: VolumeRecord, reason: string): void {
    const { discard } = record;
    if (discard === undefined || this.#proposals.busy('volume', record.volume)) return;
    this.#context.reached('branch-order-void');
    this.#drop(record, discard, reason, null, this.#told(record));
  }

  /** A person's order; null when it became an entry, or 'wait' where it has to for another one. */
  take(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    command: ResolveCommand,
    ref: CommandRef,
    cause: string,
  ): Blocked | 'wait' | null {
    const { keep, keeps, discards, epoch, atMost, adopt } = command;
    if (this.#proposals.busy('volume', record.volume)) return 'wait';
    if (!isPair(unit)) return no('not-a-pair', 'see-status');
    if (record.discard !== undefined) return no('already-ordered', 'see-status');
    // Said twice, or late: something was decided since, which whoever said it has not seen.
    if (epoch !== record.epoch) return no('decided-since', 'look-again');
    const pair = this.#pair(unit, record);
    if (pair === null) return no('no-split-brain', 'see-status');
    if (!idle(group, record) && !settled(group, record)) return 'wait';
    if (!pair.every(isQuiet)) return no('still-serving', 'retry-later');
    const kept = pair.find((side) => side.node === keep);
    const given = pair.find((side) => side.node !== keep);
    if (kept === undefined || given === undefined) return no('no-replica-there', 'see-status');
    if (!kept.usable) return no('no-image-to-keep', 'keep-the-other');
    if (kept.branch.generation !== keeps || given.branch.generation !== discards) {
      return no('other-data', 'look-again');
    }
    if (kept.branch.verdict === 'unrelated' && !adopt) return no('unrelated-data', 'say-adopt');
    if (!isFew(given, atMost)) return no('more-changes', 'look-again');
    const choice = { victim: given.node, reason: 'operator', atMost };
    this.#order(record, pair, choice, 'operator', ref, cause);
    return null;
  }

  /** A person takes an order back: exactly the one that is named, and once. */
  takeBack(
    group: GroupState,
    record: VolumeRecord,
    { order }: TakeBackCommand,
    ref: CommandRef,
    cause: string,
  ): Blocked | 'wait' | null {
    if (this.#proposals.busy('volume', record.volume)) return 'wait';
    const { discard, takenBack } = record;
    if (takenBack?.order === order) return no('already-taken-back', 'none');
    const any = this.#context.flags['take-back-any'];
    if (discard === undefined || (discard.order !== order && !any)) {
      return no('no-such-order', 'see-status');
    }
    if (discard.confirmed) return no('already-confirmed', 'wait-for-resync');
    if (hasServed(effectiveMembers(group, record), discard))
      return no('already-served', 'see-status');
    const local = this.#facts(discard.node, record.volume);
    if (local?.disk === 'Inconsistent') return no('already-overwritten', 'wait-for-resync');
    this.#context.reached('branch-order-taken-back');
    this.#drop(record, discard, 'operator', ref, cause);
    return null;
  }

  /**
   * A person accepts what is lost with those who are in sync, none of whom is heard, and goes on
   * from another image: an order like one about two branches, of which one cannot be looked at.
   */
  takeOver(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    { to, epoch }: TakeOverCommand,
    ref: CommandRef,
    cause: string,
  ): Blocked | 'wait' | null {
    if (this.#proposals.busy('volume', record.volume)) return 'wait';
    if (record.discard !== undefined) return no('already-ordered', 'see-status');
    if (epoch !== record.epoch) return no('decided-since', 'look-again');
    if (!unit.nodes.includes(to)) return no('not-a-node-of-the-group', 'see-configuration');
    const all = effectiveMembers(group, record);
    const members = all.filter(({ node }) => node !== to);
    if (members.length < all.length && !this.#isStuck(unit, group, record, to)) {
      return no('in-sync-already', 'switch-instead');
    }
    const { flags } = this.#context;
    if (this.#anyHeard(members, record) && !flags['taken-from-members']) {
      return no('members-there', 'bring-member-back');
    }
    const { replicas } = unit.volume;
    const late = replicas.find(({ node }) => node === to)?.mode === 'async';
    // Of several that were in sync each may have a branch of its own, and an order names one.
    if (!late && replicas.length > 2) return no('not-asynchronous', 'bring-member-back');
    const local = this.#facts(to, record.volume);
    if (local === undefined || !local.attached) return no('unreachable', 'bring-node-back');
    const { disk, generation } = local;
    if (disk === 'Failed' || disk === 'Diskless') return no('replica-failed', 'replace-disk');
    if (disk === 'Inconsistent' && !flags['half-copy-taken']) {
      return no('replica-inconsistent', 'replica-return');
    }
    if (generation === 0) return no('no-image-to-keep', 'see-status');
    if (isUnsure(unit, local, to, flags)) return no('replica-doubted', 'reboot-host');
    const given = members.find(({ node }) => node === record.primary) ?? members[0];
    if (given === undefined) return no('no-replica-there', 'see-status');
    this.#context.reached('loss-accepted');
    const epochs = Math.max(record.epoch, local.epoch ?? 0) + 1;
    const { voided: _, takenBack: __, ...plain } = record;
    const { volume } = record;
    const named = { node: given.node, generation: record.generation, keeps: generation };
    const order = { ...named, order: epochs, by: 'accept-loss', atMost: -1 } as const;
    const event = this.#context.event(
      'volume.discard',
      { volume, ...order, reason: 'accept-loss' },
      cause,
    );
    const discard = { ...order, confirmed: false, taker: to };
    this.#propose({ ...plain, epoch: epochs, discard }, record.epoch, event, ref);
    return null;
  }

  /** Whether a member may not lead because it lost its power, and another may have more. */
  #isStuck(unit: Unit, group: GroupState, record: VolumeRecord, node: NodeId): boolean {
    const verdict = this.#views.judge(unit, group, record, this.#views.candidate(node));
    return !verdict.ok && verdict.reason === 'rebooted-member';
  }

  /** Whether anybody in sync is there, with a disk. */
  #anyHeard(members: readonly Member[], { volume }: VolumeRecord): boolean {
    return members.some(({ node }) => {
      const disk = this.#facts(node, volume)?.disk ?? 'Diskless';
      return disk !== 'Diskless' && disk !== 'Failed';
    });
  }

  /** What this node knows of it, for people. */
  describe(unit: Unit, record: VolumeRecord): SplitStatus | null {
    const heard = this.#heard(unit, record);
    const [first] = heard;
    if (first === undefined) return null;
    const policy = unit.volume.splitBrain ?? 'manual';
    const { verdict } = first.branch;
    const about = ({ node, disk, branch }: Heard) => {
      const seen = { disk, generation: branch.generation, dirty: branch.dirty };
      // What an order that stands has begun is not told from what was so before it.
      if (record.discard !== undefined) return seen;
      const kept = this.#facts(node, record.volume)?.keptBranch !== undefined;
      return { ...seen, fate: branchFate(unit.volume, node, disk, kept) };
    };
    const pair = mutual(heard);
    if (pair === null) {
      const changed = { atLeast: 0, atMost: null };
      const sides = heard.map((half) => {
        const { node, owner, usable } = half;
        return { node, owner, usable, began: null, changed, ...about(half) };
      });
      return { verdict, policy, sides, ancestor: 0, choices: [] };
    }
    const [a, b] = this.#sides(record, pair);
    const ancestor = ancestorOf(pair[0].branch, pair[1].branch);
    const choices =
      verdict === 'unrelated'
        ? []
        : SPLIT_POLICIES.map((each) => ({ policy: each, ...chooseVictim(each, a, b) }));
    const sides = [
      { ...a, ...about(pair[0]) },
      { ...b, ...about(pair[1]) },
    ];
    return { verdict, policy, sides, ancestor, choices };
  }

  /** The next step of an order that stands. */
  #follow(unit: Unit, group: GroupState, record: VolumeRecord, discard: Discard): boolean {
    // What was to be kept is gone. While the log has not gone over to it, the other side still has
    // everything, so that nothing is lost by ending the order.
    const kept = this.#keptNode(unit, discard);
    const members = effectiveMembers(group, record);
    const { flags } = this.#context;
    const taken = discard.taker !== undefined;
    // By accepted loss whoever is to go on may be a member, which lost its power.
    const served = taken
      ? discard.confirmed || hasServed(members, discard)
      : members.some(({ node }) => node === kept);
    const others = members.filter(({ node }) => node !== discard.taker);
    const back = taken && !served && this.#anyHeard(others, record);
    if (back && !flags['taken-from-members']) {
      // Nothing need be lost: whoever is in sync has come back before anybody served without it.
      this.abandon(record, 'members-back');
      return true;
    }
    if (!served && this.#facts(kept, record.volume)?.keeps === false && !flags['kept-unjudged']) {
      this.abandon(record, 'kept-data-gone');
      return true;
    }
    const pair = this.#pair(unit, record);
    if (pair === null) return false;
    if (!taken && !idle(group, record) && !settled(group, record)) return false;
    if (!this.#means(record, discard, pair)) {
      this.abandon(record, 'void');
      return true;
    }
    const leads = taken
      ? record.primary !== discard.node && record.primary !== 0 && group.base.length === 0
      : record.primary === kept && settled(group, record);
    if (discard.confirmed || !leads || this.ripe(unit, record, discard) !== 'go') return false;
    this.#confirm(record, discard, pair);
    return true;
  }

  /** Whether the order means what the two have now, and would be given again for that reason. */
  #means(record: VolumeRecord, discard: Discard, pair: Pair): boolean {
    const [given, kept] = pair[0].node === discard.node ? pair : [pair[1], pair[0]];
    if (given.node !== discard.node) return false;
    // By accepted loss whatever it has is given up: nobody could look at it.
    const named = given.branch.generation === discard.generation || discard.taker !== undefined;
    if (!named) return false;
    if (!has(kept.branch, discard.keeps)) return false;
    if (given.disk === 'Inconsistent' || discard.confirmed) return true;
    if (this.#context.flags['order-unchecked']) return true;
    if (!kept.usable || !isFew(given, discard.atMost)) return false;
    if (discard.by !== 'discard-fewer-changes') return true;
    const [a, b] = this.#sides(record, pair);
    const [loser, other] = a.node === discard.node ? [a, b] : [b, a];
    return isFewer(loser, other);
  }

  #pair(unit: Unit, record: VolumeRecord): Pair | null {
    return mutual(this.#heard(unit, record));
  }

  #heard(unit: Unit, record: VolumeRecord): readonly Heard[] {
    const heard: Heard[] = [];
    // Whose branch is given up among more than two, a person decides by a new disk; but by accepted
    // loss all are given up that have not what goes on.
    const { discard, primary } = record;
    const byLoss = discard?.taker !== undefined;
    if (unit.volume.replicas.length > 2 && !byLoss) return heard;
    for (const { node } of unit.volume.replicas) {
      if (byLoss && node !== discard.node && node !== primary) continue;
      const local = this.#facts(node, record.volume);
      if (local?.branch === undefined || !local.attached) continue;
      const { disk, branch } = local;
      const usable = disk !== 'Inconsistent' && disk !== 'Failed' && disk !== 'Diskless';
      heard.push({ node, owner: node === record.primary, usable, disk, branch });
    }
    return heard;
  }

  /** What the node says of its replica in its present life; undefined where it is not heard. */
  #facts(node: NodeId, volume: string): VolumeFacts | undefined {
    if (node === 0) return undefined;
    const candidate = this.#views.candidate(node);
    const { facts, life, reachable } = candidate;
    if (!reachable || facts === null || facts.life !== life) return undefined;
    // What it says is of a disk that does not count.
    if (this.#views.hasOtherDisk(volume, candidate)) return undefined;
    return facts.volumes.find((v) => v.volume === volume);
  }

  /** The other replica than the one that is given up. */
  #keptNode(unit: Unit, discard: Discard): NodeId {
    if (discard.taker !== undefined) return discard.taker;
    return unit.volume.replicas.find(({ node }) => node !== discard.node)?.node ?? 0;
  }

  #sides(record: VolumeRecord, [a, b]: Pair): readonly [Side, Side] {
    const state = this.#state();
    return sidesOf(a, b, (generation) => begunOf(state, record.volume, generation));
  }

  #order(
    record: VolumeRecord,
    pair: Pair,
    { victim, reason, atMost }: Pick<Choice, 'victim' | 'atMost'> & { readonly reason: string },
    by: Discard['by'],
    command: CommandRef | null,
    cause: string,
  ): void {
    const [given, kept] = pair[0].node === victim ? pair : [pair[1], pair[0]];
    invariant(given.node === victim, 'a branch that is given up is one of the two');
    this.#context.reached('branch-discarded');
    const { generation } = given.branch;
    const keeps = kept.branch.generation;
    // A disk from elsewhere may have seen epochs that this log has not: it follows no older one.
    const epoch = Math.max(record.epoch, given.branch.epoch, kept.branch.epoch) + 1;
    const named = { node: victim, generation, keeps, order: epoch, by, atMost };
    const { voided: _, takenBack: __, ...plain } = record;
    const { volume } = record;
    const d = { volume, node: victim, generation, keeps, reason, by, order: epoch, atMost };
    const event = this.#context.event('volume.discard', d, cause);
    const discard = { ...named, confirmed: false };
    this.#propose({ ...plain, epoch, discard }, record.epoch, event, command);
  }

  #confirm(record: VolumeRecord, discard: Discard, pair: Pair): void {
    this.#context.reached('branch-order-confirmed');
    const { node, order } = discard;
    const dirty = pair.find((side) => side.node === node)?.branch.dirty ?? 0;
    const d = { volume: record.volume, node, order, dirty };
    const event = this.#context.event('volume.discard.confirmed', d, this.#told(record));
    const { generation } = pair.find((side) => side.node === node)?.branch ?? discard;
    const confirmed = { ...discard, generation, confirmed: true };
    const next = { ...record, epoch: record.epoch + 1, discard: confirmed };
    this.#propose(next, record.epoch, event, null);
  }

  #drop(
    record: VolumeRecord,
    dropped: Discard,
    reason: string,
    command: CommandRef | null,
    cause: string,
  ): void {
    const { discard: _, ...plain } = record;
    const { node, generation, order } = dropped;
    const d = { volume: record.volume, node, generation, reason, order };
    const event = this.#context.event('volume.discard.off', d, cause);
    const next = { ...plain, epoch: record.epoch + 1 };
    const told = command === null ? next : { ...next, takenBack: dropped };
    this.#propose(told, record.epoch, event, command);
  }

  #propose(record: VolumeRecord, from: Epoch, event: string, command: CommandRef | null): void {
    const entry = { kind: 'volume', event, from, record, reason: 'split-brain' } as const;
    this.#proposals.propose(command === null ? entry : { ...entry, command });
  }
}

/** Whether by accepted loss somebody has gone on without whoever was in sync. */
function hasServed(members: readonly Member[], { node, taker }: Discard): boolean {
  return taker !== undefined && !members.some((member) => member.node === node);
}

/** Whether nothing else is being settled: the primary alone is in sync, and has what it leads. */
function settled(group: GroupState, record: VolumeRecord): boolean {
  if (record.primary === 0 || group.base.length > 0) return false;
  return record.members.every((m) => m.node === record.primary);
}

/** Of three copies two branches are not yet to be told: nobody orders anything of those. */
function isPair({ volume }: Unit): boolean {
  return volume.replicas.length === 2;
}

/** A group that is stopped has no primary, and nothing to settle. */
function idle(group: GroupState, record: VolumeRecord): boolean {
  return record.primary === 0 && group.owner === 0;
}

/** Whether nobody serves by it but whom the log has do so. */
function isQuiet({ owner, branch }: Heard): boolean {
  return owner || branch.settled;
}

/** Both sides, where each speaks of the other as it is. */
function mutual(heard: readonly Heard[]): Pair | null {
  const [a, b] = heard;
  if (a === undefined || b === undefined) return null;
  const met = a.branch.peer === b.branch.generation && b.branch.peer === a.branch.generation;
  return met ? [a, b] : null;
}

/** Whether no more blocks of it are dirty than somebody has seen; -1 for however many. */
function isFew({ branch }: Heard, atMost: number): boolean {
  return atMost < 0 || branch.dirty <= atMost;
}

/** Whether both have what the order named, or went on from it, whichever of them was to go. */
function isOf({ node, generation, keeps }: Discard, pair: Pair): boolean {
  return pair.every((side) => {
    const { branch } = side;
    const was = side.node === node ? generation : keeps;
    return has(branch, was) || branch.parents.length >= LINE_MAX;
  });
}

function has({ generation, parents }: Branch, wanted: Generation): boolean {
  return generation === wanted || parents.includes(wanted);
}

function no(reason: string, remedy: string): Blocked {
  return { reason, remedy };
}
