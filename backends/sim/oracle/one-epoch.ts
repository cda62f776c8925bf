/**
 * LAW-one-epoch: no request that came in after an epoch began to acknowledge is acknowledged in an
 * earlier one, an epoch acknowledges through one host only, and a replica accepts no write of an
 * epoch below the highest that it has accepted or been told.
 *
 * The news of an older request may come late, from a guest that stood still with its clock: its
 * acknowledgements were gathered in time. Whether it is true is LAW-register's question.
 */
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

  /** A write that was invoked at that moment is acknowledged by this replica's actor. */
  acknowledged(replica: ReplicaTruth, invoked: number): void {
    const epoch = replica.record?.epoch ?? 0;
    const primary = replica.record?.primary ?? 0;
    if (primary !== replica.node) {
      this.#find(replica, 'epoch.not-primary', epoch);
      return;
    }
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

  /** A replica accepted a peer's write of `epoch`. */
  accepted(replica: ReplicaTruth, epoch: number): void {
    if (epoch === 0) return;
    let index = 0;
    while (this.#truth.replicas[index] !== replica) index += 1;
    const highest = Math.max(this.#accepted[index] as number, this.#ownEpoch(replica));
    if (epoch < highest) this.#find(replica, 'epoch.stale-write-accepted', epoch);
    this.#accepted[index] = Math.max(this.#accepted[index] as number, epoch);
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
