/**
 * What the oracles of one volume know together: its history, its disks and the committed record.
 */
import type { VolumeConfig } from '../../../engine/core/config.ts';
import type { BootId, NodeId } from '../../../engine/core/units.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import type { SimDisk } from '../disk.ts';
import type { History } from '../history.ts';
import type { Spoils } from '../spoils.ts';

/** What is known of a sector whose difference faulty metadata has forgotten. */
export const Orphan = {
  /** Nothing of the kind. */
  None: 0,
  /** Written anew since: caches agree, media may not. */
  OnMedia: 1,
  Everywhere: 2,
} as const;

/** One replica as the oracles see it. */
export interface ReplicaTruth {
  readonly leg: number;
  readonly node: number;
  readonly disk: SimDisk;
  /** The volume as its metadata is laid out for; null while it holds no replica. */
  volume(): VolumeConfig | null;
  /** What of a sector it has acknowledged to its primary and not written yet. */
  receivedAt(sector: number): readonly number[];
  /** The host's present boot, 0 when it is off. */
  boot(): number;
  /** The newest record that its data actor was given, or says that it acts by. */
  record: VolumeRecord | null;
  /** The record in which its data actor's present life said last that it serves. */
  acting: VolumeRecord | null;
  /** Until when it may act as primary, on its host's clock; and that clock. */
  granted: number;
  clock(): number;
  /** Disk state and role that the data actor reported last. */
  state: string;
  role: string;
  link: string;
  dirty: number;
  /** The boot in which it was a member last; 0 before. */
  memberBoot: number;
  /** Which of the disks of its place was admitted. */
  memberDisk: number;
  /** Which one a record means by such a tag; the one that is in where none has it. */
  readonly serialOf: (tag: number) => number;
  /**
   * Every write acknowledged up to this moment was on this replica; a later one need not be.
   */
  heldUntil: number;
  /**
   * Every write acknowledged up to this moment is on it, or will be, as a copy that its source had
   * made stable first; nobody else need have. 0 where it is not being copied to.
   */
  copiedUntil: number;
  /**
   * When it left the in-sync set with everything that was acknowledged; -1 when it is in the set,
   * or no image any more. While nothing is acknowledged after that, it has everything still: the
   * set that left it out may never serve.
   */
  leftAt: number;
  /**
   * When its disk failed, -1 when it has not since it was admitted: part of the cache may be lost,
   * as if its host had lost power, but that nothing but the failure tells.
   */
  shakenAt: number;
  /**
   * Whether its disk failed since all that it shows was last known to be on it: what it flushes may
   * not be stable for that (docs/decisions/0026).
   */
  doubtful: boolean;
  /**
   * Whether its disk is one that was put back, and has not been admitted since: it is known by its
   * generation that the maps of others are not about it.
   */
  isEarlier: boolean;
  /** Whether a faulty disk made it forget what it knew about itself, since it was admitted. */
  selfForgotten: boolean;
  /** Moments at which its links came up last, by the node at their other end. */
  readonly linkMoments: number[];
}

/** One volume as the oracles see it. */
export interface VolumeTruth {
  readonly index: number;
  readonly config: VolumeConfig;
  readonly sectors: number;
  readonly history: History;
  readonly replicas: readonly ReplicaTruth[];
  /** The record of the highest epoch that any data actor was given. */
  record: VolumeRecord | null;
  /** All records that any data actor was given, by epoch: a peer may pass one on. */
  readonly records: Map<number, VolumeRecord>;
  /** When each of them became the record of the highest epoch, in the order of their epochs. */
  readonly recordedAt: { readonly epoch: number; readonly moment: number }[];
  /** Latest moment of invocation among the flushed writes of each sector. */
  readonly flushed: Int32Array;
  /**
   * What sectors hold that a faulty disk spoiled. Oracles judge what each sector ought to be: the
   * engine must be right wherever a disk keeps its word, and can know nothing of the rest.
   */
  readonly spoils: Spoils;
  /**
   * Sectors in which replicas differed when a faulty disk had lost the metadata that named them
   * ({@link Orphan}). Nobody can know of the difference any more; a write that is stable ends it.
   */
  readonly orphaned: Uint8Array;
  /**
   * The last committed decision to keep one branch: when, whose, what each sector held by it, and
   * whether that one has said since that it serves, so that all of it is stable.
   */
  decided?: {
    readonly moment: number;
    readonly content: Int32Array;
    readonly kept: NodeId;
    stable: boolean;
  };
  /** Orders that somebody was heard to take back. */
  readonly saidBack: Set<number>;
  /** Whether one branch was kept, and the other one has not been filled from it yet. */
  apart?: boolean;
}

/**
 * Whether some replica has everything acknowledged and has not lost power since: a member, or one
 * that left the set and missed nothing. `acked` is when a write was acknowledged last.
 */
export function isHeld(truth: VolumeTruth, acked: number): boolean {
  const missedNothing = (replica: ReplicaTruth): boolean =>
    replica.shakenAt < 0 &&
    replica.leftAt >= acked &&
    replica.boot() > 0 &&
    replica.boot() === replica.memberBoot;
  const { record, replicas } = truth;
  const named = (replica: ReplicaTruth): boolean =>
    replica.shakenAt < 0 && (record === null ? replica.boot() > 0 : names(record, replica));
  return replicas.some((replica) => named(replica) || missedNothing(replica));
}

/** The volume by the newest agreement that any replica is made for. */
export function volumeNow({ config, replicas }: VolumeTruth): VolumeConfig {
  let newest = config;
  for (const replica of replicas) {
    const volume = replica.volume();
    if ((volume?.layout ?? 0) > (newest.layout ?? 0)) newest = volume ?? newest;
  }
  return newest;
}

/** Whether both hold a replica, each by what it is itself made for. */
export function areBoth(a: ReplicaTruth, b: ReplicaTruth): boolean {
  return isMadeFor(a, b) && isMadeFor(b, a);
}

function isMadeFor(one: ReplicaTruth, other: ReplicaTruth): boolean {
  return one.volume()?.replicas.some(({ node }) => node === other.node) === true;
}

/** Whether any replica forgot what it knew about itself, and was not filled anew since. */
export function isSelfForgotten(truth: VolumeTruth): boolean {
  return truth.replicas.some(({ selfForgotten }) => selfForgotten);
}

/** The replicas in the in-sync set that have not lost their caches since they were admitted. */
export function members(truth: VolumeTruth): ReplicaTruth[] {
  const { record } = truth;
  const whole = truth.replicas.filter(({ shakenAt }) => shakenAt < 0);
  if (record === null) return whole.filter((replica) => replica.boot() > 0);
  return whole.filter((replica) => counts(record, replica));
}

/**
 * Whether the record names the replica as it is, in that boot of its host: the disk that is in is
 * the one that was admitted. A host may have another one open, of whatever time that is.
 */
export function counts(record: VolumeRecord, replica: ReplicaTruth): boolean {
  return isAdmitted(replica) && names(record, replica);
}

/** Whether it is on the disk that was admitted last. */
export function isAdmitted({ memberDisk, disk }: ReplicaTruth): boolean {
  return memberDisk === disk.shelf.serial;
}

/** Whether the record names that boot of its host: the disk that was admitted has power. */
export function names(
  { members }: VolumeRecord,
  { node, boot: boots }: ReplicaTruth,
  boot: BootId = boots(),
): boolean {
  return members.some((member) => member.node === node && member.boot === boot);
}

/**
 * Whether the engine must have known that `stamp`, which a read found in the sector, is not what
 * ought to be there: the disk that it came from has a checksum of the block, made by this very life
 * of its core, and has kept its metadata. Where the disk made it on the way, both must have one.
 */
export function mustKnow(truth: VolumeTruth, sector: number, stamp: number): boolean {
  const { replicas, spoils } = truth;
  const isZero = (content: number): boolean => content === 0 || truth.history.zero[content] === 1;
  // Zeroes are zeroes, whoever wrote them.
  if (isZero(spoils.content(stamp)) && isZero(spoils.ought(stamp))) return false;
  const holders = replicas.filter(({ disk }) => disk.viewAt(sector) === stamp);
  const from = holders.length > 0 ? holders : replicas;
  return from.every(({ disk }) => !disk.metaSpoiled && disk.summed?.knows(sector) === true);
}
