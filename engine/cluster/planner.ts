/**
 * The leader's plan for the groups: it turns what the nodes say (facts), silence (detector) and
 * wishes of people into entries. Level-triggered: every pass looks at everything anew, so nothing
 * is stuck because one message was lost. It proposes an owner change only with a proof of stop.
 */
import type { Micros, NodeId } from '../core/units.ts';
import type { Member, VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { Detector } from './detector.ts';
import type { Blocked, CommandRef, Entry, GroupState, Proof } from './entries.ts';
import type { Unit } from './groups.ts';
import type { Links } from './heartbeat.ts';
import type { GroupFacts } from './messages.ts';
import { type Candidate, effectiveMembers } from './placement.ts';
import type { Proposals } from './proposals.ts';
import type { Raft } from './raft.ts';
import type { Resolution } from './resolution.ts';
import { agreedOf, type ClusterState, groupOf, majorityOf, recordOf } from './state.ts';
import { amendEntry, grantEntry, releaseEntry } from './transfer.ts';
import type { Upkeep } from './upkeep.ts';
import type { Views } from './views.ts';

export class Planner {
  readonly #context: Context;
  readonly #links: Links;
  readonly #raft: Raft;
  readonly #detector: Detector;
  readonly #views: Views;
  readonly #proposals: Proposals;
  readonly #upkeep: Upkeep;
  readonly #resolution: Resolution;
  readonly #state: () => ClusterState;
  /** Since when a group finds no way on. */
  #stranded = new Map<string, Micros>();

  constructor(
    context: Context,
    parts: {
      readonly links: Links;
      readonly raft: Raft;
      readonly detector: Detector;
      readonly views: Views;
      readonly proposals: Proposals;
      readonly upkeep: Upkeep;
      readonly resolution: Resolution;
    },
    state: () => ClusterState,
  ) {
    this.#context = context;
    this.#links = parts.links;
    this.#raft = parts.raft;
    this.#detector = parts.detector;
    this.#views = parts.views;
    this.#proposals = parts.proposals;
    this.#upkeep = parts.upkeep;
    this.#resolution = parts.resolution;
    this.#state = state;
  }

  reset(): void {
    this.#stranded.clear();
  }

  busy(group: string): boolean {
    return this.#proposals.busy('group', group);
  }

  /** One pass over everything. */
  plan(): void {
    if (!this.#raft.governs) return;
    this.#upkeep.knowBoots();
    this.#upkeep.readmit();
    for (const unit of this.#context.unitsBy(agreedOf(this.#state()))) {
      const { name } = unit.group;
      if (this.busy(name) || this.#proposals.busy('volume', unit.volume.name)) continue;
      const group = groupOf(this.#state(), name);
      const record = recordOf(this.#state(), unit.volume.name);
      if (group === null || record === null) continue;
      if (this.#upkeep.wants(unit, group, record)) continue;
      if (this.#resolution.plan(unit, group, record)) continue;
      this.#unit(unit, group, record);
    }
    this.#upkeep.settle();
  }

  /** Proposes that the owner stops, to go to `target` or nowhere. */
  stop(
    group: GroupState,
    change: Partial<GroupState>,
    reason: string,
    command: CommandRef | null,
    cause: string,
  ): void {
    const target = change.target ?? 0;
    const d = { group: group.group, owner: group.owner, target, reason };
    const event = this.#context.event('group.stop', d, cause);
    this.amend(group, { ...change, phase: 'stopping' }, event, command);
  }

  /** Proposes a change of a group that moves neither owner nor epoch. */
  amend(
    group: GroupState,
    change: Partial<GroupState>,
    event: string,
    command: CommandRef | null,
  ): void {
    this.#proposals.propose(amendEntry(group, change, event, command));
  }

  /** RULE-01 planted: takes what it no longer hears the owner of, without the log. */
  alone(): Entry | null {
    const { node, boot, life, units } = this.#context;
    for (const unit of units) {
      const group = groupOf(this.#state(), unit.group.name);
      const record = recordOf(this.#state(), unit.volume.name);
      if (group === null || record === null || !unit.nodes.includes(node)) continue;
      if (group.owner === 0 || group.owner === node) continue;
      if (this.#links.peer(group.owner)?.up !== false) continue;
      const d = { group: group.group, epoch: group.epoch + 1 };
      const silent = this.#links.peer(group.owner)?.suspectEvent ?? '';
      const event = this.#context.event('canary.alone', d, silent);
      const proof: Proof = { kind: 'assumed', node: group.owner };
      const self: Candidate = { node, boot, life, reachable: true, facts: null };
      return this.#grant(group, record, self, false, proof, event);
    }
    return null;
  }

  #unit(unit: Unit, group: GroupState, record: VolumeRecord): void {
    if (group.owner === 0) {
      if (group.phase !== 'offline') return;
      const cause = this.#context.toldOf(`group ${group.group}`);
      this.#move(unit, group, record, { kind: 'none' }, [], cause);
      return;
    }
    const owner = this.#views.candidate(group.owner);
    const facts = owner.facts?.groups.find((g) => g.group === group.group);
    if (owner.reachable) {
      if (facts === undefined || owner.facts === null || owner.facts.life !== owner.life) return;
      if (owner.boot !== group.ownerBoot) this.#rebooted(unit, group, record, owner, facts);
      else if (owner.life !== group.ownerLife) this.#reborn(unit, group, record, owner, facts);
      else this.#guide(unit, group, record, owner, facts);
      return;
    }
    const suspect = this.#links.peer(group.owner)?.suspectEvent ?? '';
    if (suspect === '') return;
    if (this.#context.flags['start-before-stop']) {
      this.#move(unit, group, record, { kind: 'assumed', node: group.owner }, [], suspect);
      return;
    }
    const { flags } = this.#context;
    const needed = flags['single-attestation'] ? 1 : majorityOf(this.#state().voters.length);
    const expiry = this.#detector.expired(group.owner, needed);
    if (expiry === null) {
      this.#detector.ask(group.owner, suspect);
      return;
    }
    const { lease, voters, reads } = expiry;
    const proof: Proof = { kind: 'lease-expired', node: group.owner, lease, voters };
    if (this.#move(unit, group, record, proof, reads, suspect)) {
      this.#context.reached('proof-lease-expired');
    }
  }

  /** The owner's host has another life; what it ran died with the one before. */
  #rebooted(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    owner: Candidate,
    facts: GroupFacts,
  ): void {
    if (!facts.clean) return;
    const proof: Proof = { kind: 'rebooted', node: owner.node, boot: owner.boot };
    if (this.#move(unit, group, record, proof, [facts.event], facts.event)) {
      this.#context.reached('proof-rebooted');
    }
  }

  /** The owner's core restarted while its host lived: it goes on, in a new epoch. */
  #reborn(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    owner: Candidate,
    facts: GroupFacts,
  ): void {
    const life = this.#lifeOf(owner.node);
    if (group.phase !== 'stopping' && this.#readopt(unit, group, record, owner, life)) return;
    const verdict = this.#views.judge(unit, group, record, owner);
    if (!verdict.ok && verdict.reason === 'not-attached') {
      // Its data actor is a moment behind its core, most times. Why nobody else can take it is said
      // by whoever looks for one: two reasons in turns would fill the log.
      if (!this.#isOver(group)) return;
      if (!facts.clean) this.#strand(group, verdict, life);
    }
    // Its core says that nothing runs, and it may run nothing in this life: as good as a stop.
    if (!facts.clean) return;
    const proof: Proof = { kind: 'idle', node: owner.node, life: owner.life };
    if (group.phase === 'stopping' && group.wanted === 'stop') {
      this.#release(group, record, proof, facts.event);
      return;
    }
    if (this.#move(unit, group, record, proof, [facts.event], facts.event)) {
      this.#context.reached('proof-idle');
    }
  }

  /** The event that told of the present life of a node. */
  #lifeOf(node: NodeId): string {
    return this.#links.peer(node)?.lifeEvent ?? this.#context.started;
  }

  #readopt(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    owner: Candidate,
    cause: string,
  ): boolean {
    const verdict = this.#views.judge(unit, group, record, owner);
    if (!verdict.ok || group.failed.includes(owner.node)) return false;
    this.#context.reached('group-readopt');
    const d = { group: group.group, owner: owner.node, epoch: group.epoch + 1 };
    const event = this.#context.event('group.readopt', d, cause);
    const proof: Proof = { kind: 'self', node: owner.node };
    this.#proposals.propose(this.#grant(group, record, owner, false, proof, event));
    return true;
  }

  /** The owner lives and knows that it owns: follow it from phase to phase. */
  #guide(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    owner: Candidate,
    facts: GroupFacts,
  ): void {
    if (group.phase !== 'stopping') this.#stranded.delete(group.group);
    if (group.phase === 'stopping') {
      if (facts.stopped === group.epoch) this.#handOver(unit, group, record, facts);
      else if (facts.stopFailed) {
        this.#block(group, { reason: 'stop-failed', remedy: 'stop-by-hand' }, facts.event);
      }
      return;
    }
    if (record.discard?.node === group.owner) {
      // Its branch is to be given up: nothing may run over it when it is overwritten.
      const other = this.#views.where(unit, { ...group, target: 0, last: 0 }, record);
      if (other.ok) {
        const change = { target: other.taker.node };
        this.stop(group, change, 'split-brain', null, facts.event);
        return;
      }
    }
    const [base] = group.base;
    if (record.discard === undefined && base !== undefined && !isIn(group.base, group.owner)) {
      // By an order that is no more it was to lead, and has served nobody: nothing changed hands.
      this.stop(group, { target: base.node }, 'split-brain', null, facts.event);
      return;
    }
    const readopts = facts.readopt === group.epoch;
    if (readopts && this.#readopt(unit, group, record, owner, facts.event)) return;
    if (facts.failed === group.epoch) {
      const failed = [...group.failed.filter((n) => n !== owner.node), owner.node];
      const other = this.#views.where(unit, { ...group, failed, target: 0 }, record);
      if (other.ok) {
        if (group.phase === 'starting') this.#context.reached('group-rollback');
        const change = { failed, target: other.taker.node };
        this.stop(group, change, 'application-failed', null, facts.event);
        return;
      }
      const why = { reason: 'application-failed', remedy: 'start-group' };
      this.#block({ ...group, failed }, why, facts.event);
      return;
    }
    const broken = this.#views.judge(unit, group, record, owner);
    const proxies = isProxying(owner, record) && facts.readopt !== group.epoch;
    if (
      !broken.ok &&
      !proxies &&
      (broken.reason === 'replica-failed' || facts.readopt === group.epoch)
    ) {
      const other = this.#views.where(unit, { ...group, target: 0, last: 0 }, record);
      if (other.ok && other.taker.node !== owner.node) {
        const change = { target: other.taker.node };
        this.stop(group, change, broken.reason, null, facts.event);
        return;
      }
      this.#block(group, { reason: broken.reason, remedy: broken.remedy }, facts.event);
      return;
    }
    if (group.base.length > 0) {
      if (facts.active !== group.epoch) return;
      const d = { group: group.group, owner: group.owner, epoch: group.epoch };
      const event = this.#context.event('group.ready', d, facts.event);
      this.amend(group, { base: [] }, event, null);
      return;
    }
    if (facts.running === group.epoch && (group.phase === 'starting' || group.blocked !== null)) {
      const d = { group: group.group, owner: group.owner, epoch: group.epoch };
      const event = this.#context.event('group.online', d, facts.event);
      this.amend(group, { phase: 'online', blocked: null }, event, null);
      return;
    }
    if (facts.stable === group.epoch && group.failed.length > 0) {
      const d = { group: group.group, owner: group.owner };
      const event = this.#context.event('group.stable', d, facts.event);
      this.amend(group, { failed: [] }, event, null);
    }
  }

  #handOver(unit: Unit, group: GroupState, record: VolumeRecord, facts: GroupFacts): void {
    const proof: Proof = { kind: 'stopped', node: group.owner, epoch: group.epoch };
    if (group.wanted === 'run') {
      if (this.#unripe(unit, group, record)) return;
      const cause = facts.event;
      if (this.#move(unit, group, record, proof, [], cause)) {
        this.#context.reached('proof-stopped');
        return;
      }
    }
    this.#release(group, record, proof, facts.event);
  }

  /** Gives the group to the best node; false when there is none. */
  #move(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    proof: Proof,
    known: readonly string[],
    cause: string,
  ): boolean {
    // A life that has only just begun may have told facts, and no event yet.
    const reads = known.filter((event) => event !== '');
    if (group.wanted === 'stop' && group.phase === 'stopping' && proof.kind !== 'none') {
      this.#release(group, record, proof, cause);
      return true;
    }
    if (this.#unripe(unit, group, record)) return false;
    const found = this.#views.where(unit, group, record);
    if (!found.ok) {
      this.#strand(group, found, cause);
      return false;
    }
    this.#stranded.delete(group.group);
    const { taker, standing } = found;
    if (standing === 'rebooted') this.#context.reached('taker-rebooted');
    // Both replicas hold the same when the owner stopped in order, or nobody wrote.
    const calm = (proof.kind === 'stopped' || proof.kind === 'none') && group.base.length === 0;
    const kept = calm && standing === 'member' && !this.#leftUntold(unit.volume.name, group);
    const epoch = group.epoch + 1;
    let event = '';
    if (proof.kind === 'none') {
      const d = { group: group.group, to: taker.node, epoch };
      event = this.#context.event('group.start', d, cause, reads);
    } else if (proof.kind === 'stopped') {
      this.#context.reached('group-handover');
      const d = { group: group.group, from: group.owner, to: taker.node, epoch };
      event = this.#context.event('group.handover', d, cause, reads);
    } else {
      const from = group.owner;
      const d = { group: group.group, from, to: taker.node, proof: proof.kind, epoch };
      event = this.#context.event('group.takeover', d, cause, reads);
    }
    this.#proposals.propose(this.#grant(group, record, taker, kept, proof, event));
    return true;
  }

  /**
   * Among several: an owner whose disk failed may have told nobody of the record before. Who takes
   * over then begins alone, as after its death: it need not have heard of the generation.
   */
  #leftUntold(name: string, { owner }: GroupState): boolean {
    if (!this.#wereSeveral(name) || owner === 0) return false;
    const { facts } = this.#views.candidate(owner);
    return facts?.volumes.some((v) => v.volume === name && v.disk === 'Failed') === true;
  }

  /**
   * Whether an order is to move the group to a side that is not in sync, and nobody has looked yet
   * at what the other one has, now that it serves no more. Where that takes too long, and whoever
   * is in sync is there, the order ends: nothing has changed hands.
   */
  #unripe(unit: Unit, group: GroupState, record: VolumeRecord): boolean {
    const { discard } = record;
    if (discard === undefined) return false;
    const members = effectiveMembers(group, record);
    if (!isIn(members, discard.node)) return false;
    if (this.#resolution.ripe(unit, record, discard) === 'go') return false;
    const why = { reason: 'branch-unchecked', remedy: 'bring-both-back' };
    const there = this.#views.candidate(discard.node).reachable;
    const told = this.#context.toldOf(`volume ${record.volume}`);
    if (this.#strand(group, why, told) && there) this.#resolution.abandon(record, 'unchecked');
    return true;
  }

  /** No way on: after a grace, people are told why. True when the grace is over. */
  #strand(group: GroupState, why: Blocked, cause: string): boolean {
    if (!this.#isOver(group)) return false;
    this.#block(group, why, cause);
    return true;
  }

  /** Whether there was no way on for so long that this is no matter of a moment. */
  #isOver(group: GroupState): boolean {
    const { now, timing } = this.#context;
    const since = this.#stranded.get(group.group);
    if (since === undefined) this.#stranded.set(group.group, now);
    return since !== undefined && now - since >= 2 * timing.suspect;
  }

  #block(group: GroupState, why: Blocked, cause: string): void {
    const { reason, remedy } = why;
    if (group.blocked?.reason === reason && group.blocked.remedy === remedy) return;
    this.#context.reached('group-blocked');
    if (reason === 'stop-failed') this.#context.reached('stop-failed');
    const d = { group: group.group, reason, remedy };
    const event = this.#context.event('group.blocked', d, cause);
    this.amend(group, { blocked: { reason, remedy } }, event, null);
  }

  #release(group: GroupState, record: VolumeRecord, proof: Proof, cause: string): void {
    const d = { group: group.group, owner: group.owner, epoch: group.epoch + 1 };
    const event = this.#context.event('group.release', d, cause);
    const untold = this.#leftUntold(record.volume, group);
    this.#proposals.propose(releaseEntry(group, record, proof, event, untold));
  }

  #grant(
    group: GroupState,
    record: VolumeRecord,
    taker: Candidate,
    keep: boolean,
    proof: Proof,
    event: string,
  ): Entry {
    const { flags } = this.#context;
    const several = this.#wereSeveral(record.volume);
    const generation = keep ? record.generation : this.#context.draw();
    const members = { keep, generation, several };
    return grantEntry(group, record, taker, members, proof, event, flags);
  }

  /**
   * Whether the volume has more than two replicas, or had them when its last record was made: then
   * a member need not have been told of that one's generation.
   */
  #wereSeveral(name: string): boolean {
    const units = this.#context.unitsBy(agreedOf(this.#state()));
    const volume = units.find((unit) => unit.volume.name === name)?.volume;
    return volume !== undefined && (volume.replicas.length > 2 || (volume.layout ?? 0) > 0);
  }
}

/** Whether the owner's disk has failed, and it serves through other members, or is about to. */
function isProxying({ facts }: Candidate, { volume }: VolumeRecord): boolean {
  return facts?.volumes.some((each) => each.volume === volume && each.proxies === true) === true;
}

function isIn(members: readonly Member[], node: NodeId): boolean {
  return members.some((member) => member.node === node);
}
