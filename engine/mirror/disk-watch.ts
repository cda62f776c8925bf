/**
 * Notices a local disk that answers nothing any more. A disk that hangs does not fail, and would
 * keep its clients waiting for ever; after a deadline the replica is given up like one whose disk
 * has failed, if another host has the data: a last copy is waited for, however long. What it still
 * has in hand stays its own: no slot is used again before it answers.
 */
import type { Micros } from '../core/units.ts';
import { Decision, Flag } from '../data/abi.ts';
import type { Parts } from './parts.ts';
import { Deadline, pageKey } from './turn.ts';

const NONE = -1;
/**
 * An operation is overdue only if it is so again this much later. A process that stood still finds
 * its timer due, and the answers that came meanwhile behind it.
 */
const SECOND_LOOK: Micros = 500_000;

/**
 * Operations of one sort under way, each with its own time: one that hangs is not forgotten because
 * others end. A handful at most, so that looking through all of them costs nothing. The arrays are
 * filled up to `count` and never made shorter: an empty one would be allocated anew by each flush.
 */
interface Several {
  count: number;
  readonly keys: number[];
  readonly since: Micros[];
}

export class DiskWatch {
  readonly #p: Parts;
  /** When the read or write of each slot was issued. */
  readonly #since: Float64Array;
  /** Flushes by their token, and operations on metadata by their page ({@link pageKey}). */
  readonly #flushes: Several = { count: 0, keys: [], since: [] };
  readonly #metadata: Several = { count: 0, keys: [], since: [] };
  /** The operation, by its time, that was overdue at the first look. */
  #overdue: Micros = NONE;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#since = new Float64Array(parts.slots.count).fill(NONE);
  }

  /** A decision for the local disk was written; `key` is the token of a flush, or the page. */
  began(op: number, slot: number, key: number): void {
    const { turn, config } = this.#p;
    if (op === Decision.LocalRead || op === Decision.LocalWrite) this.#since[slot] = turn.now;
    else {
      const several = op === Decision.LocalFlush ? this.#flushes : this.#metadata;
      several.keys[several.count] = key;
      several.since[several.count] = turn.now;
      several.count += 1;
    }
    if (!turn.isSet(Deadline.Disk)) turn.due(Deadline.Disk, turn.now + config.diskTimeout);
  }

  /** The read or write of a slot was answered. */
  ended(slot: number): void {
    this.#since[slot] = NONE;
    if (this.#p.canary.watchRestarted) this.#restart();
  }

  flushEnded(token: number): void {
    this.#oneEnded(this.#flushes, token);
  }

  metadataEnded(page: number): void {
    this.#oneEnded(this.#metadata, page);
  }

  /** A read or write of a page of the side area was answered. */
  sideEnded(page: number): void {
    this.#oneEnded(this.#metadata, pageKey(page, Flag.Side));
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
      // What it has in hand it keeps, and whoever waits for that would wait for ever.
      this.#p.proxy.end('disk-hangs');
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

  #oneEnded(several: Several, key: number): void {
    const { keys, since } = several;
    let at = 0;
    while (at < several.count && keys[at] !== key) at += 1;
    if (at < several.count) {
      several.count -= 1;
      keys[at] = keys[several.count] as number;
      since[at] = since[several.count] as number;
    }
    if (this.#p.canary.watchRestarted) this.#restart();
  }

  #restart(): void {
    const { now } = this.#p.turn;
    this.#flushes.since.fill(now);
    this.#metadata.since.fill(now);
    for (let slot = 0; slot < this.#since.length; slot += 1) {
      if (this.#since[slot] !== NONE) this.#since[slot] = now;
    }
  }

  #oldest(): Micros {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { count, since } of [this.#flushes, this.#metadata]) {
      for (let at = 0; at < count; at += 1) oldest = Math.min(oldest, since[at] as number);
    }
    for (let slot = 0; slot < this.#since.length; slot += 1) {
      const since = this.#since[slot] as number;
      if (since !== NONE && since < oldest) oldest = since;
    }
    return oldest === Number.POSITIVE_INFINITY ? NONE : oldest;
  }
}
