/**
 * The state of the pair model: two replicas of one block, the link between them, and the arbiter,
 * which is a register that holds at most one owner. Says what each field means and packs it.
 */

/** What a replica is worth: everything, everything up to a restart, or half a copy. */
export const Disk = { UpToDate: 0, Consistent: 1, Inconsistent: 2 } as const;

export class Replica {
  up = 1;
  primary = 0;
  /** The block as a read would show it: the number of the last write that it has. */
  cached = 0;
  /** The block as it is after a loss of power that takes the cache with it. */
  stable = 0;
  generation = 1;
  /** The generation that it had when it went on alone, 0 while nobody was left out. */
  parent = 0;
  /** The block may be otherwise on the other replica. Durable, as `hot` is. */
  dirty = 0;
  /** A write may be under way in the block's extent. */
  hot = 0;
  disk: number = Disk.UpToDate;
  /** The arbiter let it go on without the other. */
  alone = 0;
  /** It lost power as a primary, and no resync has settled that since. */
  crashed = 0;

  copy(): Replica {
    const copy = new Replica();
    copy.up = this.up;
    copy.primary = this.primary;
    copy.cached = this.cached;
    copy.stable = this.stable;
    copy.generation = this.generation;
    copy.parent = this.parent;
    copy.dirty = this.dirty;
    copy.hot = this.hot;
    copy.disk = this.disk;
    copy.alone = this.alone;
    copy.crashed = this.crashed;
    return copy;
  }
}

export class PairState {
  replicas: [Replica, Replica] = [new Replica(), new Replica()];
  /** The cable is whole; `connected` says that the two agreed over it. */
  cable = 1;
  connected = 1;
  /** The replica that the arbiter lets act alone, -1 for none. */
  owner = -1;
  /** The source of the resync that is under way, -1 for none. */
  source = -1;
  /** The write in flight: its number (0 for none), its primary, and how far it came. */
  write = 0;
  writer = 0;
  /** Whether it was sent to the other replica, and whether that one has it. */
  sent = 0;
  applied = 0;
  /** What the world was promised: the last write acknowledged, the last one that a flush covers. */
  acknowledged = 0;
  flushed = 0;
  /** Replicas (bits) that have had the newest write in every moment since, without a power loss. */
  holders = 3;
  /** The highest generation that anybody has begun. */
  youngest = 1;
  crashes = 0;
  cuts = 0;
  splitBrain = 0;

  copy(): PairState {
    const copy = new PairState();
    copy.replicas = [this.replicas[0].copy(), this.replicas[1].copy()];
    copy.cable = this.cable;
    copy.connected = this.connected;
    copy.owner = this.owner;
    copy.source = this.source;
    copy.write = this.write;
    copy.writer = this.writer;
    copy.sent = this.sent;
    copy.applied = this.applied;
    copy.acknowledged = this.acknowledged;
    copy.flushed = this.flushed;
    copy.holders = this.holders;
    copy.youngest = this.youngest;
    copy.crashes = this.crashes;
    copy.cuts = this.cuts;
    copy.splitBrain = this.splitBrain;
    return copy;
  }

  endWrite(): void {
    this.write = 0;
    this.writer = 0;
    this.sent = 0;
    this.applied = 0;
  }
}

/** One word a replica, with half of what belongs to neither above it. */
export function packPair(s: PairState, into: Int32Array): void {
  into[0] =
    packReplica(s.replicas[0]) |
    (s.cable << 18) |
    (s.connected << 19) |
    ((s.owner + 1) << 20) |
    ((s.source + 1) << 22) |
    (s.youngest << 24) |
    (s.crashes << 27) |
    (s.cuts << 29);
  into[1] =
    packReplica(s.replicas[1]) |
    (s.write << 18) |
    (s.writer << 20) |
    (s.sent << 21) |
    (s.applied << 22) |
    (s.acknowledged << 23) |
    (s.flushed << 25) |
    (s.holders << 27) |
    (s.splitBrain << 29);
}

export function unpackPair(from: Int32Array): PairState {
  const low = from[0] as number;
  const high = from[1] as number;
  const s = new PairState();
  s.replicas = [unpackReplica(low), unpackReplica(high)];
  s.cable = (low >> 18) & 1;
  s.connected = (low >> 19) & 1;
  s.owner = ((low >> 20) & 3) - 1;
  s.source = ((low >> 22) & 3) - 1;
  s.youngest = (low >> 24) & 7;
  s.crashes = (low >> 27) & 3;
  s.cuts = (low >> 29) & 3;
  s.write = (high >> 18) & 3;
  s.writer = (high >> 20) & 1;
  s.sent = (high >> 21) & 1;
  s.applied = (high >> 22) & 1;
  s.acknowledged = (high >> 23) & 3;
  s.flushed = (high >> 25) & 3;
  s.holders = (high >> 27) & 3;
  s.splitBrain = (high >> 29) & 1;
  return s;
}

function packReplica(r: Replica): number {
  return (
    r.up |
    (r.primary << 1) |
    (r.cached << 2) |
    (r.stable << 4) |
    (r.generation << 6) |
    (r.parent << 9) |
    (r.dirty << 12) |
    (r.hot << 13) |
    (r.disk << 14) |
    (r.alone << 16) |
    (r.crashed << 17)
  );
}

function unpackReplica(word: number): Replica {
  const r = new Replica();
  r.up = word & 1;
  r.primary = (word >> 1) & 1;
  r.cached = (word >> 2) & 3;
  r.stable = (word >> 4) & 3;
  r.generation = (word >> 6) & 7;
  r.parent = (word >> 9) & 7;
  r.dirty = (word >> 12) & 1;
  r.hot = (word >> 13) & 1;
  r.disk = (word >> 14) & 3;
  r.alone = (word >> 16) & 1;
  r.crashed = (word >> 17) & 1;
  return r;
}
