/**
 * Images of one replica's metadata area as crashes and rot leave them: attached by the engine's own
 * store with nothing else around it, and recorded from hosts of the pair harness write by write.
 */
import { crc32c } from '../../engine/core/crc32c.ts';
import { Decision, PAGE_BYTES, slotCount } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import { blockCount, type MirrorConfig, pageExtents } from '../../engine/mirror/config.ts';
import {
  DiskFlag,
  type MetadataFault,
  metadataLayout,
  type Superblock,
} from '../../engine/mirror/metadata.ts';
import { Partners } from '../../engine/mirror/partner.ts';
import type { Parts } from '../../engine/mirror/parts.ts';
import { Slots } from '../../engine/mirror/request.ts';
import { Spare } from '../../engine/mirror/spare.ts';
import { MirrorState } from '../../engine/mirror/state.ts';
import { Store } from '../../engine/mirror/store.ts';
import { canarySwitches } from '../../engine/mirror/switches.ts';
import { Turn } from '../../engine/mirror/turn.ts';
import { durablySuspect } from './mirror-cover.ts';
import { type Host, LAYOUT } from './mirror-hosts.ts';
import type { Pair } from './mirror-pair.ts';

export type Meta = ReadonlyMap<number, Uint8Array>;

/** What a host's store made of an image. */
export interface Attached {
  /** Why it was refused, '' when it was not. */
  readonly refused: MetadataFault | '';
  readonly block: Superblock;
  /** Blocks that the replica takes for different from the peer's. */
  readonly dirty: ReadonlySet<number>;
  readonly marks: ReadonlySet<string>;
  /** Writes of metadata, in order, and the image after them. */
  readonly writes: readonly { readonly page: number; readonly bytes: Uint8Array }[];
  readonly meta: Map<number, Uint8Array>;
}

const memory = new DataMemory({ ...LAYOUT, decisions: 512, outPages: 256 });

/** Attaches `meta` as `node`, in the host's life `boot`. Leaves `meta` as it is. */
export function attachImage(
  config: MirrorConfig,
  node: number,
  meta: Meta,
  boot: number,
  canaries: readonly string[] = [],
): Attached {
  const image = new Map(meta);
  const marks = new Set<string>();
  const writes: { page: number; bytes: Uint8Array }[] = [];
  let refused: MetadataFault | '' = '';
  let over = false;
  const turn = new Turn(memory, { inbox: [], outbox: [] }, node, 1, config.volume, (mark) => {
    marks.add(mark);
  });
  const loaded: number[] = [];
  const parts = {
    config,
    canary: canarySwitches(new Set(canaries)),
    state: new MirrorState(node, boot),
    slots: new Slots(slotCount(memory.layout)),
    turn,
    io: { on: () => {} },
    log: {
      loadable: Math.min(config.alExtents, pageExtents(config)),
      load: (_seq: number, extents: readonly number[] | null) => loaded.push(...(extents ?? [])),
    },
    barrier: { forEachUnstable: () => {} },
    writes: { roomChanged: () => {} },
    role: {
      attachDone: () => {
        over = true;
      },
      attachFailed: (fault: MetadataFault) => {
        refused = fault;
        over = true;
      },
      failDisk: () => {
        over = true;
      },
    },
    unproved: { kept: 0 },
    receipts: { attach: () => {} },
  } as unknown as Parts;
  const others = config.nodes.filter((other) => other !== node);
  const made = parts as { -readonly [K in keyof Parts]: Parts[K] };
  made.partners = new Partners(parts, others);
  const store = new Store(parts);
  made.store = store;
  made.spare = new Spare(parts);
  const { map } = made.partners.first;
  turn.begin(0);
  store.attach();
  for (let count = turn.end(); count > 0 && !over; count = turn.end()) {
    const done: [page: number, token: number, bytes: Uint8Array | null][] = [];
    for (let d = 0; d < count; d += 1) {
      const page = memory.decisions.offset(d);
      const token = memory.decisions.length(d);
      if (memory.decisions.op(d) === Decision.MetaWrite) {
        const at = memory.decisions.slot(d) * PAGE_BYTES;
        const bytes = memory.outPages.slice(at, at + PAGE_BYTES);
        writes.push({ page, bytes });
        image.set(page, bytes);
        done.push([page, token, null]);
      } else if (memory.decisions.op(d) === Decision.MetaRead) {
        done.push([page, token, image.get(page) ?? new Uint8Array(PAGE_BYTES)]);
      }
    }
    turn.begin(turn.now + 1);
    for (const [page, token, bytes] of done) {
      if (bytes !== null) memory.inPages.set(bytes);
      store.done(page, token, 0, 0);
    }
  }
  const dirty = new Set<number>();
  for (let b = map.nextDirty(0); b >= 0; b = map.nextDirty(b + 1)) dirty.add(b);
  return { refused, block: store.block, dirty, marks, writes, meta: image };
}

/** A write of metadata as it reached the medium, with the moment's truth about the host. */
export interface MetaWrite {
  readonly node: number;
  readonly page: number;
  readonly old: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Tells of every metadata page that a host's disk takes, right after it did. */
export function watchMeta(host: Host, seen: (write: MetaWrite) => void): void {
  const meta = new Map(host.meta);
  const set = meta.set.bind(meta);
  meta.set = (page: number, bytes: Uint8Array) => {
    const old = meta.get(page) ?? new Uint8Array(PAGE_BYTES);
    set(page, bytes);
    seen({ node: host.node, page, old, bytes });
    return meta;
  };
  host.meta = meta;
}

/** Every way in which a crash can cut a page's write at 512 bytes: from its head, from its tail. */
export function tornAt(old: Uint8Array, bytes: Uint8Array): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let at = 0; at < PAGE_BYTES; at += 512) {
    const head = old.slice();
    head.set(bytes.subarray(0, at));
    pages.push(head);
    const tail = old.slice();
    tail.set(bytes.subarray(at), at);
    pages.push(tail);
  }
  return pages;
}

/** A moment in a replica's life from which it is damaged. */
export interface Image {
  readonly config: MirrorConfig;
  readonly node: number;
  readonly boot: number;
  readonly meta: Meta;
  /** What each page held before, oldest first. */
  readonly past: ReadonlyMap<number, readonly Uint8Array[]>;
  /** The other replica's metadata. */
  readonly other: Meta;
  /** Highest epoch in which the host had said that it acts. */
  readonly acted: number;
  /** The generation that it had said to have adopted, 0 for none. */
  readonly adopted: number;
  /** Whether it had said that a resync overwrites it. */
  readonly target: boolean;
}

/**
 * Records images of `node` while `workload` runs: at every `every`-th metadata write, with what the
 * host had acted on by then.
 */
export function recordImages(
  pair: Pair,
  node: number,
  every: number,
  workload: (pair: Pair) => void,
): Image[] {
  const images: Image[] = [];
  const past = new Map<number, Uint8Array[]>();
  let acted = 0;
  let adopted = 0;
  let target = false;
  let writes = 0;
  const report = pair.report.bind(pair);
  pair.report = (h, r) => {
    if (h.node === node && (r.kind === 'state' || r.kind === 'active')) {
      acted = Math.max(acted, r.epoch);
      if (r.kind === 'state') target = r.link === 'SyncTarget';
    }
    if (h.node === node && r.kind === 'event' && r.event.kind === 'mirror.target.end') {
      adopted = Number(r.event.d['generation']);
    }
    report(h, r);
  };
  const host = pair.host(node);
  watchMeta(host, ({ page, old }) => {
    const before = past.get(page) ?? [];
    if (before.length < 6) past.set(page, [...before, old]);
    else past.set(page, [...before.slice(1), old]);
    writes += 1;
    if (writes % every !== 0 || !host.powered) return;
    images.push({
      config: pair.config,
      node,
      boot: host.boot,
      meta: new Map(host.meta),
      past: new Map(past),
      other: new Map(pair.host(3 - node).meta),
      acted,
      adopted,
      target,
    });
  });
  workload(pair);
  return images;
}

/** What a damaged replica may be taken for, against the same replica whole. */
export interface Truth {
  readonly whole: Attached;
  readonly suspects: readonly number[];
}

/** What the undamaged image says, by the engine and by the test's own reading of the pages. */
export function truthOf(image: Image): Truth {
  const whole = attachImage(image.config, image.node, image.meta, image.boot);
  const suspect = durablySuspect(image.config, new Map(image.meta));
  const suspects: number[] = [];
  for (let b = 0; b < blockCount(image.config); b += 1) if (suspect(b)) suspects.push(b);
  return { whole, suspects };
}

/**
 * Attaches the image with pages replaced; what the replica then claims although it must not, null
 * when it is refused or conservative.
 */
export function overclaimed(
  image: Image,
  { whole, suspects }: Truth,
  damage: Meta,
  canaries: readonly string[] = [],
): string | null {
  const meta = new Map(image.meta);
  for (const [page, bytes] of damage) meta.set(page, bytes);
  const found = attachImage(image.config, image.node, meta, image.boot, canaries);
  if (found.refused !== '') return null;
  const { block } = found;
  if (block.epoch < image.acted) return `epoch ${block.epoch}, and it acted in ${image.acted}`;
  const { generation } = whole.block;
  const relied = image.acted === whole.block.epoch && image.adopted === generation;
  if (relied && block.generation !== generation) {
    return `generation ${block.generation}, and it adopted ${generation}`;
  }
  const worthless = (whole.block.flags & DiskFlag.Inconsistent) !== 0 && image.target;
  if (worthless && (block.flags & DiskFlag.Inconsistent) === 0) return 'a resync target is whole';
  for (const b of suspects) if (!found.dirty.has(b)) return `block ${b} is clean`;
  return null;
}

/** What rot, a stray write or a lost one may leave in a page. */
export function damagesOf(image: Image, page: number): Map<string, Uint8Array> {
  const good = image.meta.get(page) as Uint8Array;
  const damages = new Map<string, Uint8Array>();
  for (let bit = 3; bit < PAGE_BYTES * 8; bit += bit < 1024 ? 61 : 997) {
    const bytes = good.slice();
    bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
    damages.set(`bit ${bit}`, bytes);
  }
  damages.set('zeroes', new Uint8Array(PAGE_BYTES));
  damages.set('rubbish', garbage(page));
  for (let at = 0; at < PAGE_BYTES; at += 512) {
    const bytes = good.slice();
    bytes.set(garbage(at).subarray(0, 512), at);
    damages.set(`rubbish in sector ${at / 512}`, bytes);
  }
  const layout = metadataLayout(image.config);
  const pages = [...image.meta.keys()].sort((a, b) => a - b);
  for (const other of pages) {
    if (other !== page) damages.set(`page ${other}`, image.meta.get(other) as Uint8Array);
  }
  damages.set('the other replica’s', image.other.get(page) as Uint8Array);
  if (page === layout.slotA || page === layout.slotB) {
    const twin = page === layout.slotA ? layout.slotB : layout.slotA;
    damages.set('the other replica’s twin', image.other.get(twin) as Uint8Array);
  }
  return damages;
}

function garbage(seed: number): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  let state = seed + 1;
  for (let i = 0; i < PAGE_BYTES; i += 1) {
    state = crc32c(bytes, 0, 8, state);
    bytes[i] = state >>> 24;
  }
  return bytes;
}
