/**
 * Two data actors joined by nothing but copies: every decision is answered in the next turn, disks
 * and link take no time. What remains is the engine's own cost.
 */
import {
  type AbiLayout,
  Decision,
  Event,
  Flag,
  HEADER_BYTES,
  PAGE_BYTES,
} from '../engine/data/abi.ts';
import { DataMemory } from '../engine/data/memory.ts';
import type { DataCommand, DataReport, VolumeRecord } from '../engine/data/messages.ts';
import { MirrorActor } from '../engine/mirror/actor.ts';
import { MIRROR_DEFAULTS, type MirrorConfig } from '../engine/mirror/config.ts';
import { formatMetadata, metadataPages } from '../engine/mirror/metadata.ts';

const LAYOUT: AbiLayout = {
  events: 512,
  decisions: 4608,
  frontSlots: 64,
  peerSlots: 64,
  engineSlots: 16,
  slotBytes: 65536,
  inPages: 64,
  outPages: 64,
};
const LINK = 1;
/** Where checksums stand, the same for every block: nothing but the engine is to cost anything. */
const SUMS_PAGE: number = LAYOUT.inPages - 1;
const HEADER_WORDS = HEADER_BYTES / 4;

function configOf(sizeBytes: number): MirrorConfig {
  return {
    ...MIRROR_DEFAULTS,
    volume: 'v',
    uuid: '0123456789abcdef0123456789abcdef',
    sizeBytes,
    nodes: [1, 2],
  };
}

/** An actor of a volume of this size that has not begun. */
export function loopActor(sizeBytes: number): MirrorActor {
  const memory = new DataMemory(LAYOUT);
  const mailboxes = { inbox: [], outbox: [] };
  const config = configOf(sizeBytes);
  return new MirrorActor({ memory, mailboxes, config, node: 1, boot: 11, session: 1 });
}

class LoopHost {
  readonly node: number;
  readonly memory = new DataMemory(LAYOUT);
  readonly inbox: DataCommand[] = [];
  readonly outbox: DataReport[] = [];
  readonly actor: MirrorActor;
  readonly meta: Uint8Array;
  /** Events that the next turn brings. They are put together apart, for a step reads its own. */
  readonly next = new DataMemory(LAYOUT);
  count = 0;
  pages = 0;
  active = false;
  attached = false;
  timerAt = Number.POSITIVE_INFINITY;
  readonly #free: number[] = [];

  constructor(node: number, config: MirrorConfig) {
    this.node = node;
    this.meta = new Uint8Array(metadataPages(config) * PAGE_BYTES);
    for (const { page, bytes } of formatMetadata(config, node, 1, 'UpToDate')) {
      this.meta.set(bytes, page * PAGE_BYTES);
    }
    for (let i = 0; i < LAYOUT.peerSlots; i += 1) this.#free.push(LAYOUT.frontSlots + i);
    const { memory, inbox, outbox } = this;
    const mailboxes = { inbox, outbox };
    this.actor = new MirrorActor({ memory, mailboxes, config, node, boot: 10 + node, session: 1 });
  }

  event(op: number, slot: number, link: number, flags: number, at: number, length: number): void {
    this.next.events.put(this.count, op, slot, link, flags, at, length, 0);
    this.count += 1;
  }

  takePeerSlot(): number {
    return this.#free.pop() as number;
  }

  free(slot: number): void {
    this.#free.push(slot);
  }

  command(command: DataCommand): void {
    this.event(Event.Control, this.inbox.length, 0, 0, 0, 0);
    this.inbox.push(command);
  }
}

/** A mirrored pair, host 1 primary, whose client keeps `depth` writes of 4 KiB under way. */
export class LoopPair {
  readonly #hosts: readonly [LoopHost, LoopHost];
  readonly #blocks: number;
  readonly #record: VolumeRecord;
  #now = 1;
  /** Writes completed so far. */
  done = 0;
  #at = 0;

  /** Every block of the volume is written in turn, scattered. */
  constructor(sizeBytes: number, depth: number, change: Partial<MirrorConfig> = {}) {
    const config = { ...configOf(sizeBytes), ...change };
    this.#hosts = [new LoopHost(1, config), new LoopHost(2, config)];
    this.#blocks = sizeBytes / 4096;
    this.#record = {
      volume: 'v',
      epoch: 1,
      primary: 1,
      members: [
        { node: 1, boot: 11 },
        { node: 2, boot: 12 },
      ],
      generation: 1,
    };
    const [first, second] = this.#hosts;
    this.#turnsUntil(() => first.attached && second.attached);
    for (const host of this.#hosts) {
      host.command({ kind: 'record', record: this.#record, cause: '' });
      host.command({ kind: 'grant', cause: '', until: Number.MAX_SAFE_INTEGER });
      host.event(Event.LinkUp, 0, LINK, 0, 3 - host.node, 0);
    }
    this.#turnsUntil(() => first.active);
    for (let slot = 0; slot < depth; slot += 1) this.#write(slot);
  }

  /** Goes on until `count` more writes have completed. */
  run(count: number): void {
    const end = this.done + count;
    while (this.done < end) this.#turn();
  }

  #turnsUntil(holds: () => boolean): void {
    for (let turns = 0; !holds(); turns += 1) {
      if (turns > 10_000) throw new Error('the pair does not come up');
      this.#turn();
    }
  }

  /** One turn of each host, ten microseconds apart. */
  #turn(): void {
    this.#now += 10;
    const [first, second] = this.#hosts;
    this.#step(first, second);
    this.#step(second, first);
  }

  #step(host: LoopHost, peer: LoopHost): void {
    if (host.timerAt <= this.#now) {
      host.timerAt = Number.POSITIVE_INFINITY;
      host.event(Event.Timer, 0, 0, 0, 0, 0);
    }
    const { count } = host;
    // Word by word: a view for each copy would be garbage of this loop, not of the engine.
    const from = host.next.events.i32;
    const into = host.memory.events.i32;
    for (let i = 0; i < count * 8; i += 1) into[i] = from[i] as number;
    for (let page = 0; page < host.pages; page += 1) {
      copyPage(host.next.inPages, page, host.memory.inPages, page);
    }
    host.count = 0;
    host.pages = 0;
    const decisions = host.actor.step(count, this.#now);
    if (host.inbox.length > 0) host.inbox.length = 0;
    for (let d = 0; d < decisions; d += 1) this.#carryOut(host, peer, d);
    for (const report of host.outbox) {
      if (report.kind === 'attached') host.attached = true;
      if (report.kind === 'active') host.active = true;
    }
    if (host.outbox.length > 0) host.outbox.length = 0;
  }

  #carryOut(host: LoopHost, peer: LoopHost, d: number): void {
    const from = host.memory.decisions;
    const slot = from.slot(d);
    const offset = from.offset(d);
    const length = from.length(d);
    switch (from.op(d)) {
      case Decision.LocalRead:
      case Decision.LocalWrite:
        host.event(Event.LocalDone, slot, SUMS_PAGE, from.flags(d) & Flag.Sums, offset, length);
        return;
      case Decision.LocalFlush:
        host.event(Event.FlushDone, 0, 0, 0, 0, length);
        return;
      case Decision.MetaRead: {
        copyPage(host.meta, offset, host.next.inPages, host.pages);
        host.event(Event.MetaDone, host.pages, 0, 0, offset, length);
        host.pages += 1;
        return;
      }
      case Decision.MetaWrite: {
        copyPage(host.memory.outPages, slot, host.meta, offset);
        host.event(Event.MetaDone, 0, 0, 0, offset, length);
        return;
      }
      case Decision.PeerWrite: {
        const taken = peer.takePeerSlot();
        const header = host.memory.headers.u32;
        const copy = peer.memory.headers.u32;
        for (let i = 0; i < HEADER_WORDS; i += 1) {
          copy[taken * HEADER_WORDS + i] = header[slot * HEADER_WORDS + i] as number;
        }
        peer.event(Event.PeerWrite, taken, LINK, from.flags(d), offset, length);
        return;
      }
      case Decision.PeerAck:
        peer.event(Event.PeerAck, slot, LINK, 0, offset, 0);
        return;
      case Decision.PeerMessage: {
        copyPage(host.memory.outPages, slot, peer.next.inPages, peer.pages);
        peer.event(Event.PeerMessage, peer.pages, LINK, 0, 0, length);
        peer.pages += 1;
        return;
      }
      case Decision.Complete:
        if (from.status(d) !== 0) throw new Error(`a write failed: ${from.status(d)}`);
        this.done += 1;
        this.#write(slot);
        return;
      case Decision.Free:
        host.free(slot);
        return;
      case Decision.ArmTimer:
        host.timerAt = offset;
        return;
      case Decision.LinkClose:
        throw new Error('the link was given up');
      default:
    }
  }

  #write(slot: number): void {
    // A stride that is prime to any power of two: scattered, and every block in turn.
    this.#at = (this.#at + 40_503) % this.#blocks;
    this.#hosts[0].event(Event.ReqWrite, slot, 0, 0, this.#at * 4096, 4096);
  }
}

/** Copies a page, byte by byte for the same reason. */
function copyPage(from: Uint8Array, page: number, into: Uint8Array, to: number): void {
  for (let i = 0; i < PAGE_BYTES; i += 1) {
    into[to * PAGE_BYTES + i] = from[page * PAGE_BYTES + i] as number;
  }
}
