/**
 * The validated configuration, in engine units (bytes, microseconds, node numbers). Reading YAML
 * and telling lines belongs to cli/config; judging what is safe belongs to `checkConfig`
 * (engine/cluster/config-check.ts). The same object drives simulation and production.
 */
import type { Micros, NodeId } from './units.ts';

/** One host or witness. */
export interface NodeConfig {
  readonly id: NodeId;
  readonly name: string;
  /** A witness votes, and holds no volume and no group. */
  readonly witness: boolean;
  /** UDP addresses "host:port", one per link, in the same order on every node. */
  readonly control: readonly string[];
  /** TCP address for replication, "" for a witness. */
  readonly replication: string;
  /** Watchdog device, or 'none'. Simulated hosts have one unless it says none. */
  readonly watchdog: string;
}

/** One replica of a volume. */
export interface ReplicaConfig {
  readonly node: NodeId;
  /** File or block device; of a volume with parts, that of the last one. */
  readonly path: string;
  /** The file or block device of each part, in the order of the volume's; absent like its parts. */
  readonly parts?: readonly string[];
  /** Separate metadata device, or '' for the end of `path`. */
  readonly meta: string;
  /**
   * Bytes of its side area, whole pages of 4 KiB, 256 KiB at least: what a resync overwrites is
   * kept there first. Absent for none.
   */
  readonly sideBytes?: number;
  /** Separate device of the side area; absent or '' for behind the metadata. */
  readonly side?: string;
  /**
   * Asynchronous: no write waits for it, and it is always an earlier image of the volume. It needs
   * a side area. Absent like sync.
   */
  readonly mode?: 'sync' | 'async';
  /**
   * Asynchronous only: folder, on whatever host leads, in which a file without a name is made for
   * what waits to be sent to it and is too much for memory. Absent for none.
   */
  readonly spill?: string;
}

/**
 * A part of a volume: on a disk of its own everywhere, and to clients a block device of its own.
 * All parts of a volume have one order of writes, one set of replicas in sync, and one moment.
 */
export interface PartConfig {
  /** Of the export; no other part of the volume has it. */
  readonly name: string;
  /** A multiple of 1 MiB, so that neither an extent nor a copy has two parts. */
  readonly sizeBytes: number;
}

export interface VolumeConfig {
  readonly name: string;
  /** 128-bit, 32 hexadecimal digits. */
  readonly uuid: string;
  /**
   * What each replica has of data, of all parts together where it has some: all of it is mirrored,
   * and it stays the same for as long as there is a replica.
   */
  readonly sizeBytes: number;
  /**
   * What clients see of it, from the beginning on, no more than `sizeBytes`: it can become more
   * while the volume is served. Absent where they see all.
   */
  readonly servedBytes?: number;
  /**
   * 2 to 16, one behind the other: names, sizes and order are fixed once a replica exists. Absent
   * for a volume that is one disk.
   */
  readonly parts?: readonly PartConfig[];
  readonly logicalBlock: 512 | 4096;
  readonly replicas: readonly ReplicaConfig[];
  /** Per node: where its NBD export listens, "host:port" on loopback or "unix:/path". */
  readonly nbd: readonly { readonly node: NodeId; readonly listen: readonly string[] }[];
  /** Most extents hot at once (1 MiB each), 2..13312. */
  readonly activityLogExtents: number;
  /**
   * A local disk that answers nothing for so long is given up where another host has the data;
   * 1 s..10 min.
   */
  readonly diskTimeout: Micros;
  /**
   * When a write completes: with semi-sync a member need only have received it, not written it.
   * Absent like sync.
   */
  readonly mode?: 'sync' | 'semi-sync';
  /**
   * What becomes of the primary's disk that fails: its volume and group move to another host, or
   * they stay, and are served through the other replicas. Absent like switch.
   */
  readonly onDiskFailure?: 'switch' | 'proxy';
  /** Who serves reads: the own disk, or whichever copy is likely to be quicker; default local. */
  readonly reads?: 'local' | 'balanced';
  /** Whether each replica keeps a checksum of every block; only with a logical block of 4096. */
  readonly checksums?: boolean;
  /** Whose changes are given up when both replicas went on apart; absent like 'manual'. */
  readonly splitBrain?: SplitPolicy;
  /**
   * When the side area of a replica is full that is being copied to: the copy waits for a person,
   * or it goes on and there is no way back. Absent like best-effort.
   */
  readonly undo?: 'required' | 'best-effort';
  /**
   * Whether a resync compares digests before it sends: as long as that spares something, always, or
   * never. Absent like off.
   */
  readonly skipEqual?: 'auto' | 'on' | 'off';
  /** How often its replicas are compared by themselves; absent for never. */
  readonly verify?: VerifySchedule;
  /** How far asynchronous replicas may be behind; absent for the defaults. */
  readonly lag?: LagLimits;
  /**
   * Version of the agreed configuration that changed last who holds a replica. Not in any file;
   * absent where nobody has changed that since the cluster began.
   */
  readonly layout?: number;
}

/** What an asynchronous replica may be behind, and what happens there. */
export interface LagLimits {
  /** Bytes that it may lack of what was written, 1 MiB..1 GiB, or 64 GiB where all have a spill. */
  readonly bytes: number;
  /**
   * At the limit: writes wait until the replica has caught up with some, or nothing is sent any
   * more, and what it lacks is copied later while it keeps its last image. Absent like copy.
   */
  readonly atLimit?: 'wait' | 'copy';
  /** How often it becomes a later image, 10 ms..1 min. */
  readonly pointEvery: Micros;
}

/** Comparisons that nobody has to order. They repair nothing. */
export interface VerifySchedule {
  /** From the end of one to the beginning of the next, 1 min..1 year, while the volume is led. */
  readonly every: Micros;
  readonly level: 'direct' | 'digest' | 'quick';
  /** Bytes a second that are compared at most; 0 for no limit. */
  readonly bytesPerSecond: number;
}

/**
 * What ends a split brain by itself. The names say what is given up: the branch of the host that
 * became primary only after the replicas parted, or of the one that was it before; the branch in
 * which nothing, or less, was written; that of the host which owns the volume by the log ("local"),
 * or the other one. 'manual': a person decides.
 */
export type SplitPolicy =
  | 'manual'
  | 'discard-younger-primary'
  | 'discard-older-primary'
  | 'discard-unchanged'
  | 'discard-fewer-changes'
  | 'discard-local'
  | 'discard-remote';

export const SPLIT_POLICIES: readonly SplitPolicy[] = [
  'manual',
  'discard-younger-primary',
  'discard-older-primary',
  'discard-unchanged',
  'discard-fewer-changes',
  'discard-local',
  'discard-remote',
];

/** A plain command application; '' for none (then the group only holds its volume). */
export interface ApplicationConfig {
  readonly start: string;
  readonly stop: string;
  readonly check: string;
  readonly checkEvery: Micros;
  readonly startTimeout: Micros;
  readonly stopTimeout: Micros;
}

export interface GroupConfig {
  readonly name: string;
  readonly volume: string;
  readonly application: ApplicationConfig | null;
  /** Nodes in order of preference. */
  readonly nodes: readonly NodeId[];
}

/** All in µs; the inequality of LAW-one-holder is checked when the configuration is read. */
export interface TimingConfig {
  /** Heartbeats and lease renewals are sent this often. */
  readonly heartbeat: Micros;
  /** A peer is suspect after this much silence on all links. */
  readonly suspect: Micros;
  /** P: how long a node may keep petting after it sent its oldest counting renewal. */
  readonly pet: Micros;
  /** W: the watchdog resets this long after the last pet. */
  readonly watchdog: Micros;
  /** ε_w: the watchdog's own delay. */
  readonly watchdogDelay: Micros;
  /** δ_io: how long a reset machine's I/O can still land on shared disks; 0 for own replicas. */
  readonly ioDelay: Micros;
  /** G: a voter's promise after a renewal. */
  readonly grant: Micros;
  /** ρ: clock rate error bound, in parts per million. */
  readonly clockRatePpm: number;
  /** A follower stands for election after this much silence of the leader, plus up to as much. */
  readonly election: Micros;
}

export interface ClusterConfig {
  readonly name: string;
  readonly nodes: readonly NodeConfig[];
  readonly volumes: readonly VolumeConfig[];
  readonly groups: readonly GroupConfig[];
  readonly timing: TimingConfig;
}

/** Default timing (design.md §4): P 1 s, W 2 s, G 3.2 s. */
export const DEFAULT_TIMING: TimingConfig = {
  heartbeat: 500_000,
  suspect: 1_500_000,
  pet: 1_000_000,
  watchdog: 2_000_000,
  watchdogDelay: 100_000,
  ioDelay: 0,
  grant: 3_200_000,
  clockRatePpm: 1000,
  election: 1_000_000,
};
