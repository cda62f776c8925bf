/**
 * All oracles of one volume and its group, told what happens. They read the history, the disks and
 * the records; none knows how the engine works.
 */
import type { DataReport, VolumeRecord } from '../../../engine/data/messages.ts';
import type { Actors } from '../actors.ts';
import type { ArrayPool } from '../arrays.ts';
import { Ill } from '../disk-ills.ts';
import type { CacheLoss } from '../disk-options.ts';
import { Request } from '../history.ts';
import type { ApplicationState } from '../observer.ts';
import type { Spoils } from '../spoils.ts';
import { Zeroes } from '../zeroes.ts';
import { AcknowledgedOracle } from './acknowledged.ts';
import { ComparedOracle } from './compared.ts';
import { CoverOracle } from './cover.ts';
import { DecisionOracle, type Ordered } from './decision.ts';
import { FlushedOracle } from './flushed.ts';
import { OneEpochOracle } from './one-epoch.ts';
import { OneHolderOracle } from './one-holder.ts';
import { PrefixOracle } from './prefix.ts';
import { QuiescedOracle } from './quiesced.ts';
import { RegisterOracle } from './register.ts';
import { StopBeforeStartOracle } from './stop-before-start.ts';
import {
  counts,
  isAdmitted,
  isHeld,
  members,
  mustKnow,
  names,
  Orphan,
  type ReplicaTruth,
  type VolumeTruth,
} from './truth.ts';
import { UnnamedSectors } from './unnamed.ts';
import type { Verdict } from './verdict.ts';
import { WayBackOracle } from './way-back.ts';

const BLOCK_SECTORS = 8;

export class VolumeOracles {
  readonly truth: VolumeTruth;
  readonly #actors: Actors;
  readonly holder: OneHolderOracle;
  readonly register: RegisterOracle;
  readonly quiesced: QuiescedOracle;
  readonly wayBack: WayBackOracle;
  readonly prefix: PrefixOracle;
  readonly #acknowledged: AcknowledgedOracle;
  readonly #flushed: FlushedOracle;
  readonly #decision: DecisionOracle;
  readonly #epoch: OneEpochOracle;
  readonly #stop: StopBeforeStartOracle;
  readonly #cover: CoverOracle;
  readonly #compared: ComparedOracle;
  readonly #unnamed: UnnamedSectors;
  readonly #verdict: Verdict;
  /** When a write was acknowledged last. */
  #acked = 0;
  /** Whether no holder was left with everything: acknowledged, unflushed writes may be gone. */
  forgot = false;
  /** Whether the group waited for a person at the end. */
  blocked = false;
  /** Whether any sector ever was orphaned. */
  #orphans = false;
  /** Highest count of blocks that only one replica had. */
  dirtyMax = 0;

  constructor(
    truth: VolumeTruth,
    group: string,
    pool: ArrayPool,
    actors: Actors,
    verdict: Verdict,
  ) {
    const { history, sectors, flushed, spoils, orphaned } = truth;
    this.truth = truth;
    this.#actors = actors;
    this.#verdict = verdict;
    this.holder = new OneHolderOracle(group, verdict);
    this.register = new RegisterOracle(
      truth.config.name,
      pool,
      sectors,
      history,
      flushed,
      verdict,
      spoils,
      orphaned,
      (sector, stamp) => mustKnow(truth, sector, stamp),
    );
    this.#acknowledged = new AcknowledgedOracle(truth, this.register, verdict);
    this.#flushed = new FlushedOracle(truth, verdict);
    const zeroes = new Zeroes(history, spoils);
    this.wayBack = new WayBackOracle(truth, actors, verdict, zeroes);
    this.prefix = new PrefixOracle(truth, actors, verdict, zeroes);
    this.quiesced = new QuiescedOracle(truth, this.register, verdict, () => this.#acked);
    this.#decision = new DecisionOracle(truth, this.register, this.#flushed, verdict, zeroes);
    this.#epoch = new OneEpochOracle(truth, verdict);
    this.#stop = new StopBeforeStartOracle(truth, verdict, (node) =>
      this.holder.running.includes(node),
    );
    this.#cover = new CoverOracle(truth, actors, verdict);
    this.#compared = new ComparedOracle(truth, verdict);
    this.#unnamed = new UnnamedSectors(truth, actors);
  }

  invoked(op: number): void {
    this.register.invoked(op);
  }

  dropped(op: number): void {
    this.register.dropped(op);
  }

  /** A request succeeded at `replica`; `stamps` from `base` on are what a read found. */
  succeeded(op: number, replica: ReplicaTruth, stamps: Int32Array, base: number): void {
    const { history } = this.truth;
    switch (history.kind[op]) {
      case Request.Read:
        this.register.read(op, stamps, base);
        return;
      case Request.Write:
        this.#epoch.acknowledged(replica, op);
        // A late one had to be there before: that is judged by itself.
        if ((history.closed[op] as number) > 0) {
          this.#late(op, replica);
          return;
        }
        this.#acked = history.completed[op] as number;
        this.#decision.acknowledged(replica, op);
        this.#adopt(op);
        this.register.written(op);
        this.#flushed.completed(op, replica.leg);
        return;
      default:
        this.#flushed.completed(op, replica.leg);
    }
  }

  /** A write is acknowledged after a later session has succeeded: it has to be there already. */
  #late(op: number, replica: ReplicaTruth): void {
    const d = { write: op };
    this.#verdict.find('LAW-register', replica.node, 'register.acknowledged-after-takeover', d);
    if (this.register.late(op)) return;
    this.#verdict.find('LAW-acknowledged', replica.node, 'acknowledged.lost-at-takeover', d);
  }

  /** Everybody who must have these sectors has them anew, in a cache at least. */
  #adopt(op: number): void {
    const { history, orphaned } = this.truth;
    const from = history.sector[op] as number;
    const to = from + (history.length[op] as number);
    this.#unnamed.written(from, to);
    if (!this.#orphans) return;
    for (let at = from; at < to; at += 1) {
      if (orphaned[at] === Orphan.Everywhere) orphaned[at] = Orphan.OnMedia;
    }
  }

  /**
   * A data actor is about to read metadata that a faulty disk spoiled. What the lost metadata named
   * and what is left does not, nobody can know: neither where replicas differ now, nor where they
   * will when a cache is lost. With what the replica knew about itself it forgets every difference.
   */
  attaching(replica: ReplicaTruth): void {
    const { disk, node } = replica;
    this.wayBack.attaching(replica);
    if (disk.metaSpoiled || disk.partSpoiled) this.wayBack.forget(replica);
    disk.partSpoiled = false;
    if (!disk.metaSpoiled) return;
    const { replicas, config, sectors, spoils, orphaned } = this.truth;
    const ought = this.#actors.suspicion(config, node, disk.metaOught);
    const is = this.#actors.suspicion(config, node, disk.meta);
    const back = is.updates < ought.updates;
    const { view } = disk;
    const others = replicas.filter((each) => each !== replica).map((each) => each.disk.view);
    const durable = replicas.map((each) => each.disk.media);
    replica.selfForgotten ||= back;
    if (back) this.#decision.wentBack(replica);
    let lost = 0;
    for (let at = 0; at < sectors; at += 1) {
      const mine = spoils.ought(view[at] as number);
      const same = allHave(others, spoils, at, mine);
      if (same && allHave(durable, spoils, at, mine)) continue;
      const block = Math.floor(at / BLOCK_SECTORS);
      if ((same || !back) && (is.covers(block) || !ought.covers(block))) continue;
      if (same) {
        this.#unnamed.lost(at, mine);
        continue;
      }
      orphaned[at] = Orphan.Everywhere;
      this.#orphans = true;
      lost += 1;
    }
    disk.metaOught.set(disk.meta);
    disk.places.replaced();
    disk.metaSpoiled = false;
    const d = { volume: config.name, sectors: lost, back };
    if (lost > 0 || back) this.#verdict.witness('LAW-cover', node, 'cover.forgotten', d);
  }

  peerAck(replica: ReplicaTruth, epoch: number): void {
    this.#epoch.accepted(replica, epoch);
  }

  /** A committed record reached a data actor. */
  record(replica: ReplicaTruth, record: VolumeRecord): void {
    const before = replica.record;
    if (before === null || record.epoch >= before.epoch) replica.record = record;
    if (record.epoch > (before?.epoch ?? 0)) this.#stop.given(replica.node, record);
    const { truth } = this;
    truth.records.set(record.epoch, record);
    const known = truth.record;
    if (known !== null && record.epoch <= known.epoch) return;
    truth.record = record;
    truth.recordedAt.push({ epoch: record.epoch, moment: truth.history.moment });
    this.#stop.changed(record);
    const order = this.#decision.changed(record, known, this.#acked);
    this.#hold(record, known);
    if (order !== '') this.#parted(record, order);
    for (const member of members(truth)) {
      const was = known?.members.some(
        ({ node, boot }) => node === member.node && boot === member.boot(),
      );
      if (was === true) continue;
      // A replica that joins holds everything that was ever promised.
      member.isEarlier = false;
      this.#flushed.audit(member, 'flushed.joined-without');
      this.#acknowledged.audit(member, 'acknowledged.joined-without');
    }
  }

  /** Who is not in sync now has nothing of what is promised: it has the other branch. */
  #parted(record: VolumeRecord, order: Exclude<Ordered, ''>): void {
    const { truth } = this;
    for (const replica of truth.replicas) {
      if (record.members.some(({ node }) => node === replica.node)) continue;
      forget(replica);
    }
    if (order !== 'lost') return;
    this.forgot = true;
    this.prefix.forget();
    this.#flushed.forget();
    this.register.forget(truth.history.tick());
  }

  /** A data actor may learn a record from its peer before its own control has it. */
  #actsBy(replica: ReplicaTruth, epoch: number): void {
    const record = this.truth.records.get(epoch);
    if (record === undefined || record.epoch <= (replica.record?.epoch ?? 0)) return;
    replica.record = record;
  }

  /** Notes who holds what after a change of the set. */
  #hold(record: VolumeRecord, known: VolumeRecord | null): void {
    const { replicas, history } = this.truth;
    for (const replica of replicas) {
      const member = record.members.find(({ node }) => node === replica.node);
      if (member !== undefined) {
        const anew = isNew(record, known, replica.node);
        replica.memberBoot = member.boot;
        // What it shows was nobody's to protect (#lastLost): being named once more adds nothing.
        const holds = replica.heldUntil + replica.copiedUntil !== 0;
        if (anew || holds) replica.heldUntil = Number.MAX_SAFE_INTEGER;
        replica.copiedUntil = 0;
        replica.leftAt = -1;
        const named = known?.members.some(({ node, boot }) => {
          return node === replica.node && boot === member.boot;
        });
        if (named !== true) replica.memberDisk = replica.serialOf(member.disk ?? 0);
        if (anew) {
          replica.shakenAt = -1;
          if (this.#unnamed.filled(replica, record.primary)) this.#orphans = true;
          // It is whole, and so is who it was copied from.
          for (const each of replicas) each.doubtful &&= !isEnd(each, replica, record);
          replica.selfForgotten = false;
        }
      } else if (replica.heldUntil > history.moment) {
        replica.heldUntil = history.moment;
        replica.leftAt = history.moment;
      }
    }
  }

  /** The data actor of `replica` has a link to `peer` now. */
  linkUp(replica: ReplicaTruth, peer: number): void {
    replica.linkMoments[peer] = this.truth.history.moment;
  }

  /** When the link came up by which the replica is copied to. */
  #copiedSince(replica: ReplicaTruth): number {
    return replica.linkMoments[this.#source(replica)?.node ?? 0] ?? 0;
  }

  /** Who the replica is copied from: the other one, or with more of them the record's primary. */
  #source({ node, record }: ReplicaTruth): ReplicaTruth | undefined {
    const others = this.truth.replicas.filter((each) => each.node !== node);
    return others.length === 1 ? others[0] : others.find((each) => each.node === record?.primary);
  }

  grant(replica: ReplicaTruth, until: number): void {
    replica.granted = Math.max(replica.granted, until);
    this.#stop.granted(replica.node);
  }

  report(replica: ReplicaTruth, report: DataReport): void {
    switch (report.kind) {
      case 'state':
        // The source has flushed before this: what it had when the link came up is stable there.
        if (report.disk === 'Inconsistent' && replica.state !== 'Inconsistent') {
          if (!this.#source(replica)?.doubtful) {
            const since = this.#copiedSince(replica);
            replica.copiedUntil = Math.max(replica.copiedUntil, since);
          }
          replica.leftAt = -1;
          this.#decision.overwritten(replica);
        }
        // A disk that hangs may be given up: as of one that failed, nobody knows what it lost.
        if (report.disk === 'Failed' && replica.state !== 'Failed' && hung(replica)) {
          this.diskFailed(replica, 'kept');
        }
        replica.state = report.disk;
        replica.role = report.role;
        replica.link = report.link;
        replica.dirty = report.dirty;
        this.dirtyMax = Math.max(this.dirtyMax, report.dirty);
        return;
      case 'attached':
        replica.state = report.disk;
        return;
      case 'active': {
        this.#actsBy(replica, report.epoch);
        replica.acting = this.truth.records.get(report.epoch) ?? null;
        // It serves through others: nothing is said of what is here, and they have everything.
        if (report.proxies === true && replica.acting !== null && !isNamed(replica)) {
          for (const member of members(this.truth)) {
            this.#acknowledged.audit(member, 'acknowledged.promoted-without');
          }
          return;
        }
        const next = this.truth.recordedAt.find(({ epoch }) => epoch > report.epoch);
        this.#acknowledged.audit(replica, 'acknowledged.promoted-without', next?.moment);
        // It leads by a record that is not the newest, and has not heard of that one: what was
        // acknowledged under that one it does not have, nor can it acknowledge anything.
        if (next !== undefined) return;
        // It is judged to have everything, whatever its disk did before.
        replica.shakenAt = -1;
        this.#decision.active(replica);
        return;
      }
      case 'stopped':
        this.#stop.stopped(replica.node);
        return;
      case 'verify':
        this.#compared.report(replica, report);
        return;
      case 'way-back':
        this.wayBack.told(replica, report.wayBack);
        return;
      case 'kept-branch':
        this.wayBack.toldBranch(replica, report.branch);
        return;
      case 'event':
        this.wayBack.said(replica, report.event.kind);
        this.#compared.event(replica, report.event);
        return;
      default:
    }
  }

  /**
   * Its disk is another one from here on, or holds no replica: what it had is lost with it. Nobody
   * may count on it any more, and whoever was in sync beside it has it all, stable.
   */
  givenUp(replica: ReplicaTruth): void {
    const { truth } = this;
    const { members: counted = [] } = truth.record ?? {};
    const named = truth.record !== null && counts(truth.record, replica);
    if (named) this.#acknowledged.gone(replica, 'acknowledged.member-given-up');
    const held = Math.max(replica.heldUntil, replica.copiedUntil);
    if (held > 0 && replica.boot() === replica.memberBoot && replica.shakenAt < 0) {
      const other = truth.replicas.find(({ node }) => {
        return node !== replica.node && counted.some((member) => member.node === node);
      });
      if (other === undefined) this.#acknowledged.gone(replica, 'acknowledged.last-given-up');
      else this.#acknowledged.auditProtected(other, replica, this.#heldFor(replica, other));
    }
    forget(replica);
    replica.shakenAt = -1;
    replica.doubtful = false;
  }

  /** Until when `holder` has what was acknowledged, and `other` ought to have it stable. */
  #heldFor(holder: ReplicaTruth, other: ReplicaTruth): number {
    const isSource = this.#source(holder) === other;
    return isSource ? Math.max(holder.heldUntil, holder.copiedUntil) : holder.heldUntil;
  }

  /** The core of its host died: what it had been given died with it. */
  coreDied(replica: ReplicaTruth): void {
    replica.acting = null;
    this.#stop.coreDied(replica.node);
  }

  /** The host of `replica` lost power; its boot was `boot`. */
  powerLost(replica: ReplicaTruth, boot: number): void {
    const { truth } = this;
    const { record } = truth;
    const member = record === null || names(record, replica, boot);
    const left = replica.leftAt;
    const was = member || (left >= this.#acked && boot === replica.memberBoot);
    // The disk that was admitted lost its cache as well where it is not the one that is open.
    const owes = (member && isAdmitted(replica)) || (was && left >= this.#flushed.last);
    replica.granted = 0;
    replica.record = null;
    replica.state = 'Off';
    replica.leftAt = -1;
    if (this.#unnamed.judge()) this.#orphans = true;
    if (this.#orphans) {
      // What was only in a cache is gone.
      const { orphaned } = truth;
      for (let at = 0; at < orphaned.length; at += 1) {
        if (orphaned[at] !== Orphan.None) orphaned[at] = Orphan.Everywhere;
      }
    }
    replica.shakenAt = -1;
    replica.doubtful = false;
    if (owes) this.#flushed.audit(replica, 'flushed.lost-at-crash');
    if (was && !isHeld(truth, this.#acked)) this.#lastLost(replica);
    this.#decision.cacheLost(replica);
    this.#cover.audit('cover.crash');
    this.wayBack.look(replica);
    this.prefix.look(replica, true);
  }

  /**
   * A write or flush of `replica` failed. Nothing tells its host what became of the disk's cache,
   * so it counts as lost, as with a loss of power, but that the host goes on.
   */
  diskFailed(replica: ReplicaTruth, loss: CacheLoss): void {
    replica.doubtful = true;
    this.#shaken(replica);
    if (loss === 'gone') this.#cover.audit('cover.flush-failed');
  }

  /**
   * The core of `replica` died with writes that it had acknowledged and not written: of what it has
   * acknowledged only what was flushed is sure, as after a failure of its disk.
   */
  receiptLost(replica: ReplicaTruth): void {
    this.#shaken(replica);
    this.#cover.audit('cover.crash');
  }

  #shaken(replica: ReplicaTruth): void {
    const { truth } = this;
    const member = members(truth).includes(replica);
    const left = replica.leftAt;
    const was =
      member ||
      (left >= this.#acked && replica.boot() === replica.memberBoot && replica.shakenAt < 0);
    const owes = member || (was && left >= this.#flushed.last);
    replica.shakenAt = truth.history.moment;
    replica.leftAt = -1;
    if (this.#unnamed.judge()) this.#orphans = true;
    if (owes) this.#flushed.audit(replica, 'flushed.lost-at-failure');
    if (was && !isHeld(truth, this.#acked)) this.#lastLost(replica);
    this.#decision.cacheLost(replica);
  }

  /** Nobody has everything that was acknowledged any more: `replica` was the last. */
  #lastLost(replica: ReplicaTruth): void {
    const { truth } = this;
    this.forgot = true;
    for (const holder of truth.replicas) {
      const holds = holder !== replica && holder.boot() !== 0 && holder.shakenAt < 0;
      if (!holds || holder.boot() !== holder.memberBoot || !isAdmitted(replica)) continue;
      this.#acknowledged.auditProtected(replica, holder, this.#heldFor(holder, replica));
    }
    this.prefix.forget();
    this.#flushed.forget();
    this.register.forget(truth.history.tick());
    // From here on whoever has what was flushed has everything. What a shaken one still shows of
    // the rest was nobody's to protect.
    for (const each of truth.replicas) {
      if (each.shakenAt >= 0) each.heldUntil = each.copiedUntil = 0;
      each.shakenAt = -1;
    }
  }

  application(node: number, state: ApplicationState): void {
    this.holder.changed(node, state);
  }

  /** Nothing is in flight anywhere. */
  quiet(): void {
    this.holder.judge(this.holder.running[0] ?? 0, 'running');
    if (this.#unnamed.judge()) this.#orphans = true;
    this.#cover.audit('cover.quiet');
    for (const member of members(this.truth)) {
      this.#flushed.audit(member, 'flushed.lost');
      this.#acknowledged.audit(member, 'acknowledged.lost');
    }
  }
}

/** Whether the record by which a replica acts names it a member. */
/** Nothing that it has counts any more. */
function forget(replica: ReplicaTruth): void {
  replica.heldUntil = 0;
  replica.copiedUntil = 0;
  replica.leftAt = -1;
}

/** Whether each of the contents has value `is` in sector `at`. */
function allHave(of: readonly Int32Array[], spoils: Spoils, at: number, is: number): boolean {
  for (const content of of) if (spoils.ought(content[at] as number) !== is) return false;
  return true;
}

function isNamed({ acting, node }: ReplicaTruth): boolean {
  return acting?.members.some((member) => member.node === node) === true;
}

/** Whether `each` is one of the two ends of the copy by which `joined` became a member. */
function isEnd(each: ReplicaTruth, joined: ReplicaTruth, { primary }: VolumeRecord): boolean {
  return each === joined || each.node === primary;
}

/** Whether the replica's disk ever stood still. */
function hung({ disk }: ReplicaTruth): boolean {
  return (disk.ills.struck[Ill.Stall] as number) > 0;
}

/**
 * Whether the record admits a node that `known` left out. A set that shrank and grew again between
 * the two has another generation: then everybody but its primary was left out and copied to.
 */
function isNew(record: VolumeRecord, known: VolumeRecord | null, node: number): boolean {
  if (!known?.members.some((member) => member.node === node)) return true;
  return record.generation !== known.generation && record.primary !== node;
}
