/**
 * What two data actors say to each other beside the writes, byte for byte. Bounded and versioned:
 * what follows the known fields is ignored, so that a newer program may add some; what does not
 * parse is null, and the link is closed.
 */
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { SPLIT_POLICIES } from '../core/config.ts';
import type { Epoch, Generation, NodeId } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { type DiskState, type Member, VOIDED_MAX, type VolumeRecord } from '../data/messages.ts';
import { PAGE_WORDS } from './block-map.ts';
import type { ReplicaView } from './compare.ts';
import { PARTNERS_MAX } from './config.ts';
import { PARENTS_READ } from './metadata.ts';
import type { HeldBack } from './undo.ts';

/** What a program says in its hello that it has: bits. */
export const Feature = {
  /** As the target of a copy it says digests of what it has. */
  ComparesCopies: 1,
  /** It names its disk, and that of the other one which its map is about. */
  NamesDisks: 2,
} as const;

/** Which disk a partner of the sender has: see generation.ts. */
export interface DiskOf {
  readonly node: NodeId;
  readonly disk: number;
}

/** Wire versions that this program speaks. */
export const WIRE_MIN = 3;
export const WIRE_MAX = 3;

/** What the primary makes of a handshake. */
export const Outcome = { Reply: 0, Sync: 1, Copy: 2, Wait: 3, Refused: 4 } as const;

/** Runs of dirty blocks that a replica names. */
export const FACTS_RUNS_MAX = 32;

/** What a replica's metadata say, and how far it is. */
export interface ReplicaFacts {
  readonly epoch: number;
  readonly generation: number;
  readonly disk: DiskState;
  /** Whether it has acted on all that it was told; else it is in the midst of a change. */
  readonly settled: boolean;
  readonly dirty: number;
  /** Stands for the whole map. */
  readonly map: number;
  /** Writes sent on the present link, or received. */
  readonly writes: number;
  readonly runs: readonly { readonly block: number; readonly blocks: number }[];
}

export type PeerMessage =
  | {
      readonly kind: 'hello';
      /** 0 tells only; from 1 on it opens a round, or answers the one opened. */
      readonly round: number;
      readonly answer: boolean;
      readonly wireMin: number;
      readonly wireMax: number;
      readonly view: ReplicaView;
      readonly record: VolumeRecord | null;
      /** {@link Feature}s that the sender has; none before there were any. */
      readonly features?: number;
      /** As {@link MirrorConfig.layout}; absent for that of the beginning. */
      readonly layout?: number;
    }
  | {
      readonly kind: 'decision';
      readonly round: number;
      readonly hash: number;
      readonly outcome: number;
    }
  | { readonly kind: 'announce'; readonly record: VolumeRecord; readonly disks: readonly DiskOf[] }
  | { readonly kind: 'sync-start'; readonly epoch: Epoch; readonly generation: Generation }
  | { readonly kind: 'sync-ready' }
  /** The target does not let itself be overwritten now. */
  | { readonly kind: 'sync-held'; readonly reason: HeldBack }
  | { readonly kind: 'map-request'; readonly page: number }
  | {
      readonly kind: 'map';
      /** First page; `pages` all-dirty pages follow, or one with `bits`, or none: the end. */
      readonly page: number;
      readonly pages: number;
      readonly bits: Uint32Array | null;
    }
  | { readonly kind: 'flush'; readonly token: number }
  | {
      readonly kind: 'flush-ack';
      readonly token: number;
      readonly status: number;
      /** Blocks of the replica that stand elsewhere than in their place. */
      readonly moved: number;
    }
  | {
      readonly kind: 'finish';
      readonly epoch: Epoch;
      readonly generation: Generation;
      readonly parents: readonly Generation[];
      readonly disks: readonly DiskOf[];
    }
  | { readonly kind: 'finished'; readonly generation: Generation }
  | { readonly kind: 'facts-ask'; readonly token: number }
  | { readonly kind: 'facts'; readonly token: number; readonly facts: ReplicaFacts }
  // With more than two replicas only.
  /** A follower has the announced record of this epoch durably. */
  | { readonly kind: 'told'; readonly epoch: Epoch }
  /** Every write up to this one on the link is stable on every member. */
  | { readonly kind: 'stable'; readonly sequence: number }
  // Of an asynchronous replica only.
  /** Every write up to this one on the link has come. */
  | { readonly kind: 'received'; readonly sequence: number }
  /**
   * To a follower: the primary begins to send writes on to this asynchronous replica, which has
   * all that was before (0), or every write up to this one is in its image.
   */
  | {
      readonly kind: 'covered';
      readonly node: NodeId;
      readonly sequence: number;
      readonly disks: readonly DiskOf[];
    }
  /**
   * The replica is, durably, the image of this moment: every write up to this one, and no other.
   */
  | { readonly kind: 'point'; readonly sequence: number };

/** A message and the sender's event that caused it. */
export interface Envelope {
  readonly cause: string;
  readonly message: PeerMessage;
}

const KINDS = [
  'hello',
  'decision',
  'announce',
  'sync-start',
  'sync-ready',
  'map-request',
  'map',
  'flush',
  'flush-ack',
  'finish',
  'finished',
  'facts-ask',
  'facts',
  'told',
  'stable',
  'sync-held',
  'received',
  'point',
  'covered',
] as const;

/** In the byte that says whether a record follows: the layout comes before it. */
const LAYOUT = 2;

const HELD_BACK: readonly HeldBack[] = ['full', 'unreadable', 'returning', 'branch'];

const DISKS: readonly DiskState[] = [
  'Diskless',
  'Failed',
  'Inconsistent',
  'Outdated',
  'Consistent',
  'UpToDate',
];

/** Who gives orders. */
const GIVERS = ['operator', ...SPLIT_POLICIES, 'accept-loss'] as const;

const MEMBERS_MAX = PARTNERS_MAX + 1;
/** Beside their number: each has its disk. Programs that know of none take nothing that has it. */
const MEMBERS_NAMED = 0x80;

/** Encodes into `into` and returns the length. */
export function encodePeerMessage(message: PeerMessage, cause: string, into: Uint8Array): number {
  const w = new ByteWriter(into, 0);
  w.u8(WIRE_MAX);
  w.u8(KINDS.indexOf(message.kind));
  w.text(cause);
  switch (message.kind) {
    case 'hello':
      w.u32(message.round);
      w.u8(message.answer ? 1 : 0);
      w.u16(message.wireMin);
      w.u16(message.wireMax);
      putView(w, message.view);
      w.u8((message.record === null ? 0 : 1) + (message.layout === undefined ? 0 : LAYOUT));
      if (message.layout !== undefined) w.uint(message.layout);
      if (message.record !== null) putRecord(w, message.record);
      // Programs of before end here.
      w.u8((message.features ?? 0) | (message.view.device === undefined ? 0 : Feature.NamesDisks));
      if (message.view.device === undefined) break;
      w.u32(message.view.device);
      w.u32(message.view.about ?? 0);
      break;
    case 'decision':
      w.u32(message.round);
      w.u32(message.hash);
      w.u8(message.outcome);
      break;
    case 'announce':
      putRecord(w, message.record);
      putDisks(w, message.disks);
      break;
    case 'sync-start':
      w.uint(message.epoch);
      w.uint(message.generation);
      break;
    case 'sync-ready':
      break;
    case 'map-request':
      w.u32(message.page);
      break;
    case 'map':
      w.u32(message.page);
      w.u32(message.pages);
      w.u8(message.bits === null ? 0 : 1);
      if (message.bits !== null) {
        for (let i = 0; i < PAGE_WORDS; i += 1) w.u32(message.bits[i] as number);
      }
      break;
    case 'flush':
      w.u32(message.token);
      break;
    case 'flush-ack':
      w.u32(message.token);
      w.u32(message.status);
      w.u32(message.moved);
      break;
    case 'finish':
      w.uint(message.epoch);
      w.uint(message.generation);
      putList(w, message.parents);
      putDisks(w, message.disks);
      break;
    case 'finished':
      w.uint(message.generation);
      break;
    case 'facts-ask':
      w.u32(message.token);
      break;
    case 'facts':
      w.u32(message.token);
      putFacts(w, message.facts);
      break;
    case 'told':
      w.uint(message.epoch);
      break;
    case 'stable':
    case 'received':
    case 'point':
      w.uint(message.sequence);
      break;
    case 'covered':
      w.uint(message.node);
      w.uint(message.sequence);
      putDisks(w, message.disks);
      break;
    case 'sync-held':
      w.u8(HELD_BACK.indexOf(message.reason));
      break;
  }
  return w.at;
}

/** What `bytes` say, null when they say nothing that this program understands. */
export function decodePeerMessage(bytes: Uint8Array, volume: string): Envelope | null {
  const r = new ByteReader(bytes, 0, Math.min(bytes.length, PAGE_BYTES));
  if (r.u8() < WIRE_MIN) return null;
  const kind = KINDS[r.u8()];
  const cause = r.text();
  if (!r.ok || kind === undefined) return null;
  const message = body(kind, r, volume);
  return r.ok && message !== null ? { cause, message } : null;
}

function body(kind: (typeof KINDS)[number], r: ByteReader, volume: string): PeerMessage | null {
  switch (kind) {
    case 'hello': {
      const round = r.u32();
      const answer = r.u8() === 1;
      const wireMin = r.u16();
      const wireMax = r.u16();
      const view = takeView(r);
      const more = r.u8();
      const layout = (more & LAYOUT) === 0 ? {} : { layout: r.uint() };
      const record = (more & 1) === 1 ? takeRecord(r, volume) : null;
      const bits = r.left > 0 ? r.u8() : 0;
      const disks = (bits & Feature.NamesDisks) === 0 ? {} : { device: r.u32(), about: r.u32() };
      if (view === null) return null;
      const said = { ...view, ...disks };
      const hello = {
        kind,
        round,
        answer,
        wireMin,
        wireMax,
        view: said,
        record,
        ...layout,
      } as const;
      const features = bits & ~Feature.NamesDisks;
      return features === 0 ? hello : { ...hello, features };
    }
    case 'decision':
      return { kind, round: r.u32(), hash: r.u32(), outcome: r.u8() };
    case 'announce': {
      const record = takeRecord(r, volume);
      return record === null ? null : { kind, record, disks: takeDisks(r) };
    }
    case 'sync-start':
      return { kind, epoch: r.uint(), generation: r.uint() };
    case 'sync-ready':
      return { kind };
    case 'map-request':
      return { kind, page: r.u32() };
    case 'map': {
      const page = r.u32();
      const pages = r.u32();
      if (r.u8() !== 1) return { kind, page, pages, bits: null };
      const bits = new Uint32Array(PAGE_WORDS);
      for (let i = 0; i < PAGE_WORDS; i += 1) bits[i] = r.u32();
      return { kind, page, pages, bits };
    }
    case 'flush':
      return { kind, token: r.u32() };
    case 'flush-ack':
      return { kind, token: r.u32(), status: r.u32(), moved: r.u32() };
    case 'finish': {
      const epoch = r.uint();
      const generation = r.uint();
      const parents = takeList(r);
      return parents === null ? null : { kind, epoch, generation, parents, disks: takeDisks(r) };
    }
    case 'finished':
      return { kind, generation: r.uint() };
    case 'facts-ask':
      return { kind, token: r.u32() };
    case 'told':
      return { kind, epoch: r.uint() };
    case 'stable':
    case 'received':
    case 'point':
      return { kind, sequence: r.uint() };
    case 'covered':
      return { kind, node: r.uint(), sequence: r.uint(), disks: takeDisks(r) };
    case 'facts': {
      const token = r.u32();
      const facts = takeFacts(r);
      return facts === null ? null : { kind, token, facts };
    }
    case 'sync-held': {
      const reason = HELD_BACK[r.u8()];
      return reason === undefined ? null : { kind, reason };
    }
  }
}

function putFacts(w: ByteWriter, f: ReplicaFacts): void {
  w.uint(f.epoch);
  w.uint(f.generation);
  w.u8(DISKS.indexOf(f.disk));
  w.u8(f.settled ? 1 : 0);
  w.uint(f.dirty);
  w.u32(f.map);
  w.uint(f.writes);
  w.u8(f.runs.length);
  for (const { block, blocks } of f.runs) {
    w.uint(block);
    w.uint(blocks);
  }
}

function takeFacts(r: ByteReader): ReplicaFacts | null {
  const epoch = r.uint();
  const generation = r.uint();
  const disk = DISKS[r.u8()];
  const settled = r.u8() === 1;
  const dirty = r.uint();
  const map = r.u32();
  const writes = r.uint();
  const count = r.u8();
  if (!r.ok || disk === undefined || count > FACTS_RUNS_MAX) return null;
  const runs: { block: number; blocks: number }[] = [];
  for (let i = 0; i < count; i += 1) runs.push({ block: r.uint(), blocks: r.uint() });
  return r.ok ? { epoch, generation, disk, settled, dirty, map, writes, runs } : null;
}

function putDisks(w: ByteWriter, disks: readonly DiskOf[]): void {
  w.u8(disks.length);
  for (const { node, disk } of disks) {
    w.u8(node);
    w.u32(disk);
  }
}

/** Programs of before end before them. */
function takeDisks(r: ByteReader): readonly DiskOf[] {
  const count = r.left > 0 ? r.u8() : 0;
  const disks: DiskOf[] = [];
  for (let i = 0; i < count && r.ok; i += 1) disks.push({ node: r.u8(), disk: r.u32() });
  return disks;
}

function putView(w: ByteWriter, v: ReplicaView): void {
  w.hex(v.uuid);
  w.uint(v.sizeBytes);
  w.u32(v.logicalBlock);
  w.uint(v.node);
  w.uint(v.boot);
  w.uint(v.epoch);
  w.uint(v.generation);
  putList(w, v.parents);
  w.u8(DISKS.indexOf(v.disk));
  w.uint(v.dirty);
  w.u8((v.rebooted ? 1 : 0) | (v.primary ? 2 : 0));
}

function takeView(r: ByteReader): ReplicaView | null {
  const uuid = r.hex(16);
  const sizeBytes = r.uint();
  const logicalBlock = r.u32();
  const node = r.uint();
  const boot = r.uint();
  const epoch = r.uint();
  const generation = r.uint();
  const parents = takeList(r);
  const disk = DISKS[r.u8()];
  const dirty = r.uint();
  const bits = r.u8();
  if (!r.ok || parents === null || disk === undefined) return null;
  const rebooted = (bits & 1) !== 0;
  const primary = (bits & 2) !== 0;
  return {
    uuid,
    sizeBytes,
    logicalBlock,
    node,
    boot,
    epoch,
    generation,
    parents,
    disk,
    dirty,
    rebooted,
    primary,
  };
}

function putRecord(w: ByteWriter, record: VolumeRecord): void {
  w.uint(record.epoch);
  w.uint(record.primary);
  w.uint(record.generation);
  const count = Math.min(record.members.length, MEMBERS_MAX);
  const named = record.members.some(({ disk }) => disk !== undefined);
  w.u8(named ? count | MEMBERS_NAMED : count);
  for (let i = 0; i < count; i += 1) {
    const member = record.members[i] as Member;
    w.uint(member.node);
    w.uint(member.boot);
    if (named) w.u32(member.disk ?? 0);
  }
  putList(w, record.voided ?? []);
  const { discard } = record;
  w.u8(discard === undefined ? 0 : 1);
  if (discard === undefined) return;
  w.uint(discard.node);
  w.uint(discard.generation);
  w.uint(discard.keeps);
  w.uint(discard.order);
  w.u8(GIVERS.indexOf(discard.by));
  w.uint(discard.atMost + 1);
  w.u8(discard.confirmed ? 1 : 0);
  if (discard.by === 'accept-loss') w.uint(discard.taker ?? 0);
}

function takeRecord(r: ByteReader, volume: string): VolumeRecord | null {
  const epoch = r.uint();
  const primary = r.uint();
  const generation = r.uint();
  const bits = r.u8();
  const count = bits & ~MEMBERS_NAMED;
  if (count > MEMBERS_MAX) {
    r.ok = false;
    return null;
  }
  const members: Member[] = [];
  for (let i = 0; i < count; i += 1) {
    const member = { node: r.uint(), boot: r.uint() };
    const disk = bits === count ? 0 : r.u32();
    members.push(disk === 0 ? member : { ...member, disk });
  }
  const voided = takeList(r);
  if (!r.ok || voided === null || voided.length > VOIDED_MAX) return null;
  const plain = { volume, epoch, primary, members, generation };
  const record = voided.length > 0 ? { ...plain, voided } : plain;
  if (r.u8() === 0) return r.ok ? record : null;
  const named = { node: r.uint(), generation: r.uint(), keeps: r.uint(), order: r.uint() };
  const by = GIVERS[r.u8()];
  const atMost = r.uint() - 1;
  const confirmed = r.u8() === 1;
  const taker = by === 'accept-loss' ? r.uint() : 0;
  if (!r.ok || by === undefined) return null;
  const discard = { ...named, by, atMost, confirmed };
  return { ...record, discard: taker === 0 ? discard : { ...discard, taker } };
}

function putList(w: ByteWriter, list: readonly number[]): void {
  const count = Math.min(list.length, PARENTS_READ);
  w.u8(count);
  for (let i = 0; i < count; i += 1) w.uint(list[i] as number);
}

function takeList(r: ByteReader): number[] | null {
  const count = r.u8();
  if (count > PARENTS_READ) {
    r.ok = false;
    return null;
  }
  const list: number[] = [];
  for (let i = 0; i < count; i += 1) list.push(r.uint());
  return r.ok ? list : null;
}
