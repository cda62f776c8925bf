/**
 * The messages between a host's control actor and its data actors: plain objects, in production
 * posted between threads. Both directions are level-triggered: a message states what is so, may be
 * repeated, and a later one replaces an earlier one.
 */
import type { SplitPolicy } from '../core/config.ts';
import type { BootId, Epoch, Generation, Micros, NodeId } from '../core/units.ts';
import type { TimelineEvent } from '../timeline/event.ts';

/** A replica that has every acknowledged write, in the life of its host that the log names. */
export interface Member {
  readonly node: NodeId;
  /** The host's boot when it was admitted; after a power loss it is no longer that member. */
  readonly boot: BootId;
  /**
   * The disk that was admitted: 32 bits of its identity. Absent as long as nothing of the
   * configuration was changed online: a host has one disk of a replica then.
   */
  readonly disk?: number;
}

/** Whether the member is this life of its host, with this disk; 0 where nobody knows which. */
export function isAlive(member: Member | undefined, boot: BootId, device: number): boolean {
  return member?.boot === boot && isDiskOf(member, device);
}

/** Whether the member may be that disk, as far as anybody knows: 0 where nobody does. */
export function isDiskOf({ disk = 0 }: Member, device: number): boolean {
  return disk === 0 || device === 0 || disk === device;
}

/** What the committed log says of one volume. Every change raises `epoch`. */
export interface VolumeRecord {
  readonly volume: string;
  readonly epoch: Epoch;
  /** The node that may write, 0 for none. */
  readonly primary: NodeId;
  /** The in-sync set, sorted by node. */
  readonly members: readonly Member[];
  /**
   * The generation that the members' data has under this epoch. It is new whenever the set
   * shrinks or a primary starts without a member that has the data, else carried over.
   */
  readonly generation: Generation;
  /**
   * Generations of takers that were named before this one and never served: a replica may have
   * one durably, but no write. Who starts `generation` counts them among its parents. Absent when
   * there are none.
   */
  readonly voided?: readonly Generation[];
  /** An order to give a branch up, until its replica is a member again. Absent without one. */
  readonly discard?: Discard;
  /**
   * The last order, if a person took it back: no policy gives it again while both have what it
   * named. Known to control alone. Absent without one.
   */
  readonly takenBack?: Discard;
}

/**
 * A committed order to overwrite one replica, whose data went on apart from the other's. It holds
 * for exactly the data that it names, and nothing is overwritten before it is confirmed.
 */
export interface Discard {
  /** Whose data are given up. */
  readonly node: NodeId;
  /** What that replica has. */
  readonly generation: Generation;
  /** What is kept: the other replica has it, or has gone on from it. */
  readonly keeps: Generation;
  /** Its name: the epoch in which it was given. */
  readonly order: Epoch;
  /** Who gave it; 'accept-loss' where a person accepted what is lost with who is not heard. */
  readonly by: 'operator' | 'accept-loss' | SplitPolicy;
  /** At most so many blocks of it are dirty; -1 where whoever decided did not look at that. */
  readonly atMost: number;
  /** Both were looked at again when nobody served by the victim any more: it may be overwritten. */
  readonly confirmed: boolean;
  /** By accepted loss: who leads from what it has, whoever was in sync. Absent otherwise. */
  readonly taker?: NodeId;
}

/** Most generations that a record names as void. */
export const VOIDED_MAX = 16;

/** A replica's state, the field's terms (design.md "Words"). */
export type DiskState =
  | 'Diskless'
  | 'Failed'
  | 'Inconsistent'
  | 'Outdated'
  | 'Consistent'
  | 'UpToDate';

/** The role of a host for a volume. */
export type Role = 'Idle' | 'Secondary' | 'Primary' | 'Suspended' | 'Fenced';

/** The state of the replication link to one peer, as the data actor sees it. */
export type LinkState = 'Connecting' | 'Connected' | 'SyncSource' | 'SyncTarget' | 'Refused';

/** Why a disk is taken for one that fails soon: blocks that went bad in a day, or no room left. */
export type FailingReason = 'read-errors' | 'spare';

/** What became of the image that an unfinished copy is overwriting. */
export interface WayBack {
  /**
   * kept: it can be put back. returning: that is being done. held: it can, and the copy waits,
   * because it could not any more. lost: it cannot.
   */
  readonly state: 'kept' | 'returning' | 'held' | 'lost';
  /** Why it is held or lost; '' where there never was one, or nothing is the matter. */
  readonly reason: '' | 'full' | 'unreadable' | 'damaged' | 'branch';
  /** What the image is of. */
  readonly generation: Generation;
  /** Blocks (4 KiB) whose old content is kept. */
  readonly blocks: number;
  readonly usedBytes: number;
  readonly roomBytes: number;
}

/** A branch that was given up by order, and is kept on the node that had it until it is dropped. */
export interface KeptBranch {
  /** whole: every block of it is there. damaged: some of its log can not be read any more. */
  readonly state: 'whole' | 'damaged';
  readonly generation: Generation;
  /** Of the record under which it was overwritten. */
  readonly epoch: Epoch;
  /** The generation that was kept in its place; 0 where the damage took it. */
  readonly keeps: Generation;
  /** The last one that both had; 0 where they were strangers. */
  readonly shared: Generation;
  /** The order: {@link Discard.order}, {@link Discard.by}. */
  readonly order: Epoch;
  readonly by: Exclude<Discard['by'], 'accept-loss'>;
  /** What it takes of the side area; blocks of zeroes take none. */
  readonly usedBytes: number;
  /** A copy to this replica may not begin, and waits until it is dropped. Absent if none does. */
  readonly holds?: true;
}

/**
 * A branch that was given up by order on a node with a side area, and could not be kept whole. The
 * replica says so until it starts anew, keeps another one, or a person has seen it.
 */
export interface LostBranch {
  /** The area was full, or had another branch; it could not be read; its log was damaged. */
  readonly reason: 'full' | 'branch' | 'unreadable' | 'damaged';
  readonly generation: Generation;
  /** As of {@link KeptBranch}. */
  readonly keeps: Generation;
  readonly order: Epoch;
  readonly by: KeptBranch['by'];
}

/** How far an asynchronous replica is behind: what is not in an image there for certain. */
export interface Lag {
  readonly bytes: number;
  readonly writes: number;
  /** Since the oldest of them was issued. */
  readonly micros: number;
}

/** What a replica says of its data while the peer's went on apart from it, or is a stranger's. */
export interface Branch {
  readonly verdict: 'split-brain' | 'unrelated';
  readonly generation: Generation;
  /** Youngest first. */
  readonly parents: readonly Generation[];
  /** The peer's generation, as it was heard. */
  readonly peer: Generation;
  /** The generation that this replica and its peer last had in full. */
  readonly shared: Generation;
  /** Highest epoch durably seen. */
  readonly epoch: Epoch;
  /** Blocks (4 KiB) that may differ from what both had in `shared`. */
  readonly dirty: number;
  /** So many of them, at most, only because writes may have been under way there in a crash. */
  readonly padded: number;
  /** Whether nobody serves by this replica: what it has changes no more without another record. */
  readonly settled: boolean;
  /** Id of the event that told of it last; programs of before say none. */
  readonly event?: string;
}

/**
 * How replicas are compared: by all that the other one has (`direct`), by digests that both take of
 * it (`digest`), or by what the metadata of both say, without reading data (`quick`).
 */
export type VerifyLevel = 'direct' | 'digest' | 'quick';

/** What people want of the other replica's content: to know, or to have it put right. */
export interface VerifyOrder {
  /** Tells this order from every other one; never 0. Who goes on with one keeps its number. */
  readonly id: number;
  readonly level: VerifyLevel;
  /** The first block (4 KiB) to be looked at: where an earlier order stopped, or 0. */
  readonly from: number;
  /** Whether the primary's copy of a block that differs is written over the other one. */
  readonly repair: boolean;
  /** Bytes a second that are compared at most; 0 for as fast as clients leave room. */
  readonly bytesPerSecond: number;
  /** What was found before `from` by whoever began it; absent at the beginning. */
  readonly found?: VerifyTally;
}

/** A run of blocks with which something is wrong. */
/** Why a copy is right, or why nobody knows. */
export type VerifyReason =
  | 'no-checksums'
  | 'checksum'
  | 'medium-error'
  | 'both-lost'
  | 'dirty'
  | 'other-dirty';

export interface VerifyFinding {
  readonly block: number;
  readonly blocks: number;
  /** They differ, one or both disks did not give them, or a map says that they may differ. */
  readonly what: 'differs' | 'unreadable' | 'dirty';
  /** The node whose copy is right, 0 where nobody knows. */
  readonly right: NodeId;
  /** Why it is right, or why nobody knows. */
  readonly why: VerifyReason;
  /** How many of them were written anew, and are the same now. */
  readonly repaired: number;
  /** What each has: the digest of the first of them, 'unreadable', or '' where it is not known. */
  readonly copies: readonly { readonly node: NodeId; readonly holds: string }[];
}

/** What the metadata of the two say of one thing, where they ought to say the same. */
export interface VerifyDisagreement {
  readonly what: 'epoch' | 'generation' | 'disk' | 'map' | 'writes';
  readonly says: readonly { readonly node: NodeId; readonly value: string }[];
}

/** What was found so far, in blocks of 4 KiB. */
export interface VerifyTally {
  readonly checked: number;
  readonly differing: number;
  readonly repaired: number;
  /** Blocks that one of the two disks, or both, did not give. */
  readonly unreadable: number;
  /** The first runs of blocks with which something is wrong. */
  readonly findings: readonly VerifyFinding[];
}

/** How far an order is. Counts and positions are in blocks of 4 KiB. */
export interface VerifyReport extends VerifyTally {
  readonly kind: 'verify';
  readonly volume: string;
  readonly id: number;
  readonly level: VerifyLevel;
  readonly repair: boolean;
  /** Paused while the peer is away; it goes on by itself. Stopped and done are the end. */
  readonly state: 'running' | 'paused' | 'stopped' | 'done';
  /** Why it is paused or stopped, '' otherwise. */
  readonly reason: string;
  /** Everything before this was looked at. */
  readonly cursor: number;
  readonly blocks: number;
  /** Of a quick one: what the two metadata disagree on. */
  readonly disagreements: readonly VerifyDisagreement[];
}

/**
 * Longest that a quiesce point is held. Clients wait meanwhile: a file system bears half a minute,
 * and a block device's client begins to give requests up after that.
 */
export const QUIESCE_MAX: Micros = 30_000_000;

/** What people want for a moment: nothing in flight, and everything acknowledged stable. */
export interface QuiesceOrder {
  /** Tells this order from every other one; never 0. */
  readonly id: number;
  /** Until when it is held at most (this host's monotonic clock). */
  readonly until: Micros;
}

/** What became of a quiesce point. */
export interface QuiesceReport {
  readonly kind: 'quiesce';
  readonly volume: string;
  readonly id: number;
  /** Quiet: from now until it has ended every member's disk has the image of this moment. */
  readonly state: 'quiet' | 'ended';
  /** Why it ended: 'released' where that was asked for and it stood until then; '' when quiet. */
  readonly reason: string;
  readonly epoch: Epoch;
  /** The replicas that have the image. */
  readonly members: readonly NodeId[];
  readonly cause: string;
}

/** What clients' requests took in a span of about a second, and what the mirror added to it. */
export interface Meters {
  /** How long the span was. */
  readonly micros: Micros;
  /** Requests that succeeded, and their bytes. */
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Sums over these requests, from when they came until they were answered. */
  readonly readMicros: Micros;
  readonly writeMicros: Micros;
  /**
   * Of that, what writes took beyond the own disk's part: for their place behind others, for the
   * activity log and for the peers.
   */
  readonly addedMicros: Micros;
  /** 99 of 100 writes were done within this; a power of two, 0 for no writes. */
  readonly writeMost: Micros;
  /** Bytes that went to peers: clients' writes and copies. */
  readonly bytesSent: number;
}

/** From control to data. */
export type DataCommand =
  | {
      /** The committed record, whenever it changes and after each Attached report. */
      readonly kind: 'record';
      readonly record: VolumeRecord;
      /** Id of the control event that caused it, for the timeline. */
      readonly cause: string;
      /** It makes a replica lead whose disk failed in this boot, whatever its metadata say. */
      readonly doubted?: boolean;
    }
  | {
      /**
       * Until when this host may act as primary (its monotonic clock). A later grant extends; it
       * is never taken back, it runs out. Reads and writes are admitted and completed only before.
       */
      readonly kind: 'grant';
      readonly until: Micros;
      /** Id of the control event in which this host came to its right, for the timeline. */
      readonly cause: string;
    }
  | {
      /** Give up the primary role in `epoch`: no new requests, drain, flush, report Stopped. */
      readonly kind: 'demote';
      readonly epoch: Epoch;
      readonly cause: string;
    }
  | {
      /** What is to be verified; null for nothing. Ends with this life of the data actor. */
      readonly kind: 'verify';
      readonly order: VerifyOrder | null;
      readonly cause: string;
    }
  | {
      /** Admit nothing, drain, flush, report, and stay so: one at a time. */
      readonly kind: 'quiesce';
      readonly order: QuiesceOrder;
      readonly cause: string;
    }
  | {
      /** Let the quiesce point `id` go. */
      readonly kind: 'resume';
      readonly id: number;
      readonly cause: string;
    }
  | {
      /** Put back the image that an unfinished copy has overwritten. */
      readonly kind: 'return';
      readonly cause: string;
    }
  | {
      /** The branch of that generation, which is kept here, is needed no more. */
      readonly kind: 'drop-branch';
      readonly generation: Generation;
      readonly cause: string;
    }
  | {
      /**
       * As the primary, mirror to none of these hosts, which leave the volume or get another disk:
       * a link to one is lost. In place of those that were named before.
       */
      readonly kind: 'part';
      readonly nodes: readonly NodeId[];
    }
  | {
      /**
       * Clients are to see so many bytes of the volume, from its beginning on. In place of what was
       * told before; until anything is, those of the configuration.
       */
      readonly kind: 'serve';
      readonly bytes: number;
    }
  | {
      /**
       * By the backend itself: what waits to be sent on to the asynchronous replica of `node` has a
       * file, or none. Then `reason` says why, '' for nothing to tell.
       */
      readonly kind: 'spill';
      readonly node: NodeId;
      readonly on: boolean;
      readonly reason: string;
    };

/** From data to control. */
export type DataReport =
  | {
      /** The replica's metadata was read (or could not be): sent once after each start. */
      readonly kind: 'attached';
      readonly volume: string;
      readonly disk: DiskState;
      readonly generation: Generation;
      /** Highest epoch durably seen. */
      readonly epoch: Epoch;
      /** Whether writes may have been in flight when the last session ended (hot extents). */
      readonly hot: boolean;
      /** Whether its disk failed earlier in this boot: acknowledged writes may be gone. */
      readonly doubted: boolean;
      /** It is doubted only for what an earlier core of this boot had received, and not written. */
      readonly lacking?: boolean;
      /** What its data went through before `generation`, youngest first; absent for nothing. */
      readonly parents?: readonly Generation[];
      /** 32 bits of the disk's identity; absent where its metadata could not be read. */
      readonly device?: number;
      readonly cause: string;
    }
  | {
      /** From now on requests may reach to that byte: whoever connects is shown as much. */
      readonly kind: 'size';
      readonly volume: string;
      readonly bytes: number;
    }
  | {
      /** Whenever any field changes. `dirty` is in blocks, towards the peer. */
      readonly kind: 'state';
      readonly volume: string;
      readonly disk: DiskState;
      readonly role: Role;
      readonly epoch: Epoch;
      readonly link: LinkState;
      readonly dirty: number;
      /** Requests admitted and not completed. */
      readonly pending: number;
      /** Id of the event in which the disk failed; absent while it has not. */
      readonly failure?: string;
      /** The path to its disk is lost, and may be back. Absent if not so. */
      readonly pathLost?: boolean;
      /** Its disk failed a write or a flush: acknowledged writes may be gone. Absent if not so. */
      readonly doubted?: boolean;
      /** Only as for the attached report. Absent if not so. */
      readonly lacking?: boolean;
      /** Its disk is likely to fail soon, and why. Absent if not so. */
      readonly failing?: FailingReason;
      /** Its disk failed, and it goes on through other members, or will soon. Absent if not so. */
      readonly proxies?: boolean;
      /** Whether it has what the record's order keeps; absent where none keeps this replica. */
      readonly keeps?: boolean;
      /** An asynchronous replica: the generation of the image that it has. Absent elsewhere. */
      readonly image?: Generation;
    }
  | {
      /**
       * Propose, against the record of `epoch`, that the in-sync set become `members`. Stands
       * until a record of a higher epoch arrives; control may propose it again and again. The
       * data actor acts on whatever record comes, not on the fate of this proposal.
       */
      readonly kind: 'want';
      readonly volume: string;
      readonly epoch: Epoch;
      readonly members: readonly NodeId[];
      /**
       * The life of the peer that the wish is about, from its hello; 0 when no hello was heard. A
       * record that admits the peer must name this boot (docs/decisions/0005).
       */
      readonly peerBoot: BootId;
      /** And its disk, from the same hello: 32 bits of its identity, 0 where none was heard of. */
      readonly peerDisk: number;
      readonly reason:
        | 'peer-lost'
        | 'peer-failed'
        | 'resync-done'
        | 'settle'
        /** The primary leaves itself out: its disk failed, and `members` do not name it. */
        | 'disk-failed';
      /** Blocks (4 KiB) that were written without the peer, at least; absent for none. */
      readonly changed?: number;
      /** Id of the data actor's event behind the wish. */
      readonly cause: string;
    }
  | {
      /** Primary of `epoch` and serving: the volume may be used. */
      readonly kind: 'active';
      readonly volume: string;
      readonly epoch: Epoch;
      /** Through other members, without a replica of its own. Absent if not so. */
      readonly proxies?: boolean;
      readonly cause: string;
    }
  | {
      /** Demoted in `epoch`: nothing in flight, everything acknowledged is flushed. */
      readonly kind: 'stopped';
      readonly volume: string;
      readonly epoch: Epoch;
      readonly cause: string;
    }
  | VerifyReport
  | QuiesceReport
  | {
      /** Each second with requests, and the first one without any more. */
      readonly kind: 'meters';
      readonly volume: string;
      readonly meters: Meters;
    }
  | {
      /**
       * The peer's data are another branch, or a stranger's: when that is found, and from time to
       * time while the counts grow. Null when it is so no more, or the peer is not heard.
       */
      readonly kind: 'branch';
      readonly volume: string;
      readonly branch: Branch | null;
    }
  | {
      /** What became of the image that a copy is overwriting, null while none is. */
      readonly kind: 'way-back';
      readonly volume: string;
      readonly wayBack: WayBack | null;
    }
  | {
      /** The branch that is kept here: when it is there, read after a start, or dropped (null). */
      readonly kind: 'kept-branch';
      readonly volume: string;
      readonly branch: KeptBranch | null;
      /** The last one that could not be kept; absent where there is none. */
      readonly lost?: LostBranch;
    }
  | {
      /** How far the asynchronous replica of a host is behind; null while nothing is sent to it. */
      readonly kind: 'lag';
      readonly volume: string;
      readonly peer: NodeId;
      readonly lag: Lag | null;
    }
  | {
      /** Data that must not meet met: handshake refused, with the reason's code. */
      readonly kind: 'refused';
      readonly volume: string;
      readonly peer: NodeId;
      readonly reason: string;
      readonly cause: string;
    }
  | {
      /** For the timeline (both streams share one schema). */
      readonly kind: 'event';
      readonly event: TimelineEvent;
    };

/** The two queues beside the records: Event.Control and Decision.Report name an index here. */
export interface Mailboxes {
  /** Filled by the backend before a step, read by the actor during it. */
  readonly inbox: DataCommand[];
  /** Filled by the actor during a step, emptied by the backend after it. */
  readonly outbox: DataReport[];
}

/** What every data actor offers a backend. */
export interface DataActor {
  /**
   * Handles the first `count` event records, in order, at time `now`, and returns how many
   * decision records it wrote. `now` never runs backwards. Throws InvariantError when a belief
   * is broken: the whole core must then stop.
   */
  step(count: number, now: Micros): number;
}
