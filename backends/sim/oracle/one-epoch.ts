/**
 * LAW-one-epoch: no request that came in after an epoch began to acknowledge is acknowledged in an
 * earlier one, an epoch acknowledges through one host only and with all its members, and a replica
 * accepts no write of an epoch below the highest of which it accepted a write, or in which it is
 * itself the primary. (A new epoch of the same writer does not fence what that writer sent before.)
 *
 * A host is judged by the epoch in which it said that it serves, not by the records that it was
 * given: until it says so, it acts in the one before.
 *
 * The news of an older request may come late, from a guest that stood still with its clock: its
 * acknowledgements were gathered in time. Whether it is true is LAW-register's question.
 */
import type { NodeId } from '../../../engine/core/units.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import { mayFollow } from './flushed.ts';
import type { ReplicaTruth, VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

export class OneEpochOracle {
  readonly #truth: VolumeTruth;
  readonly #verdict: Verdict;
  #epoch = 0;
  #node = 0;
  /** Moment of the highest epoch's first acknowledgement. */
  #since = 0;
  readonly #accepted: number[];

  constructor(truth: VolumeTruth, verdict: Verdict) {
    this.#truth = truth;
    this.#verdict = verdict;
    this.#accepted = truth.replicas.map(() => 0);
  }

  /** The write `op` is acknowledged by this replica's actor. */
  acknowledged(replica: ReplicaTruth, op: number): void {
    const { acting } = replica;
    const invoked = this.#truth.history.invoked[op] as number;
    const epoch = acting?.epoch ?? 0;
    if (acting?.primary !== replica.node) {
      this.#find(replica, 'epoch.not-primary', epoch);
      return;
    }
    this.#members(replica, acting, op);
    if (epoch < this.#epoch) {
      if (invoked > this.#since) this.#find(replica, 'epoch.went-back', epoch);
      return;
    }
    if (epoch === this.#epoch && this.#node !== replica.node) {
      this.#find(replica, 'epoch.two-hosts', epoch);
    }
    if (epoch > this.#epoch) this.#since = this.#truth.history.moment;
    this.#epoch = epoch;
    this.#node = replica.node;
  }

  /** Whether every member of the epoch has the write, or one that may have come after it. */
  #members(replica: ReplicaTruth, acting: VolumeRecord, op: number): void {
    const { history, replicas } = this.#truth;
    const from = history.sector[op] as number;
    const to = from + (history.length[op] as number);
    const invoked = history.invoked[op] as number;
    for (const member of replicas) {
      const boot = member.boot();
      if (member === replica || boot === 0) continue;
      if (!acting.members.some((m) => m.node === member.node && m.boot === boot)) continue;
      // It may have had the write, and have lost it since.
      if (member.shakenAt >= invoked) continue;
      for (let at = from; at < to; at += 1) {
        if (this.#has(member.disk.viewAt(at), op)) continue;
        // It has acknowledged it, and its disk is to have it next. Where the primary has no replica
        // there is no other copy in the meantime.
        const kept = acting.members.some(({ node }) => node === acting.primary);
        if (kept && member.receivedAt(at).some((held) => this.#has(held, op))) continue;
        this.#find(replica, 'epoch.passed-over', acting.epoch);
        return;
      }
    }
  }

  #has(held: number, op: number): boolean {
    const { history, spoils } = this.#truth;
    const stamp = spoils.ought(held);
    const invoked = history.invoked[op] as number;
    return stamp === op || (stamp !== 0 && mayFollow(history, stamp, invoked));
  }

  /** A replica accepted a peer's write of `epoch`. */
  accepted(replica: ReplicaTruth, epoch: number): void {
    if (epoch === 0) return;
    let index = 0;
    while (this.#truth.replicas[index] !== replica) index += 1;
    const highest = Math.max(this.#accepted[index] as number, this.#ownEpoch(replica));
    if (epoch < highest && this.#isFenced(replica.node, epoch, highest)) {
      this.#find(replica, 'epoch.stale-write-accepted', epoch);
    }
    this.#accepted[index] = Math.max(this.#accepted[index] as number, epoch);
  }

  /**
   * Whether anything came between a write of `epoch` and the epoch `highest`: another primary, or
   * another life of the same; or this replica was left out, and is copied to since. What one life
   * of a writer sent in its earlier epoch may land after what it sent in a later one: disks keep no
   * order.
   */
  #isFenced(node: NodeId, epoch: number, highest: number): boolean {
    const { records } = this.#truth;
    const writer = lifeOfPrimary(records.get(epoch));
    for (let later = epoch + 1; later <= highest; later += 1) {
      const record = records.get(later);
      if (writer === 0 || lifeOfPrimary(record) !== writer) return true;
      if (!record?.members.some((member) => member.node === node)) return true;
    }
    return false;
  }

  /** The epoch of a record that made somebody else than the writer primary is a fence. */
  #ownEpoch(replica: ReplicaTruth): number {
    const { record } = replica;
    if (record === null || record.primary !== replica.node) return 0;
    return record.epoch;
  }

  #find(replica: ReplicaTruth, code: string, epoch: number): void {
    this.#verdict.find('LAW-one-epoch', replica.node, code, {
      volume: this.#truth.config.name,
      epoch,
      highest: this.#epoch,
    });
  }
}

/** The boot of the host that a record names primary, 0 where nobody is named. */
function lifeOfPrimary(record: VolumeRecord | undefined): number {
  return record?.members.find((member) => member.node === record.primary)?.boot ?? 0;
}
