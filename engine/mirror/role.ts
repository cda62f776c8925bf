/**
 * What this host is for the volume: applies committed records one after another, each made durable
 * before anybody acts in it; promotes, goes alone, gives up, and steps back when it is fenced.
 */
import type { Epoch } from '../core/units.ts';
import type { DiskState, VolumeRecord } from '../data/messages.ts';
import { Demotion } from './demotion.ts';
import { diskTag, startGeneration } from './generation.ts';
import { DiskFlag, type MetadataFault, type Superblock } from './metadata.ts';
import { Mode } from './mode.ts';
import { hasData, obstacleOf } from './obstacle.ts';
import { isNamed, type Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import type { Found } from './store.ts';
import { Deadline } from './turn.ts';
import { type WantReason, Wishes } from './wish.ts';

export class RoleMachine {
  readonly #p: Parts;
  readonly #wishes: Wishes;
  readonly #demotion: Demotion;
  /** The newest record not yet applied, and the event that told of it. */
  #next: VolumeRecord | null = null;
  #nextBy = '';
  #applying: VolumeRecord | null = null;
  /** A record of the same primary, applied when that primary announces it on the link. */
  #deferred: VolumeRecord | null = null;
  #busy = false;
  /** What ends the application in progress where the disk cannot: in memory only. */
  #ending: (() => void) | null = null;
  /** Waits for the other member's link before it may serve. */
  #promoting = false;
  /** The event of the record under which it waits. */
  #waitsBy = '';
  #attachEpoch: Epoch = 0;
  #rebooted = false;
  #attachFailed = false;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#wishes = new Wishes(parts);
    this.#demotion = new Demotion(parts);
  }

  /** Whether a record is being applied. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The metadata is read and this life is durable. */
  attachDone(found: Found): void {
    const { state, store, turn, config, partners } = this.#p;
    const { block } = store;
    state.attached = true;
    [this.#attachEpoch, this.#rebooted] = [store.durableEpoch, found.rebooted];
    this.#p.undo.attach();
    const disk = diskOf(block);
    const { generation, epoch, parents } = block;
    const device = diskTag(block.device);
    turn.cause = turn.event('mirror.attach', { disk, generation, epoch, ...found });
    [state.disk, state.device] = [disk, device];
    const line = { generation, parents: parents.slice(), device, epoch };
    const { cause } = turn;
    const known = { volume: config.volume, disk, ...line, hot: found.hot, cause };
    const doubt = store.lacking ? { doubted: true, lacking: true } : { doubted: store.doubted };
    turn.report({ kind: 'attached', ...known, ...doubt });
    // A control that has not caught up yet may have told of a time that is over.
    if (this.#next !== null && this.#next.epoch < block.epoch) this.#next = null;
    this.#p.health.spareTaken();
    this.#pump();
    for (const { link } of partners.all) link.hello();
  }

  /**
   * The metadata cannot be used: never guess. Where a write failed it could not say so to itself:
   * control has to remember the doubt.
   */
  attachFailed(fault: MetadataFault, doubted = false, status = 0): void {
    const { state, turn, config, canary } = this.#p;
    const { volume } = config;
    this.#attachFailed = true;
    turn.reached('mirror.attach.failed');
    const cause = turn.event('mirror.attach.failed', { reason: fault });
    state.failure = turn.cause = cause;
    state.fail(status);
    const none = { generation: 0, epoch: 0, hot: false } as const;
    const doubt = doubted && !canary.failureForgotten;
    turn.report({ kind: 'attached', volume, disk: 'Failed', ...none, doubted: doubt, cause });
    turn.report({ kind: 'refused', volume, peer: state.node, reason: fault, cause });
  }

  /** The newest record that is known, applied or not. */
  get latest(): VolumeRecord | null {
    return this.#next ?? this.#applying ?? this.#p.state.record;
  }

  /** Whether a front-end request is turned away rather than kept waiting. */
  refusesRequests(): boolean {
    const { state } = this.#p;
    if (this.#attachFailed || state.fencing || state.demoting || state.demoted) return true;
    return this.latest !== null && this.latest.primary !== state.node;
  }

  /** Whether a handshake may be led. */
  mayLeadLink(): boolean {
    const { state } = this.#p;
    return (state.lead || this.#promoting) && state.disk === 'UpToDate';
  }

  /** A committed record, from control or relayed by the peer. */
  onRecord(record: VolumeRecord, cause: string): void {
    if (cause !== '') this.#p.turn.cause = cause;
    this.#receive(record, false);
  }

  /** The primary announced a record on the link: everything before it was of the old epoch. */
  announced(record: VolumeRecord): void {
    this.#receive(record, true);
  }

  /** Control asks this host to give up the primary role. */
  demote(epoch: Epoch, cause: string): void {
    const { state, turn, writes, proxy } = this.#p;
    const { latest } = this;
    if (latest !== null && epoch < latest.epoch) return;
    turn.cause = cause;
    if (!state.lead) proxy.end('demoted');
    if (!state.lead || state.record?.primary !== state.node) {
      if (this.#busy) return;
      state.demoted = state.record?.primary === state.node;
      this.#promoting = false;
      writes.refuseWaiting();
      this.#demotion.stopped(epoch);
      return;
    }
    if (!state.demoting) this.#demotion.begin(epoch);
  }

  /** No front-end request is in flight. */
  drained(): void {
    this.#demotion.drained();
  }

  /** The handshake found a replica equal to this one, and both are members. */
  connected(partner: Partner): void {
    const { turn, partners, writes } = this.#p;
    partner.required = true;
    if (partners.missed) return;
    turn.due(Deadline.Connect, Number.POSITIVE_INFINITY);
    if (this.#promoting) this.#promoted();
    else {
      // Only with rule 3 off: see Link.
      if (this.#wishes.any) this.#wishes.with(partner, 'settle', 0);
      writes.unpark();
    }
  }

  /** The handshake found a replica not equal: as a member it must be left out first. */
  notEqual(partner: Partner): void {
    if (partner.required) this.#wishWithout('settle');
  }

  /** A peer refused a write or its data: it cannot stay a member. */
  peerFailed(partner: Partner): void {
    if (partner.required) this.#wishWithout('peer-failed');
  }

  /** A resync is finished; before it `changed` blocks at least were written here alone. */
  proposeBoth(partner: Partner, changed: number): void {
    this.#wishes.with(partner, 'resync-done', changed);
  }

  /** A new primary has waited long enough for the other member. */
  connectTimer(): void {
    this.#p.proxy.late();
    if (!this.#promoting) return;
    this.#p.turn.reached('mirror.promote.alone');
    this.#p.turn.under(this.#waitsBy, () => this.#wishWithout('settle'));
  }

  /** A link is lost. */
  linkLost(partner: Partner, mode: number): void {
    const { state, canary, writes } = this.#p;
    if (this.#deferred !== null) {
      const record = this.#deferred;
      this.#deferred = null;
      this.#receive(record, false);
    }
    if (partner.required) this.#p.proxy.end('peer-lost');
    // Whoever needs the peer asks to go without it, whatever the link was used for: a late record
    // may name a peer that is only being copied to.
    if (!state.lead || !partner.required) return;
    // RULE-02: from here on nothing completes without the peer before a record leaves it out.
    if (canary.rule02) {
      partner.required = false;
      writes.releaseRequired();
    }
    this.#wishWithout(mode === Mode.Adding ? 'settle' : 'peer-lost');
  }

  /** The local disk failed, with `status` if any: this replica stops; control moves the volume. */
  failDisk(what: string, status = 0): void {
    const { state, store, turn, partners, canary } = this.#p;
    // Another operation may have failed before, and have told less.
    if (state.attached) store.doubt(status);
    if (state.failedBefore(canary.latePathIgnored ? 0 : status)) return;
    if (!state.attached) {
      turn.under(store.attachBy, () => this.attachFailed('unreadable', true, status));
      return;
    }
    turn.reached('mirror.disk.failed');
    state.failure = turn.cause = turn.event('mirror.disk.failed', { what });
    state.fail(status, what === 'timeout');
    if (what !== 'timeout' && this.#p.proxy.begin()) return;
    state.lead = false;
    this.#promoting = false;
    for (const { link } of partners.all) link.drop('disk-failed');
  }

  /** End of a turn: the disk failed under a record being applied, which then waits for nothing. */
  settle(): void {
    const record = this.#applying;
    if (this.#p.state.disk !== 'Failed' || record === null) return;
    const end = this.#ending;
    const leads = record.primary === this.#p.state.node;
    // The record of another primary goes on when everything in flight has ended.
    if (end === null && !leads) return;
    this.#p.turn.under(this.#p.state.failure, () => {
      if (end !== null) end();
      else this.#cannotLead(record, 'disk');
    });
  }

  /**
   * Makes the record's epoch durable, then goes on. A replica whose disk failed keeps it in memory:
   * it acknowledges nothing and leads nothing, but says so in the new epoch.
   */
  #durably(record: VolumeRecord, next: () => void): void {
    if (this.#p.state.disk === 'Failed') {
      next();
      return;
    }
    this.#ending = next;
    this.#p.store.persistEpoch(record.epoch, this.#still(record, next));
  }

  /** `next`, unless the application of `record` has been ended before. */
  #still(record: VolumeRecord, next: () => void): () => void {
    return () => {
      if (this.#applying === record) next();
    };
  }

  #receive(record: VolumeRecord, viaLink: boolean): void {
    const { state, store, partners } = this.#p;
    if (!state.attached) {
      if (this.#next === null || record.epoch > this.#next.epoch) this.#comes(record);
      return;
    }
    const known = (this.#next ?? this.#applying ?? state.record)?.epoch ?? -1;
    if (record.epoch <= known || record.epoch < store.block.epoch) return;
    if (!viaLink && this.#isFollower(record, partners.leader)) {
      // The primary's writes of the old epoch may still be under way on the link, in order.
      if (this.#deferred === null || record.epoch > this.#deferred.epoch) this.#deferred = record;
      return;
    }
    if (record.primary !== state.node) state.lead = false;
    if (this.#deferred !== null && this.#deferred.epoch <= record.epoch) this.#deferred = null;
    this.#comes(record);
    this.#pump();
  }

  #comes(record: VolumeRecord): void {
    this.#next = record;
    this.#nextBy = this.#p.turn.cause;
  }

  /** Whether `record` keeps this host a member under the primary that it follows. */
  #isFollower(record: VolumeRecord, leader: Partner | null): boolean {
    if (leader === null || record.primary !== leader.node) return false;
    return this.#myLife(record) && this.#p.state.record?.primary === leader.node;
  }

  /** Whether `record` names this life of this host a member. */
  #myLife(record: VolumeRecord): boolean {
    return this.#p.state.isMember(record, this.#p.canary.rebootUnnoticed);
  }

  #pump(): void {
    const { state, turn } = this.#p;
    const record = this.#next;
    if (this.#busy || record === null || !state.attached) return;
    this.#next = null;
    this.#applying = record;
    this.#busy = true;
    this.#wishes.reset();
    const { epoch, primary, generation } = record;
    const members = record.members.map((m) => m.node).join(' ');
    turn.under(this.#nextBy, () => {
      turn.cause = turn.event('mirror.record', { epoch, primary, generation, members });
      if (primary === state.node) this.#leadUnder(record);
      else this.#followUnder(record);
    });
  }

  /** The record is applied. */
  #applied(): void {
    this.#busy = false;
    this.#applying = null;
    this.#ending = null;
    if (this.#next !== null) {
      this.#pump();
      return;
    }
    for (const { link } of this.#p.partners.all) link.recordApplied();
    this.#p.peers.epochDurable();
    this.#p.reads.epochDurable();
  }

  // The record names this host primary.

  #leadUnder(record: VolumeRecord): void {
    const { state, partners, receipts, store, canary } = this.#p;
    // A wish to give up an earlier epoch is over: control says again what it wants in this one.
    this.#demotion.end();
    const goesOn = partners.several && (state.lead || this.#promoting);
    const session = { epoch: this.#attachEpoch, rebooted: this.#rebooted, goesOn };
    if (this.#p.proxy.lead(record)) {
      this.#applied();
      return;
    }
    const obstacle = obstacleOf(record, this.#p, session);
    if (obstacle !== '') {
      this.#cannotLead(record, obstacle);
      return;
    }
    const alone = record.members.every((m) => m.node === state.node);
    if (alone) {
      if (canary.earlyAlone && state.lead) partners.release();
      // A relation agreed on under the old record ends with it.
      for (const { link } of partners.all) {
        const kept = canary.relationKept || (link.following && canary.staleEpoch);
        if (link.mode !== Mode.None && !kept) link.drop('alone');
      }
      receipts.whenOver(this.#still(record, () => this.#flushAlone(record)));
      return;
    }
    for (const { link } of partners.all) {
      if (!state.lead && !goesOn && link.mode !== Mode.None) link.handOver();
    }
    const both = this.#still(record, () => this.#leadBoth(record));
    const persist = this.#still(record, () => store.persistEpoch(record.epoch, both));
    receipts.whenOver(this.#still(record, () => this.#leaveOut(record, persist)));
  }

  /** The set shrinks, and several stay: RULE-11 and RULE-13 as for one that stays alone. */
  #leaveOut(record: VolumeRecord, next: () => void): void {
    const { state, partners, store, flushes } = this.#p;
    const leads = state.lead || this.#promoting;
    if (!partners.several || !leads || record.generation === store.block.generation) {
      next();
      return;
    }
    flushes.run(
      this.#still(record, () => {
        if (state.disk === 'Failed') this.#cannotLead(record, 'disk');
        else {
          startGeneration(store.block, record.generation, record.voided);
          next();
        }
      }),
    );
  }

  #cannotLead(record: VolumeRecord, obstacle: string): void {
    const { state, turn, config, partners } = this.#p;
    turn.reached(`mirror.promote.${obstacle}`);
    const cause = turn.event('mirror.record.refused', { epoch: record.epoch, reason: obstacle });
    turn.cause = cause;
    this.#p.proxy.end('record-refused');
    state.lead = false;
    this.#promoting = false;
    for (const { link } of partners.all) {
      if (link.mode !== Mode.None) link.drop('record-refused');
    }
    this.#durably(record, () => {
      state.record = record;
      state.demoted = false;
      if (obstacle === 'earlier-session') {
        for (const partner of partners.all) partner.required = isNamed(record, partner.node);
        if (partners.required) this.#wishes.flushed('settle', () => state.record === record);
        else this.#wishes.say([state.node], 'settle');
      } else {
        const { volume } = config;
        turn.report({ kind: 'refused', volume, peer: state.node, reason: obstacle, cause });
      }
      this.#applied();
    });
  }

  /** RULE-11: everything acknowledged under two copies is stable here before going on alone. */
  #flushAlone(record: VolumeRecord): void {
    const { canary, partners } = this.#p;
    // With rule 12 off, a peer that is back already leaves the flush to the resync, which forgets.
    if (canary.rule11 || (canary.rule12 && partners.first.link.id !== 0))
      this.#persistAlone(record);
    else this.#p.flushes.run(this.#still(record, () => this.#persistAlone(record)));
  }

  /** RULE-13: the new generation is durable before the first write is acknowledged alone. */
  #persistAlone(record: VolumeRecord): void {
    const { store, canary, state } = this.#p;
    if (state.disk === 'Failed') {
      this.#cannotLead(record, 'disk');
      return;
    }
    const early = !canary.rule13 && !canary.generationUnsynced;
    if (early) startGeneration(store.block, record.generation, record.voided);
    store.block.flags = this.#p.unproved.kept;
    const lead = this.#still(record, () => this.#leadAlone(record));
    store.persistEpoch(record.epoch, lead);
  }

  #leadAlone(record: VolumeRecord): void {
    const { state, turn, writes, store, canary } = this.#p;
    if (canary.generationUnsynced) startGeneration(store.block, record.generation, record.voided);
    state.record = record;
    state.disk = 'UpToDate';
    this.#p.partners.release();
    this.#promoting = false;
    turn.due(Deadline.Connect, Number.POSITIVE_INFINITY);
    // A record that came meanwhile may already have ended this epoch.
    if (this.#next === null || this.#next.primary === state.node) {
      this.#activate();
      writes.releaseRequired();
    }
    this.#applied();
  }

  #leadBoth(record: VolumeRecord): void {
    const { state, turn, partners, config } = this.#p;
    state.record = record;
    state.disk = 'UpToDate';
    for (const partner of partners.all) partner.required = isNamed(record, partner.node);
    if (!state.lead && !(partners.several && this.#promoting)) {
      state.demoted = false;
      this.#promoting = true;
      this.#waitsBy = turn.cause;
      turn.due(Deadline.Connect, turn.now + config.connectTimeout);
      this.#applied();
      return;
    }
    for (const partner of partners.all) this.#goOnWith(partner, record);
    if (partners.several) this.#goOn(record);
    else if (!partners.missed) this.#activate();
    this.#applied();
  }

  /** Among several: who is left out is waited for no more, once everybody in step is told. */
  #goOn(record: VolumeRecord): void {
    const { partners, canary } = this.#p;
    if (canary.removedFreesAll && record.members.length <= partners.all.length) partners.release();
    if (!partners.missed) this.#resume();
  }

  /** RULE-18: a follower has the present record durably. */
  told(partner: Partner): void {
    const { state, partners } = this.#p;
    partner.told = true;
    if (this.#p.proxy.told()) return;
    if ((state.lead || this.#promoting) && !partners.missed) this.#resume();
  }

  #resume(): void {
    const { barrier, turn, writes } = this.#p;
    turn.due(Deadline.Connect, Number.POSITIVE_INFINITY);
    this.#promoted();
    barrier.told();
    writes.releaseRequired();
  }

  /** What becomes of a link under another record of the same primary. */
  #goOnWith(partner: Partner, record: VolumeRecord): void {
    const { source, canary } = this.#p;
    const { link } = partner;
    const same = partner.isIn(record);
    if (same && (link.mode === Mode.Sync || link.mode === Mode.Adding)) {
      link.mode = Mode.Sync;
      link.announce(record);
      source.ended(partner);
    } else if (same && link.mode === Mode.Copy && canary.rule10) link.announce(record);
    else if (link.mode !== Mode.None) link.drop('member-changed');
    else if (partner.required) this.#wishWithout('peer-lost');
  }

  /** It leads, unless it did: whoever is no member waited for that, or was told to wait. */
  #promoted(): void {
    const { partners, canary } = this.#p;
    const waited = this.#promoting && partners.several && !canary.waiterForgotten;
    this.#promoting = false;
    this.#activate();
    if (waited) partners.again();
  }

  #activate(): void {
    const { state, turn, config, writes, log, partners } = this.#p;
    state.lead = true;
    state.demoted = false;
    const cause = turn.event('mirror.active', { epoch: state.epoch, hot: log.count });
    turn.report({ kind: 'active', volume: config.volume, epoch: state.epoch, cause });
    writes.resume();
    if (partners.late) this.#wishWithout('settle');
  }

  // The record names another host, or none.

  #followUnder(record: VolumeRecord): void {
    const { state, partners, writes } = this.#p;
    const sameLead = state.record?.primary === record.primary && this.#myLife(record);
    this.#promoting = false;
    this.#p.proxy.over();
    for (const { link, node } of partners.all) {
      if (link.mode === Mode.None || (sameLead && link.following)) continue;
      if (link.following && record.primary === node) link.drop('record');
      else link.handOver();
    }
    const wasDemoting = this.#demotion.end();
    state.lead = false;
    partners.release();
    if (writes.open === 0 && writes.waiting === 0) {
      this.#persistFollow(record, wasDemoting);
      return;
    }
    // Fenced: fail what waits, wait for what is in flight, then step back (RULE-14).
    state.fencing = true;
    this.#p.turn.reached('mirror.fenced');
    this.#p.turn.event('mirror.fenced', { epoch: record.epoch, open: writes.open });
    this.#demotion.whenDrained(() => {
      if (!this.#p.canary.rule14) this.#persistFollow(record, wasDemoting);
    });
    writes.fence();
    if (writes.open === 0) this.drained();
  }

  #persistFollow(record: VolumeRecord, wasDemoting: boolean): void {
    const { state, store, partners } = this.#p;
    const { block } = store;
    const usable = state.disk === 'UpToDate' || state.disk === 'Consistent';
    const named = record.members.some((m) => m.node === state.node);
    // An asynchronous replica is never named, and is an image of some moment all the same.
    if (usable && !named && !partners.asynchronous && record.members.length > 0) {
      state.disk = 'Outdated';
      block.flags |= DiskFlag.Outdated;
    }
    const { leader } = partners;
    const inStep = leader !== null && leader.node === record.primary && this.#myLife(record);
    if (usable && inStep) this.#p.follower.adopt(record);
    const sameData = hasData(record, this.#p);
    if (usable && this.#myLife(record) && sameData && !store.doubted) {
      state.disk = 'UpToDate';
      block.flags &= ~DiskFlag.Rebooted;
    } else if (usable && named) state.disk = 'Consistent';
    this.#durably(record, () => {
      const before = state.record;
      state.record = record;
      state.fencing = false;
      state.demoted = false;
      const by = this.#p.partners.leader;
      if (by !== null) {
        by.link.mode = Mode.Follow;
        this.#p.follower.follow(before, record, by);
      }
      if (wasDemoting) this.#demotion.stopped(record.epoch);
      this.#applied();
    });
  }

  #wishWithout(reason: WantReason): void {
    this.#wishes.flushed(reason, () => this.#p.state.lead || this.#promoting);
  }
}

/** What its metadata alone say of a replica. */
function diskOf({ flags }: Superblock): DiskState {
  if (flags & DiskFlag.Inconsistent) return 'Inconsistent';
  return flags & DiskFlag.Outdated ? 'Outdated' : 'Consistent';
}
