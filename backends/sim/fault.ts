/**
 * Faults as data: what happens to which host or link, when, and for how long. They name roles where
 * a fault aims at whoever plays one at that moment. Carrying them out is {@link FaultDriver}'s job.
 */
import type { NodeId } from '../../engine/core/units.ts';
import type { CrashMode } from './disk-cache.ts';

/** Everything that can be done to a simulated world. */
export const FAULT_KINDS = [
  'cut',
  'clog',
  'loss',
  'power-off',
  'reboot',
  'power-off-hosts',
  'power-off-all',
  'kill-core',
  'kill-monitor',
  'pause-core',
  'freeze',
  'clock-rate',
  'wipe',
  'switch',
  'verify',
  'quiesce',
  'return',
  'read-error',
  'lying-flush',
  'lost-write',
  'misdirected-write',
  'stale-read',
  'write-error',
  'disk-stall',
  'bit-rot',
  'old-disk',
  'new-disk',
  'resolve',
  'take-back',
  'path-loss',
  'take-over',
  'add-replica',
  'remove-replica',
  'replace-replica',
  'grow-volume',
  'lose-folder',
] as const;
/** For configurations and schedules that ask for them: nobody draws them by chance elsewhere. */
export const AIMED_KINDS: readonly string[] = [
  'return',
  'path-loss',
  'take-over',
  'add-replica',
  'remove-replica',
  'replace-replica',
  'grow-volume',
  'lose-folder',
];
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults that have no length. */
export const INSTANT: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'kill-core',
  'kill-monitor',
  'switch',
  'verify',
  'resolve',
  'take-back',
  'take-over',
  'return',
  'bit-rot',
  'add-replica',
  'remove-replica',
  'replace-replica',
  'grow-volume',
  'lose-folder',
]);

/** What is done about two branches: in a swarm there are hardly ever two. */
export const SPLIT_FAULTS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'new-disk',
  'resolve',
  'take-back',
]);

/** Whoever plays a part when the fault fires. */
export const ROLES = ['leader', 'primary', 'secondary', 'witness'] as const;
export type Role = (typeof ROLES)[number];

/** What a fault waits for, once its time has come. */
export const MOMENTS = [
  'at-once',
  'write',
  'resync',
  'removal',
  'stop',
  'hand-over',
  'take-over',
] as const;
/**
 * Moments that schedules drawn by chance do not wait for: they are for those that aim. The last
 * four are the target's own: it sends a message to the other replica, its disk is about to end a
 * write of metadata, its link comes up, it begins to read its metadata.
 */
export const AIMED_MOMENTS = [
  'handshake',
  'copied',
  'resync-end',
  'message',
  'meta-write',
  'link-up',
  'attach',
] as const;
export type Moment = (typeof MOMENTS)[number] | (typeof AIMED_MOMENTS)[number];

/** Which links a network fault concerns. */
export const LINKS = ['all', 'replication', 'control', 'control-1', 'control-2'] as const;
export type Links = (typeof LINKS)[number];

/** Which part of a replica's disk a fault concerns. */
export const AREAS = ['data', 'metadata', 'everything'] as const;
export type Area = (typeof AREAS)[number];

export const WAYS = ['both', 'out', 'in'] as const;
export type Ways = (typeof WAYS)[number];

/** One fault. Times in microseconds of world time. */
export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
  /** How long; 0 is "until the world heals". Meaningless for kills and switches. */
  readonly for: number;
  readonly target: NodeId | Role;
  /**
   * The other end of a network fault, 0 for every other node; of read errors, the host whose disk
   * has the same sectors bad, 0 for none.
   */
  readonly peer: NodeId | Role | 0;
  readonly links: Links;
  /** Seen from the target. */
  readonly ways: Ways;
  /** Which unflushed sectors a loss of power keeps. */
  readonly cache: CrashMode;
  /**
   * Parts per million: loss, clock rate error, or operations of a disk that the fault strikes. Of
   * an order how it is said (see operators.ts).
   */
  readonly ppm: number;
  /** Whether a frozen guest's clock stands still as well. */
  readonly clockStops: boolean;
  readonly when: Moment;
  /** How long after its moment it strikes; {@link BY_CHANCE}: soon. */
  readonly after: number;
  /** How often the moment has to come, this once included. */
  readonly nth: number;
  readonly area: Area;
  /** How long before the fault a disk was as it comes back. */
  readonly age: number;
  /** Of a volume in parts: which of its disks it concerns. Absent for all of them. */
  readonly part?: string;
}

/** A fault that waits for a moment strikes some time soon after it. */
export const BY_CHANCE = -1;

/** Everything but kind and time at its plainest. */
export const PLAIN_FAULT: Omit<Fault, 'kind' | 'at'> = {
  for: 0,
  target: 'primary',
  peer: 0,
  links: 'all',
  ways: 'both',
  cache: 'random',
  ppm: 0,
  clockStops: false,
  when: 'at-once',
  after: BY_CHANCE,
  nth: 1,
  area: 'data',
  age: 0,
};
