/**
 * The leader's duties: it turns what the nodes say (facts), silence (detector) and wishes of
 * people into entries. Level-triggered: every pass looks at everything anew, so nothing is stuck
 * because one message was lost. It proposes an owner change only with a proof of stop.
 */
import { invariant } from '../core/invariant.ts';
import type { BootId, Micros, NodeId } from '../core/units.ts';
import type { Member, VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { Detector } from './detector.ts';
import type { Blocked, CommandRef, Entry, GroupState, Proof } from './entries.ts';
import type { Unit } from './groups.ts';
import type { Links } from './heartbeat.ts';
import type { FactsMessage, GroupFacts, Want } from './messages.ts';
import { type Candidate, effectiveMembers, judge, type Placement, place } from './placement.ts';
import type { Raft } from './raft.ts';
import {
  bootOf,
  type ClusterState,
  groupOf,
  identityOf,
  leaseEpochOf,
  majorityOf,
  recordOf,
} from './state.ts';

export class Planner {
  readonly #context: Context;
  readonly #links: Links;
  readonly #raft: Raft;
  readonly #detector: Detector;
  readonly #state: () => ClusterState;
  readonly #ownFacts: () => FactsMessage;
  /** Proposals not applied yet, by subject: one at a time each. */
  #pending = new Set<string>();
  /** Since when a group finds no taker. */
  #stranded = new Map<string, Micros>();

  constructor(
    context: Context,
    links: Links,
    raft: Raft,
    detector: Detector,
    state: () => ClusterState,
    ownFacts: () => FactsMessage,
  ) {
    this.#context = context;
    this.#links = links;
    this.#raft = raft;
    this.#detector = detector;
    this.#state = state;
    this.#ownFacts = ownFacts;
  }

  /** The leader changed: what was proposed before is no business of ours. */
  reset(): void {
    this.#pending.clear();
    this.#stranded.clear();
  }

  applied(entry: Entry): void {
    const key = subjectOf(entry);
    if (key !== '') this.#pending.delete(key);
  }

  busy(group: string): boolean {
    return this.#pending.has(`group ${group}`);
  }

  /** One pass over everything. */
  plan(): void {
    if (!this.#raft.governs) return;
    this.#knowBoots();
    this.#readmit();
    for (const unit of this.#context.units) {
      if (this.busy(unit.group.name) || this.#pending.has(`volume ${unit.volume.name}`)) continue;
      const group = groupOf(this.#state(), unit.group.name);
      const record = recordOf(this.#state(), unit.volume.name);
      if (group === null || record === null) continue;
      if (this.#wants(unit, group, record)) continue;
      this.#unit(unit, group, record);
    }
    this.#settle();
  }

  propose(entry: Entry): void {
    this.#pending.add(subjectOf(entry));
    this.#raft.propose(entry);
  }

  /** A node as this leader knows it; facts of an earlier life do not count. */
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

  /** Where the group could go; `only` limits it to one node. */
  where(unit: Unit, group: GroupState, record: VolumeRecord, only: NodeId = 0): Placement {
    const candidates = unit.nodes
      .filter((node) => only === 0 || node === only)
      .map((node) => this.candidate(node));
    return place(unit, group, record, candidates, this.#boots, this.#context.flags);
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
    const next: GroupState = { ...group, ...change, phase: 'stopping' };
    this.#change(group, next, event, command);
  }

  /** Proposes a change of a group that moves neither owner nor epoch. */
  amend(
    group: GroupState,
    change: Partial<GroupState>,
    event: string,
    command: CommandRef | null,
  ): void {
    this.#change(group, { ...group, ...change }, event, command);
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
      const event = this.#context.event('canary.alone', d);
      const proof: Proof = { kind: 'assumed', node: group.owner };
      const self: Candidate = { node, boot, life, reachable: true, facts: null };
      return this.#grant(group, record, self, 'fresh', proof, event);
    }
    return null;
  }

  readonly #boots = (node: NodeId): BootId => bootOf(this.#state(), node);

  #unit(unit: Unit, group: GroupState, record: VolumeRecord): void {
    if (group.owner === 0) {
      if (group.phase === 'offline') this.#move(unit, group, record, { kind: 'none' }, [], '');
      return;
    }
    const owner = this.candidate(group.owner);
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
    if (group.phase !== 'stopping' && this.#readopt(unit, group, record, owner)) return;
    // Its core says that nothing runs, and it may run nothing in this life: as good as a stop.
    if (!facts.clean) {
      this.#strand(group, { reason: 'not-attached', remedy: 'wait-or-check-disk' });
      return;
    }
    const proof: Proof = { kind: 'idle', node: owner.node, life: owner.life };
    if (group.phase === 'stopping' && group.wanted === 'stop') {
      this.#release(group, record, proof, facts.event);
      return;
    }
    if (this.#move(unit, group, record, proof, [facts.event], facts.event)) {
      this.#context.reached('proof-idle');
    }
  }

  #readopt(unit: Unit, group: GroupState, record: VolumeRecord, owner: Candidate): boolean {
    const verdict = judge(
      unit,
      effectiveMembers(group, record),
      owner,
      this.#boots,
      this.#context.flags,
    );
    if (!verdict.ok || group.failed.includes(owner.node)) return false;
    this.#context.reached('group-readopt');
    const d = { group: group.group, owner: owner.node, epoch: group.epoch + 1 };
    const event = this.#context.event('group.readopt', d, '');
    const proof: Proof = { kind: 'self', node: owner.node };
    this.propose(this.#grant(group, record, owner, 'fresh', proof, event));
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
    this.#stranded.delete(group.group);
    if (group.phase === 'stopping') {
      if (facts.stopped === group.epoch) this.#handOver(unit, group, record, facts);
      else if (facts.stopFailed) {
        this.#block(group, { reason: 'stop-failed', remedy: 'stop-by-hand' }, facts.event);
      }
      return;
    }
    if (facts.readopt === group.epoch && this.#readopt(unit, group, record, owner)) return;
    if (facts.failed === group.epoch) {
      const failed = [...group.failed.filter((n) => n !== owner.node), owner.node];
      const other = this.where(unit, { ...group, failed, target: 0 }, record);
      if (other.ok) {
        if (group.failed.length > 0) this.#context.reached('group-rollback');
        const change = { failed, target: other.taker.node };
        this.stop(group, change, 'application-failed', null, facts.event);
        return;
      }
      const why = { reason: 'application-failed', remedy: 'start-group' };
      this.#block({ ...group, failed }, why, facts.event);
      return;
    }
    const broken = judge(
      unit,
      effectiveMembers(group, record),
      owner,
      this.#boots,
      this.#context.flags,
    );
    if (!broken.ok && (broken.reason === 'replica-failed' || facts.readopt === group.epoch)) {
      const other = this.where(unit, { ...group, target: 0, last: 0 }, record);
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
      const cause = facts.event;
      if (this.#move(unit, group, record, proof, [], cause)) {
        this.#context.reached('proof-stopped');
        return;
      }
    }
    this.#release(group, record, proof, facts.event);
  }

  /** Nobody owns it any more; it was stopped in order. */
  #release(group: GroupState, record: VolumeRecord, proof: Proof, cause: string): void {
    const epoch = group.epoch + 1;
    const d = { group: group.group, owner: group.owner, epoch };
    const event = this.#context.event('group.release', d, cause);
    const next: GroupState = {
      ...group,
      serial: group.serial + 1,
      epoch,
      owner: 0,
      ownerBoot: 0,
      ownerLife: 0,
      phase: group.wanted === 'stop' ? 'stopped' : 'offline',
      target: 0,
    };
    this.propose({
      kind: 'group',
      event,
      from: group.serial,
      next,
      record: { ...record, epoch: record.epoch + 1, primary: 0 },
      recordFrom: record.epoch,
      proof,
      command: null,
    });
  }

  /** Gives the group to the best node; false when there is none. */
  #move(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    proof: Proof,
    reads: readonly string[],
    cause: string,
  ): boolean {
    if (group.wanted === 'stop' && group.phase === 'stopping' && proof.kind !== 'none') {
      this.#release(group, record, proof, cause);
      return true;
    }
    const found = this.where(unit, group, record);
    if (!found.ok) {
      this.#strand(group, found);
      return false;
    }
    this.#stranded.delete(group.group);
    const { taker, standing } = found;
    if (standing === 'rebooted') this.#context.reached('taker-rebooted');
    // Both replicas hold the same when the owner stopped in order, or nobody wrote.
    const calm = (proof.kind === 'stopped' || proof.kind === 'none') && group.base.length === 0;
    const kept = calm && standing === 'member' ? 'kept' : 'fresh';
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
    this.propose(this.#grant(group, record, taker, kept, proof, event));
    return true;
  }

  #grant(
    group: GroupState,
    record: VolumeRecord,
    taker: Candidate,
    members: 'kept' | 'fresh',
    proof: Proof,
    event: string,
  ): Entry {
    const { flags, rng } = this.#context;
    const epoch = record.epoch + (flags['epoch-not-raised'] ? 0 : 1);
    const { node, boot, life } = taker;
    const before = effectiveMembers(group, record);
    const only = before.every((m) => m.node === node && m.boot === boot);
    const next: GroupState = {
      ...group,
      serial: group.serial + 1,
      epoch: group.epoch + 1,
      owner: node,
      ownerBoot: boot,
      ownerLife: life,
      recordEpoch: epoch,
      base: members === 'kept' || only ? [] : before,
      phase: 'starting',
      target: 0,
      last: node,
      blocked: null,
    };
    const alone = { ...record, epoch, primary: node, members: [{ node, boot }] };
    const generation = flags['generation-kept'] ? record.generation : rng.id52();
    return {
      kind: 'group',
      event,
      from: group.serial,
      next,
      record: members === 'kept' ? { ...record, epoch, primary: node } : { ...alone, generation },
      recordFrom: record.epoch,
      proof,
      command: null,
    };
  }

  /** No taker: after a grace, people are told why. */
  #strand(group: GroupState, why: Blocked): void {
    const { now, timing } = this.#context;
    const since = this.#stranded.get(group.group);
    if (since === undefined) {
      this.#stranded.set(group.group, now);
      return;
    }
    if (now - since >= 2 * timing.suspect) this.#block(group, why, '');
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

  #change(group: GroupState, next: GroupState, event: string, command: CommandRef | null): void {
    const from = group.serial;
    const changed = { ...next, serial: from + 1 };
    this.propose({
      kind: 'group',
      event,
      from,
      next: changed,
      record: null,
      recordFrom: 0,
      proof: { kind: 'none' },
      command,
    });
  }

  /** The primary's wish for another in-sync set becomes an entry. */
  #wants(unit: Unit, group: GroupState, record: VolumeRecord): boolean {
    if (record.primary === 0 || group.base.length > 0) return false;
    const { facts, reachable, life } = this.candidate(record.primary);
    if (!reachable || facts === null || facts.life !== life) return false;
    if (life !== group.ownerLife) return false;
    const want = facts.volumes.find((v) => v.volume === unit.volume.name)?.want ?? null;
    if (want === null || want.epoch !== record.epoch) return false;
    const members = this.#wanted(unit, record, want);
    if (members === null) return false;
    const shrinks = record.members.some((m) => !members.some((n) => n.node === m.node));
    const { flags, rng } = this.#context;
    const renewed = shrinks && !flags['generation-kept'];
    const generation = renewed ? rng.id52() : record.generation;
    const next: VolumeRecord = { ...record, epoch: record.epoch + 1, members, generation };
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
    this.propose({ kind: 'volume', event, from: record.epoch, record: next, reason: want.reason });
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
      if (!unit.volume.replicas.some((r) => r.node === wished.node)) return null;
      // Admitted in the life that was copied to: after a reboot the copy may lack what was cached.
      const seen = this.candidate(wished.node);
      if (wished.boot === 0 || seen.boot !== wished.boot) return null;
      members.push(wished);
    }
    if (!members.some((m) => m.node === record.primary)) return null;
    return members.sort((a, b) => a.node - b.node);
  }

  #knowBoots(): void {
    for (const { id } of this.#context.config.nodes) {
      const { boot, reachable } = this.candidate(id);
      const was = bootOf(this.#state(), id);
      if (!reachable || boot === 0 || boot === was || this.#pending.has(`boot ${id}`)) continue;
      if (this.#state().boots.some((b) => b.node === id && b.past.includes(boot))) continue;
      const event = this.#context.event('boot.known', { peer: id, boot }, '');
      this.propose({ kind: 'boot', event, node: id, was, boot });
    }
  }

  #readmit(): void {
    for (const peer of this.#links.peers) {
      const identity = peer.identity !== 0 ? peer.identity : (peer.facts?.identity ?? 0);
      const was = identityOf(this.#state(), peer.node);
      if (identity === 0 || identity === was || this.#pending.has(`voter ${peer.node}`)) continue;
      const voter = this.#state().voters.find((v) => v.node === peer.node);
      if (voter === undefined || voter.past.includes(identity)) continue;
      if (!this.#links.reachable(peer.node)) continue;
      const event = this.#context.event('voter.readmitted', { voter: peer.node }, '');
      this.#context.reached('voter-readmitted');
      this.propose({ kind: 'readmit', event, node: peer.node, was, identity });
    }
  }

  /** A node is heard again about which somebody attested: let it renew. */
  #settle(): void {
    for (const { id } of this.#context.config.nodes) {
      const lease = leaseEpochOf(this.#state(), id);
      if (lease === 0 || this.#pending.has(`lease ${id}`) || !this.#links.reachable(id)) continue;
      const blocks = (facts: FactsMessage | null): boolean =>
        facts?.attested.some((a) => a.node === id && a.lease === lease) ?? false;
      const blocked =
        blocks(this.#ownFacts()) || this.#links.peers.some((peer) => blocks(peer.facts));
      // An owner change that rests on these attestations may be on its way.
      const moving = this.#state().groups.some((g) => g.owner === id && this.busy(g.group));
      if (!blocked || moving) continue;
      this.#context.reached('lease-settled');
      const event = this.#context.event('lease.settled', { peer: id, lease }, '');
      this.propose({ kind: 'settle', event, node: id, lease });
    }
  }
}

/** What an entry is about: only one entry per subject is under way. */
function subjectOf(entry: Entry): string {
  switch (entry.kind) {
    case 'noop':
    case 'genesis':
      return '';
    case 'readmit':
      return `voter ${entry.node}`;
    case 'volume':
      return `volume ${entry.record.volume}`;
    case 'group':
      return `group ${entry.next.group}`;
    case 'settle':
      return `lease ${entry.node}`;
    case 'boot':
      return `boot ${entry.node}`;
  }
}
