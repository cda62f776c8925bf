/** How a simulated world makes the engine's actors; tests put trivial ones in their place. */
import type { ControlActor } from '../../engine/cluster/interface.ts';
import type { ClusterConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { Rng } from '../../engine/core/rng.ts';
import type { BootId, NodeId } from '../../engine/core/units.ts';
import type { DataMemory } from '../../engine/data/memory.ts';
import type { DataActor, Mailboxes } from '../../engine/data/messages.ts';
import type { DiskChanges } from './disk-changes.ts';

/** What both kinds of actor are told. */
export interface ActorGround {
  readonly config: ClusterConfig;
  readonly node: NodeId;
  readonly rng: Rng;
  /** Planted bugs to switch on. */
  readonly canaries: ReadonlySet<string>;
  /** Called at each rare branch, with its mark. */
  readonly reached: (mark: string) => void;
}

export interface DataGround extends ActorGround {
  readonly volume: VolumeConfig;
  readonly memory: DataMemory;
  readonly mailboxes: Mailboxes;
  readonly boot: BootId;
  /** Counts starts of the core in the durable store's life. */
  readonly session: number;
}

/** A page of a replica's metadata area. */
export interface MetadataPage {
  readonly page: number;
  readonly bytes: Uint8Array;
}

/** What a replica's metadata say of the image that a copy is overwriting. */
export interface Kept {
  /** The log that keeps it, 0 for none. */
  readonly log: number;
  /** The replica is no image of any moment. */
  readonly inconsistent: boolean;
  /**
   * It is the image of a moment of its primary's writes, and the log of the one before has ended.
   */
  readonly point: boolean;
  readonly generation: number;
  /** The log's image is a branch that is given up, and is to stay when the copy is done. */
  readonly given: boolean;
  /** What the log has, oldest first; `page` is one of the side area, -1 for zeroes. */
  readonly runs: readonly {
    readonly block: number;
    readonly blocks: number;
    readonly page: number;
  }[];
}

/** Which blocks a replica durably knows to be possibly different from its peer's. */
export interface Suspicion {
  /** False when nothing on this replica can be relied on: every block is suspect. */
  readonly readable: boolean;
  /** Whether 4 KiB block `index` is durably dirty or hot. */
  covers(index: number): boolean;
  /** Counts the updates of what the replica knows about itself; 0 when it cannot be read. */
  readonly updates: number;
}

/** Pages of the metadata area that hold blocks of data, numbered from its first page. */
export interface SpareArea {
  readonly first: number;
  readonly count: number;
}

/** Makers of actors, and what the world must know of the metadata format. */
export interface Actors {
  control(ground: ActorGround): ControlActor;
  data(ground: DataGround): DataActor;
  metadataPages(volume: VolumeConfig): number;
  /** Where in it the blocks are that may stand in for others: they hold data. */
  spareArea(volume: VolumeConfig): SpareArea;
  /** The spare block in which each block stands that is not in its place, by durable metadata. */
  moved(volume: VolumeConfig, node: NodeId, meta: Uint8Array): ReadonlyMap<number, number>;
  /**
   * What its metadata, those of the side area behind them, say; null when they cannot be read. What
   * `changes` calls the same as at the last call for the same disk is not read again; `runs` is the
   * same array then, and has got longer where the log has.
   */
  kept?(
    volume: VolumeConfig,
    node: NodeId,
    meta: Uint8Array,
    changes?: DiskChanges | null,
  ): Kept | null;
  /** Its side area on `node`, and how many pages of it the engine reads; absent for none. */
  sideArea?(
    volume: VolumeConfig,
    node: NodeId,
  ): { readonly sideSectors: number; readonly sidePages: number };
  /** Metadata of a new replica of a pair that starts out equal. */
  format(volume: VolumeConfig, node: NodeId): readonly MetadataPage[];
  /** The same of an empty disk in place of a lost one; `serial` tells it from others. */
  replacement(volume: VolumeConfig, node: NodeId, serial: number): readonly MetadataPage[];
  /**
   * The metadata of a replica that was laid out for `from`, as `to` has it; null where it is so
   * already, or cannot be. Absent where the holders of a volume never change.
   */
  relayout?(
    from: VolumeConfig,
    to: VolumeConfig,
    node: NodeId,
    meta: Uint8Array,
    canaries: ReadonlySet<string>,
  ): readonly MetadataPage[] | null;
  /** Whether the metadata are those of such a replica. Absent as {@link relayout} is. */
  fits?(volume: VolumeConfig, node: NodeId, meta: Uint8Array): boolean;
  /** By what the engine tells disks apart in its records; 0 where it cannot be read. */
  tagOf?(meta: Uint8Array): number;
  /**
   * Reads the durable metadata of one replica, as the next attach would: what it knows to be
   * possibly different from `other`; without one, from any.
   */
  suspicion(volume: VolumeConfig, node: NodeId, meta: Uint8Array, other?: NodeId): Suspicion;
}
