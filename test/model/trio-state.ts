/**
 * The state of the trio model: three replicas of one block, the sessions that a primary leads with
 * the others, the committed record, and what the world was promised.
 */

export const REPLICAS: readonly number[] = [0, 1, 2];
export const EVERYBODY = 7;

/** The record's epoch and generation are the highest there are: they get this number. */
export const HIGHEST = 3;

export const Session = { None: 0, Copy: 1, Sync: 2 } as const;

export class TrioReplica {
  up = 1;
  /** It takes itself for the primary; `active` once it may serve. */
  primary = 0;
  active = 0;
  /** The block as a read would show it: the number of the last write that it has. */
  cached = 0;
  /** The block as it is after a loss of power that takes the cache with it. */
  stable = 0;
  /** As a member it has had what it shows since that came, without a loss of power. */
  kept = 1;
  generation = HIGHEST;
  /** The newest record that it has durably seen, by its epoch and its members (bits). */
  epoch = HIGHEST;
  members = EVERYBODY;
  /** Replicas (bits) whose block may be otherwise. Durable, as `hot` is. */
  dirty = 0;
  /** A write may be under way in the block's extent. */
  hot = 0;
  /** Half a copy: an image of no moment. */
  inconsistent = 0;
  /** Who leads it, and how far that session is. */
  leader = 0;
  session: number = Session.None;
  /** As a primary: the write in flight, 0 for none, and the replicas (bits) that have it. */
  write = 0;
  applied = 0;

  copy(): TrioReplica {
    const copy = new TrioReplica();
    copy.up = this.up;
    copy.primary = this.primary;
    copy.active = this.active;
    copy.cached = this.cached;
    copy.stable = this.stable;
    copy.kept = this.kept;
    copy.generation = this.generation;
    copy.epoch = this.epoch;
    copy.members = this.members;
    copy.dirty = this.dirty;
    copy.hot = this.hot;
    copy.inconsistent = this.inconsistent;
    copy.leader = this.leader;
    copy.session = this.session;
    copy.write = this.write;
    copy.applied = this.applied;
    return copy;
  }

  endSession(): void {
    this.leader = 0;
    this.session = Session.None;
  }

  endWrite(): void {
    this.write = 0;
    this.applied = 0;
  }
}

/** What went wrong in a move, rather than in a state. */
export const Wrong = { Nothing: 0, SplitBrain: 1, TwoEpochs: 2 } as const;

export class TrioState {
  replicas: TrioReplica[] = [new TrioReplica(), new TrioReplica(), new TrioReplica()];
  /** The committed record: its primary, members (bits), and which of them lost power since. */
  primary = 0;
  members = EVERYBODY;
  lost = 0;
  epoch = HIGHEST;
  generation = HIGHEST;
  /** Of each generation, by number, its ancestors (bits). */
  ancestors: number[] = [0, 0, 0, 0, 0];
  /** Cables that are cut: bit 0 between A and B, 1 between A and C, 2 between B and C. */
  cut = 0;
  crashes = 0;
  cuts = 0;
  takeOvers = 0;
  /** Writes are numbered in the order in which they begin. */
  begun = 0;
  /** The last write that is known to have taken effect, and the last that a flush covers. */
  acknowledged = 0;
  flushed = 0;
  /** Who could lead must not show less: an acknowledged write that somebody has kept. */
  promised = 0;
  /** Writes (bits) that never took effect: nobody may show them any more. */
  gone = 0;
  wrong: number = Wrong.Nothing;

  at(i: number): TrioReplica {
    return this.replicas[i] as TrioReplica;
  }

  copy(): TrioState {
    const copy = new TrioState();
    for (const i of REPLICAS) copy.replicas[i] = this.at(i).copy();
    copy.primary = this.primary;
    copy.members = this.members;
    copy.lost = this.lost;
    copy.epoch = this.epoch;
    copy.generation = this.generation;
    for (let g = 0; g < 5; g += 1) copy.ancestors[g] = this.ancestors[g] as number;
    copy.cut = this.cut;
    copy.crashes = this.crashes;
    copy.cuts = this.cuts;
    copy.takeOvers = this.takeOvers;
    copy.begun = this.begun;
    copy.acknowledged = this.acknowledged;
    copy.flushed = this.flushed;
    copy.promised = this.promised;
    copy.gone = this.gone;
    copy.wrong = this.wrong;
    return copy;
  }
}

export function has(set: number, i: number): boolean {
  return ((set >> i) & 1) === 1;
}

/** The bit of the cable between two replicas. */
export function cable(i: number, j: number): number {
  return 1 << (i + j - 1);
}
