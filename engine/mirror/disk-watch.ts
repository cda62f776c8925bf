/**
 * Notices a local disk that answers nothing any more. A disk that hangs does not fail, and would
 * keep its clients waiting for ever; after a deadline the replica is given up like one whose disk
 * has failed, if another host has the data: a last copy is waited for, however long. What it still
 * has in hand stays its own: no slot is used again before it answers.
 */
import type { Micros } from '../core/units.ts';
import { Decision } from '../data/abi.ts';
import type { Parts } from './parts.ts';
import { Deadline } from './turn.ts';

const NONE = -1;
/**
 * An operation is overdue only if it is so again this much later. A process that stood still finds
 * its timer due, and the answers that came meanwhile behind it.
 */
const SECOND_LOOK: Micros = 500_000;

export class DiskWatch {
  readonly #p: Parts;
  /** When the read or write of each slot was issued. */
  readonly #since: Float64Array;
  /** Flushes and metadata operations under way, and since when there has been one. */
  #others = 0;
  #othersSince: Micros = 0;
  /** The operation, by its time, that was overdue at the first look. */
  #overdue: Micros = NONE;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#since = new Float64Array(parts.slots.count).fill(NONE);
  }

  /** A decision for the local disk was written. */
  began(op: number, slot: number): void {
    const { turn, config } = this.#p;
    if (op === Decision.LocalRead || op === Decision.LocalWrite) this.#since[slot] = turn.now;
    else {
      if (this.#others === 0) this.#othersSince = turn.now;
      this.#others += 1;
    }
    if (!turn.isSet(Deadline.Disk)) turn.due(Deadline.Disk, turn.now + config.diskTimeout);
  }

  /** The read or write of a slot was answered. */
  ended(slot: number): void {
    this.#since[slot] = NONE;
    if (this.#p.canary.watchRestarted) this.#restart();
  }

  /** A flush or a metadata operation was answered; nobody knows which is the oldest now. */
  otherEnded(): void {
    this.#others -= 1;
    this.#othersSince = this.#p.turn.now;
  }

  /** Looks at the oldest operation. */
  timer(): void {
    const { turn, config, role, canary } = this.#p;
    const oldest = this.#oldest();
    if (oldest === NONE) return;
    const due = oldest + config.diskTimeout;
    if (turn.now < due) turn.due(Deadline.Disk, due);
    else if (this.#overdue === oldest && this.#isSpare() && !canary.hungForEver) {
      role.failDisk('timeout');
    } else {
      this.#overdue = oldest;
      turn.due(Deadline.Disk, turn.now + SECOND_LOOK);
    }
  }

  /**
   * Whether the volume can do without this replica. Nobody knows whether the disks of both members
   * hang, as they do on one storage: the primary gives up its own, and the other one waits.
   */
  #isSpare(): boolean {
    const { state, role, canary } = this.#p;
    const { latest } = role;
    if (canary.lastCopyGivenUp) return true;
    if (latest === null || !latest.members.some((m) => m.node !== state.node)) return false;
    return latest.primary === state.node || !state.isMember(latest, true);
  }

  #restart(): void {
    const { now } = this.#p.turn;
    this.#othersSince = now;
    for (let slot = 0; slot < this.#since.length; slot += 1) {
      if (this.#since[slot] !== NONE) this.#since[slot] = now;
    }
  }

  #oldest(): Micros {
    let oldest = this.#others > 0 ? this.#othersSince : Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#since.length; slot += 1) {
      const since = this.#since[slot] as number;
      if (since !== NONE && since < oldest) oldest = since;
    }
    return oldest === Number.POSITIVE_INFINITY ? NONE : oldest;
  }
}
