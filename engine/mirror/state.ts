/** What the parts of a data actor must all know, and the few verbs on it. */
import type { BootId, Epoch, Micros, NodeId } from '../core/units.ts';
import { Status } from '../data/abi.ts';
import { type DiskState, isAlive, type Role, type VolumeRecord } from '../data/messages.ts';
import { isPathLoss } from './path.ts';
import type { CanarySwitches } from './switches.ts';

/** How far a primary is that goes on without its own disk. */
export const Through = {
  /** It does not. */
  No: 0,
  /** Its disk has failed, and nothing is completed until the log has left this replica out. */
  Asked: 1,
  /** The record keeps it as the primary and leaves its replica out: the members do all I/O. */
  On: 2,
} as const;

/** Whether the record's primary has no replica in its set: it serves through those that have. */
export function isProxied({ primary, members, discard }: VolumeRecord): boolean {
  if (primary === 0 || discard !== undefined || members.length === 0) return false;
  return !members.some(({ node }) => node === primary);
}

export class MirrorState {
  readonly node: NodeId;
  readonly boot: BootId;
  readonly #anyDisk: boolean;
  /** Written by the attach, the role and a disk failure. */
  disk: DiskState = 'Diskless';
  /** Id of the event in which the disk failed, '' while it has not. */
  failure = '';
  /** Whether it failed because the path to it is lost: it may be back. */
  pathLost = false;
  /** 32 bits of the disk's identity, 0 while it was not read. */
  device = 0;
  /** Whether the metadata was read and this life made durable. */
  attached = false;
  /** The record in whose epoch this host acts; its epoch is durable here. */
  record: VolumeRecord | null = null;
  /** Primary of `record`, with data that may be served while the grant lasts. */
  lead = false;
  /** The primary is giving up its role: what is in flight ends, nothing new begins. */
  demoting = false;
  /** The primary gave up its role in the record's epoch. */
  demoted = false;
  /** A record named another primary; requests in flight are being ended. */
  fencing = false;
  /** One of {@link Through}. */
  through: number = Through.No;
  grantUntil: Micros = 0;
  #token = 0;
  /** Its disk failed by saying nothing. */
  #hung = false;

  constructor(node: NodeId, boot: BootId, canary?: Pick<CanarySwitches, 'otherDiskAdmitted'>) {
    this.node = node;
    this.boot = boot;
    this.#anyDisk = canary?.otherDiskAdmitted === true;
  }

  /**
   * Its disk is no good any more: an operation ended with `status`, 0 where nobody knows, or had
   * not ended at all when its time was over (`hung`). While nothing of it is known yet, EIO is no
   * news of the medium: it is what a device says that cannot be reached, and what the first flush
   * says of writes that were lost in an earlier life.
   */
  fail(status: number, hung = false): void {
    this.disk = 'Failed';
    this.#hung = hung;
    this.pathLost = isPathLoss(status) || (!this.attached && status === Status.Io);
  }

  /**
   * Whether the disk has failed before an operation ended with `status`. A path that hangs runs
   * into the disk's deadline first, and only what ends later says that it was the path.
   */
  failedBefore(status: number): boolean {
    if (this.disk !== 'Failed') return false;
    // A disk that has answered with an error of its own is set offline by its host afterwards: that
    // looks like a path, and no path brings it back. One that only hung had said nothing.
    if (this.#hung && isPathLoss(status)) this.pathLost = true;
    return true;
  }

  get epoch(): Epoch {
    return this.record === null ? 0 : this.record.epoch;
  }

  /** Whether `record` names this host a member, with this disk, in this life unless `anyLife`. */
  isMember(record: VolumeRecord, anyLife: boolean): boolean {
    const me = record.members.find((m) => m.node === this.node);
    // RULE-06: the life before a power loss is not this one.
    if (me === undefined) return false;
    return isAlive(me, anyLife ? me.boot : this.boot, this.#anyDisk ? 0 : this.device);
  }

  /** Tokens of flushes and metadata I/O: small integers that come back with the answer. */
  nextToken(): number {
    this.#token = (this.#token % 0x7fffffff) + 1;
    return this.#token;
  }

  /** Whether requests may be admitted and completed now. */
  mayServe(now: Micros): boolean {
    return this.lead && now < this.grantUntil;
  }

  role(now: Micros): Role {
    if (this.fencing) return 'Fenced';
    if (this.record === null) return 'Idle';
    if (this.record.primary !== this.node || this.demoted) return 'Secondary';
    const able = this.disk === 'UpToDate' || this.through === Through.On;
    return this.lead && now < this.grantUntil && able ? 'Primary' : 'Suspended';
  }
}
