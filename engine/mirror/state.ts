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
  /** The event that is being handled. */
  readonly #cause: () => string;
  #disk: DiskState = 'Diskless';
  #record: VolumeRecord | null = null;
  #lead = false;
  #demoted = false;
  #fencing = false;
  #through: number = Through.No;
  /** The events in which the disk, and what the role depends on besides time, changed last. */
  diskBy = '';
  roleBy = '';
  /** Whether that of the role was since this was last cleared. */
  roleMoved = true;
  /** Id of the event in which the disk failed, '' while it has not. */
  failure = '';
  /** Whether it failed because the path to it is lost: it may be back. */
  pathLost = false;
  /** 32 bits of the disk's identity, 0 while it was not read. */
  device = 0;
  /** Whether the metadata was read and this life made durable. */
  attached = false;
  /** The primary is giving up its role: what is in flight ends, nothing new begins. */
  demoting = false;
  grantUntil: Micros = 0;
  /** The event by which the grant came. */
  grantBy = '';
  #token = 0;
  /** Its disk failed by saying nothing. */
  #hung = false;

  constructor(
    node: NodeId,
    boot: BootId,
    canary?: Pick<CanarySwitches, 'otherDiskAdmitted'>,
    cause: () => string = () => '',
  ) {
    this.node = node;
    this.boot = boot;
    this.#anyDisk = canary?.otherDiskAdmitted === true;
    this.#cause = cause;
  }

  /** Written by the attach, the role and a disk failure. */
  get disk(): DiskState {
    return this.#disk;
  }

  set disk(disk: DiskState) {
    if (disk === this.#disk) return;
    this.#disk = disk;
    this.diskBy = this.#cause();
    this.#moved();
  }

  /** The record in whose epoch this host acts; its epoch is durable here. */
  get record(): VolumeRecord | null {
    return this.#record;
  }

  set record(record: VolumeRecord | null) {
    if (record === this.#record) return;
    this.#record = record;
    this.#moved();
  }

  /** Primary of `record`, with data that may be served while the grant lasts. */
  get lead(): boolean {
    return this.#lead;
  }

  set lead(lead: boolean) {
    if (lead === this.#lead) return;
    this.#lead = lead;
    this.#moved();
  }

  /** The primary gave up its role in the record's epoch. */
  get demoted(): boolean {
    return this.#demoted;
  }

  set demoted(demoted: boolean) {
    if (demoted === this.#demoted) return;
    this.#demoted = demoted;
    this.#moved();
  }

  /** A record named another primary; requests in flight are being ended. */
  get fencing(): boolean {
    return this.#fencing;
  }

  set fencing(fencing: boolean) {
    if (fencing === this.#fencing) return;
    this.#fencing = fencing;
    this.#moved();
  }

  /** One of {@link Through}. */
  get through(): number {
    return this.#through;
  }

  set through(through: number) {
    if (through === this.#through) return;
    this.#through = through;
    this.#moved();
  }

  #moved(): void {
    this.roleMoved = true;
    this.roleBy = this.#cause();
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
