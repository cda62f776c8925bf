/** What one mirrored volume is told when it is made, with units and limits. */
import { invariant } from '../core/invariant.ts';
import { BLOCK_BYTES, EXTENT_BYTES, type Micros, type NodeId } from '../core/units.ts';
import { HOT_MAX } from './journal.ts';
import { namedMax } from './naming.ts';
import type { SkipEqual } from './skip-equal.ts';
import { undoLayout } from './undo-log.ts';

export interface MirrorConfig {
  /** The volume's name in the configuration. */
  readonly volume: string;
  /** The volume's 128-bit identity, 32 hexadecimal digits. */
  readonly uuid: string;
  /** Bytes of data, a multiple of 4096, at most 64 TiB; equal on all replicas. */
  readonly sizeBytes: number;
  /**
   * Bytes that clients may ask for, from the beginning on, until control says otherwise. What is
   * behind them is mirrored as all the rest. Absent for all.
   */
  readonly servedBytes?: number;
  readonly logicalBlock: 512 | 4096;
  /** The two to four hosts that hold a replica, in an order that stays the same. */
  readonly nodes: readonly NodeId[];
  /**
   * Most hot extents at once, in MiB what a crash makes us copy at most: 4 or more, and no more
   * than the journal ring can name, which is 13888 with the defaults below. Beyond one page's worth
   * what went cold while the last few pages were written comes to it.
   */
  readonly alExtents: number;
  /** Pages of the journal ring, 4..1024. */
  readonly journalPages: number;
  /** Extents that one journal page names at most, 4..896; less than 896 to meet long sets soon. */
  readonly journalExtents?: number;
  /** Pages of 4 KiB from one superblock slot to the other at least, 1..65536. */
  readonly slotDistance: number;
  /**
   * Bytes of one zeroing request at most, a multiple of 4096: it has no payload, so it may be
   * longer than a slot; its extents and one more must fit the hot set.
   */
  readonly zeroBytes: number;
  /**
   * Whether a resync compares digests before it sends: always, never, or as long as that spares
   * something. Absent like off, in recordings of earlier programs.
   */
  readonly skipEqual?: SkipEqual;
  /** Resync copies in flight at most; the engine's slots bound it too. */
  readonly resyncWindow: number;
  /** Bytes of one resync copy at most, a multiple of 4096; the slots bound it too. */
  readonly resyncChunk: number;
  /** A resync yields when the application's requests take longer than this. */
  readonly resyncLatency: Micros;
  /** Bytes a second that a resync copies however long requests take, 4096 at least. */
  readonly resyncRateMin: number;
  /** A barrier starts by itself after this many writes. */
  readonly barrierWrites: number;
  /** A barrier starts by itself this long after the first write that it would cover. */
  readonly barrierDelay: Micros;
  /** A peer that owes an answer and makes no progress for this long is lost. */
  readonly peerTimeout: Micros;
  /** A new primary waits this long for the other member's link before it asks to go alone. */
  readonly connectTimeout: Micros;
  /**
   * A local disk that leaves an operation unanswered for this long is given up, like one that says
   * that it failed. Longer than a disk's own retries and resets in the ordinary case: the replica
   * has to be copied to afterwards.
   */
  readonly diskTimeout: Micros;
  /** Whether a client's write completes when members have received it, before they have written. */
  readonly semiSync: boolean;
  /** Whether a primary whose disk fails goes on through the other members. */
  readonly proxies: boolean;
  /** Whether reads go to whichever copy is likely to be quicker, and not to the own disk alone. */
  readonly balanceReads: boolean;
  /**
   * Whether each replica keeps a checksum of every block. Fixed when a replica is made; only with a
   * logical block of 4096, so that nobody reads or writes a part of what a checksum is of.
   */
  readonly checksums: boolean;
  /** Pages of the checksum map in memory, 1..65536: each has the sums of 3 MiB in 3 KiB. */
  readonly checksumPages: number;
  /** Bytes of the own replica's side area, 0 for none: what its undo log may take. */
  readonly sideBytes: number;
  /** Whether a copy waits rather than overwrite an image that cannot be put back. */
  readonly undoRequired: boolean;
  /** Hosts whose replicas are asynchronous: no write waits for them, and no record names them. */
  readonly asyncNodes: readonly NodeId[];
  /** Bytes that an asynchronous replica may lack of what was written. */
  readonly lagBytes: number;
  /**
   * Asynchronous replicas for which the backend may keep in a file what waits to be sent: they may
   * be behind by more writes, {@link shippedMax}. Absent for none.
   */
  readonly spillNodes?: readonly NodeId[];
  /**
   * Whether the backend has yet to say that there is such a file (`spill`): until then what waits
   * is in memory, as without one. Absent for no.
   */
  readonly spillAwaited?: boolean;
  /** Whether writes wait at that limit; else no more are sent, and what lacks is copied later. */
  readonly lagWaits: boolean;
  /**
   * An asynchronous replica becomes a later image this long after the first write since the last.
   */
  readonly pointDelay: Micros;
  /**
   * Whether the data stand on several disks: each then says what it is (part-label.ts), and no
   * replica of the one kind is ever taken for one of the other. Absent for no.
   */
  readonly inParts?: boolean;
  /**
   * Which agreement on who holds a replica this one was made or converted for; data actors of two
   * never link. Absent for that of the beginning.
   */
  readonly layout?: number;
}

/** What an operator need not decide. */
export type MirrorDefaults = Omit<MirrorConfig, 'volume' | 'uuid' | 'sizeBytes' | 'nodes'>;

/** Defaults for everything that an operator need not decide. */
export const MIRROR_DEFAULTS: MirrorDefaults = {
  logicalBlock: 4096,
  // What one page names. More is for whoever asks for it: earlier programs refuse the replica then.
  alExtents: HOT_MAX,
  journalPages: 32,
  // 1 MiB: more than a bad track, an erase block or one misdirected write spoils at once.
  slotDistance: 256,
  // Long enough that clearing a terabyte is no matter of millions of requests, short enough that
  // a disk which has to write the zeroes is done with one in a fraction of a second.
  zeroBytes: 8_388_608,
  // 8 MiB in flight: with less, two disks and a wire do not work at the same time on hosts where
  // a thread waits some milliseconds for its turn.
  resyncWindow: 8,
  resyncChunk: 1_048_576,
  skipEqual: 'off',
  // More than a write to two good disks takes, less than a person notices.
  resyncLatency: 20_000,
  // A TiB in three days, by sixteen copies a second: a hard disk does a hundred or more.
  resyncRateMin: 4_194_304,
  barrierWrites: 2048,
  barrierDelay: 50_000,
  peerTimeout: 2_000_000,
  connectTimeout: 3_000_000,
  diskTimeout: 10_000_000,
  semiSync: false,
  proxies: false,
  balanceReads: false,
  checksums: false,
  // What is read and written of 1.5 GiB needs no look into the map.
  checksumPages: 512,
  sideBytes: 0,
  undoRequired: false,
  asyncNodes: [],
  // Half a second of a 1 Gbit/s wire: longer outages are copied, which sends each block once.
  lagBytes: 67_108_864,
  lagWaits: false,
  pointDelay: 1_000_000,
};

/**
 * So many blocks that went bad within the window, and the disk counts as a failing one. Disks lose
 * single sectors over years; one that loses this many in a day should be replaced while the other
 * copy is whole: every further error may be one that both share.
 */
export const READ_ERRORS_MAX = 20;
export const READ_ERRORS_WINDOW: Micros = 24 * 3600 * 1_000_000;

/** Bytes that may wait to be sent on to an asynchronous replica: in memory, or with a file. */
export const LAG_MEMORY_MAX = 1_073_741_824;
export const LAG_SPILL_MAX = 68_719_476_736;

/** Writes under way at most: the backend has a copy of each that is not sent yet. */
export const SHIPPED_MAX = 32_768;
/** The same with a file: each takes memory here, 60 to 73 bytes (docs/decisions/0038). */
const SPILLED_MAX = 16_777_216;

/** Writes that may be under way to the asynchronous replica of `node`. */
export function shippedMax(
  { lagBytes, spillNodes = [] }: Pick<MirrorConfig, 'lagBytes' | 'spillNodes'>,
  node: NodeId,
): number {
  if (!spillNodes.includes(node)) return SHIPPED_MAX;
  const blocks = Math.floor(lagBytes / BLOCK_BYTES);
  return Math.min(Math.max(blocks, SHIPPED_MAX), SPILLED_MAX);
}

/**
 * What may be under way to the asynchronous replica of `node`, as bytes and writes; `spills`:
 * whether there is a file for it. Without one, what is not sent is in memory, whatever is allowed.
 */
export function lagLimits(
  config: Pick<MirrorConfig, 'lagBytes' | 'spillNodes'>,
  node: NodeId,
  spills: boolean,
): { readonly bytes: number; readonly writes: number } {
  if (spills) return { bytes: config.lagBytes, writes: shippedMax(config, node) };
  return { bytes: Math.min(config.lagBytes, LAG_MEMORY_MAX), writes: SHIPPED_MAX };
}

/** Other replicas that one has at most. */
export const PARTNERS_MAX = 3;

/** Largest volume. */
export const VOLUME_BYTES_MAX = 70_368_744_177_664;

/** Throws where the limits above are broken: configurations are validated before they get here. */
export function checkMirrorConfig(config: MirrorConfig): void {
  const size = config.sizeBytes;
  invariant(
    Number.isSafeInteger(size) && size > 0 && size % BLOCK_BYTES === 0 && size <= VOLUME_BYTES_MAX,
    'a volume has whole blocks, up to 64 TiB',
  );
  invariant(/^[0-9a-f]{32}$/.test(config.uuid), 'a volume uuid is 32 hexadecimal digits');
  const perPage = pageExtents(config);
  invariant(perPage >= 4 && perPage <= HOT_MAX, 'a journal page names 4 to 896 extents');
  invariant(
    config.alExtents >= 4 && config.alExtents <= alExtentsMax(config),
    'a hot set has 4 extents at least, and the ring can name all of them',
  );
  invariant(
    config.journalPages >= 4 && config.journalPages <= 1024,
    'a journal ring has 4 to 1024 pages',
  );
  invariant(
    config.slotDistance >= 1 && config.slotDistance <= 65536,
    'superblock slots stand 1 to 65536 pages apart',
  );
  invariant(
    config.zeroBytes >= BLOCK_BYTES && config.zeroBytes % BLOCK_BYTES === 0,
    'a zeroing request has whole blocks',
  );
  invariant(
    config.zeroBytes / EXTENT_BYTES + 1 <= config.alExtents,
    'the extents of one zeroing request fit the hot set',
  );
  invariant(
    config.resyncChunk >= BLOCK_BYTES && config.resyncChunk % BLOCK_BYTES === 0,
    'a resync copy has whole blocks',
  );
  invariant(config.resyncWindow >= 1, 'a resync has a copy in flight');
  invariant(config.resyncLatency > 0, 'requests take some time');
  invariant(config.resyncRateMin >= BLOCK_BYTES, 'a resync makes progress');
  invariant(
    config.sideBytes === 0 || undoLayout(config.sideBytes) !== null,
    'a side area has room for an undo log, or there is none',
  );
  invariant(!config.undoRequired || config.sideBytes > 0, 'what is required has a place');
  // A recording of an earlier program says nothing of them.
  const asyncNodes = config.asyncNodes ?? [];
  invariant(
    asyncNodes.every((node) => config.nodes.includes(node)) &&
      asyncNodes.length < config.nodes.length,
    'somebody has every write',
  );
  const { nodes } = config;
  invariant(
    nodes.length >= 2 && nodes.length <= PARTNERS_MAX + 1 && new Set(nodes).size === nodes.length,
    'a mirror has two to four different hosts',
  );
  invariant(
    !config.checksums || config.logicalBlock === BLOCK_BYTES,
    'whoever keeps checksums reads and writes whole blocks',
  );
  invariant(
    config.checksumPages >= 1 && config.checksumPages <= 65536,
    'a checksum map has 1 to 65536 pages in memory',
  );
}

/** Extents that one journal page names at most. */
export function pageExtents({ journalExtents }: Pick<MirrorConfig, 'journalExtents'>): number {
  return journalExtents ?? HOT_MAX;
}

/** Most extents that can be hot, by what the ring of the journal has room for. */
export function alExtentsMax(
  config: Pick<MirrorConfig, 'journalExtents' | 'journalPages'>,
): number {
  return namedMax(pageExtents(config), config.journalPages);
}

/** Whether more extents may be hot than one journal page names. */
export function needsWindows(config: MirrorConfig): boolean {
  return Math.min(config.alExtents, extentCount(config)) > pageExtents(config);
}

/** Tracking blocks of the volume. */
export function blockCount(config: MirrorConfig): number {
  return config.sizeBytes / BLOCK_BYTES;
}

/** Extents of the volume; the last may be short. */
export function extentCount(config: MirrorConfig): number {
  return Math.ceil(config.sizeBytes / EXTENT_BYTES);
}
