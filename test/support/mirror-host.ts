/** One host of the pair harness: what its disk and its data actor are, and what is under way. */
import type { AbiLayout } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import type { DataCommand, DataReport, DiskState } from '../../engine/data/messages.ts';
import type { MirrorActor } from '../../engine/mirror/actor.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import type { Write } from './mirror-history.ts';
import { spareOf } from './mirror-spare.ts';

export const MS = 1000;
export const SECTOR = 512;
export const GRANT = 300 * MS;
/** Number of the side area's first page among a host's pages of metadata. */
export const SIDE_PAGE = 1 << 20;
export const LAYOUT: AbiLayout = {
  events: 16,
  decisions: 192,
  frontSlots: 12,
  peerSlots: 20,
  engineSlots: 6,
  slotBytes: 16384,
  inPages: 8,
  outPages: 8,
};

export interface Input {
  readonly op: number;
  readonly slot: number;
  readonly link: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  readonly status: number;
  readonly page?: Uint8Array;
  readonly header?: Uint8Array;
  readonly payload?: Uint32Array;
  /** Checksums of blocks, for an in-page that the link names. */
  readonly sums?: Uint32Array;
  readonly command?: DataCommand;
  /** An answer that comes whoever still waits for it. */
  readonly late?: boolean;
}

export const INPUT: Input = { op: 0, slot: 0, link: 0, flags: 0, offset: 0, length: 0, status: 0 };

export interface Request {
  readonly kind: number;
  readonly first: number;
  readonly count: number;
  readonly invoked: number;
  readonly writes: readonly Write[];
}

export class Host {
  readonly node: number;
  readonly memory = new DataMemory(LAYOUT);
  readonly sectors: number;
  /** The first sector of the side area. */
  readonly sideAt: number;
  cache: Uint32Array;
  stable: Uint32Array;
  meta = new Map<number, Uint8Array>();
  payload: Uint32Array[] = [];
  boot = 0;
  session = 0;
  life = 0;
  powered = false;
  actor: MirrorActor | null = null;
  inbox: DataCommand[] = [];
  outbox: DataReport[] = [];
  pending: Input[] = [];
  stepping = false;
  pausedUntil = 0;
  /** How far its clock is behind, because the guest was frozen. */
  lag = 0;
  timer = 0;
  freePeer: number[] = [];
  held: Input[] = [];
  busyFront: (Request | null)[] = new Array<Request | null>(LAYOUT.frontSlots).fill(null);
  link = 0;
  /** A link that the other side closed: what was sent before still arrives. */
  closing = 0;
  cloggedUntil = 0;
  connected = true;
  attached = false;
  disk: DiskState = 'Diskless';
  linkState = '';
  role = '';
  dirty = 0;
  /** Writes in the volatile cache only. */
  unstable = new Set<number>();
  /** Metadata and data writes under way, for a crash to tear. */
  flying = new Map<number, () => void>();
  /** Those of {@link flying} that write data: a core that dies may take them with it. */
  losable = new Set<() => void>();
  /** Slots from which the disk is writing. */
  writing = new Set<number>();
  /** Slots of peers' writes that it has acknowledged, and its disk does not have. */
  receipts = new Set<number>();
  /** A core of this boot died with some of those, and it has not been filled since. */
  lacking = false;
  lastGrant = 0;
  /** Its disk answers every read, write and flush of data with an error. */
  broken = false;
  /** What the actor says: its disk failed in this boot. */
  doubted = false;
  /** And if so, only for what an earlier core had received. */
  soft = false;
  /** What the actor says: it goes on through the other host, or is about to. */
  proxies = false;
  /** The disk ends nothing until this is over. */
  hung = false;
  /** The path to its disk is lost: everything ends with that. */
  pathLost = false;
  /** The next flush fails, and the disk has lost what was only in its cache. */
  forgetful = false;
  /** Its disk answers every write of metadata with an error. */
  metaBroken = false;
  /** With which error pages of its metadata are read. */
  readonly metaErrors = new Map<number, number>();
  /** Sectors that cannot be read until they are written again. */
  readonly unreadable = new Set<number>();
  /**
   * Sectors that stay as they are when they are written: with an error, with one of the medium, or
   * without one. The spare area is behind the volume's.
   */
  readonly stuck = new Map<number, 'refuses' | 'bad' | 'lies'>();
  /** Of a thousand reads of data, how many fail for once. */
  flaky = 0;
  /** Slots that wait for the answer to a PeerRead, by its link and sequence. */
  readonly asked = new Map<string, number>();
  /** What the last answer brought into each slot: the checksum in its header. */
  readonly answered: (Uint32Array | undefined)[] = [];

  constructor(node: number, config: MirrorConfig) {
    this.node = node;
    this.sectors = config.sizeBytes / SECTOR;
    // The spare blocks stand behind the data, the side area behind both.
    this.sideAt = this.sectors + spareOf(config).count * 8;
    const all = this.sideAt + config.sideBytes / SECTOR;
    this.cache = new Uint32Array(all);
    this.stable = new Uint32Array(all);
    const slots = LAYOUT.frontSlots + LAYOUT.peerSlots + LAYOUT.engineSlots;
    for (let i = 0; i < slots; i += 1)
      this.payload.push(new Uint32Array(LAYOUT.slotBytes / SECTOR));
  }
}
