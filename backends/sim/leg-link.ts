/**
 * What one simulated replica sends on its link and receives from it: frames are copied into packets
 * when they are sent, slots for peers' requests are handed out here, and the answer to a read goes
 * into the slot that this side's own list names. Decides nothing.
 */
import { Decision, Event, Flag, HEADER_BYTES, Header, Status } from '../../engine/data/abi.ts';
import type { DataMemory } from '../../engine/data/memory.ts';
import type { Connection } from './connection.ts';
import { SECTOR_BYTES } from './disk.ts';
import { Packet, type PacketPool } from './packets.ts';
import type { Zeroes } from './zeroes.ts';

/** Where a replica's frames come from and go to. */
export interface LegGround {
  readonly memory: DataMemory;
  /** Payload of all slots: one stamp per sector. */
  readonly stamps: Int32Array;
  readonly zeroes: Zeroes;
  /** The connection of which `link` is the present incarnation, and the end that this is. */
  current(link: number): { readonly connection: Connection; readonly end: number } | null;
  /** Gathers one event for the next turn. */
  append(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void;
}

export class LegLink {
  readonly #leg: LegGround;
  readonly #packets: PacketPool;
  readonly #slotSectors: number;
  readonly #free: number[] = [];
  readonly #held: Uint8Array;
  /** Link by which the request in each peer slot came: sequences begin anew on every link. */
  readonly #by: Int32Array;
  /** Of each peer slot with a write: where it goes, and 1 while that is acknowledged unwritten. */
  readonly #offset: Float64Array;
  /** 0 for a slot with a read. */
  readonly #length: Float64Array;
  readonly #zero: Uint8Array;
  readonly #receipt: Uint8Array;
  /** Slots that wait for the answer to a read on a present link, and their sequences. */
  readonly #asked: Asked[] = [];
  /** Of each slot the key of copies' digests on the link by which it asked last, or was asked. */
  readonly #keys: Int32Array;

  constructor(leg: LegGround, packets: PacketPool) {
    const { frontSlots, peerSlots, engineSlots, slotBytes } = leg.memory.layout;
    this.#leg = leg;
    this.#keys = new Int32Array(frontSlots + peerSlots + engineSlots);
    this.#packets = packets;
    this.#slotSectors = slotBytes / SECTOR_BYTES;
    this.#held = new Uint8Array(peerSlots);
    this.#by = new Int32Array(peerSlots);
    this.#offset = new Float64Array(peerSlots);
    this.#length = new Float64Array(peerSlots);
    this.#zero = new Uint8Array(peerSlots);
    this.#receipt = new Uint8Array(peerSlots);
  }

  /** The core starts: every slot is free, nothing was asked. */
  start(): void {
    const { frontSlots, peerSlots } = this.#leg.memory.layout;
    this.#asked.length = 0;
    this.#free.length = 0;
    this.#held.fill(0);
    this.#receipt.fill(0);
    for (let i = peerSlots - 1; i >= 0; i -= 1) this.#free.push(frontSlots + i);
  }

  /** A link is down: the engine has back the slots that waited on it. */
  down(link: number): void {
    let kept = 0;
    for (const asked of this.#asked) {
      if (asked.link === link) continue;
      this.#asked[kept] = asked;
      kept += 1;
    }
    this.#asked.length = kept;
  }

  /** Whether a peer's request would find a slot. */
  get room(): boolean {
    return this.#free.length > 0;
  }

  /** A peer's write, read, answer or acknowledgement arrives; false when it finds no slot. */
  accept(packet: number, link: number): boolean {
    const leg = this.#leg;
    const packets = this.#packets;
    const offset = packets.offset[packet] as number;
    const length = packets.length[packet] as number;
    switch (packets.kind[packet]) {
      case Packet.Write: {
        const slot = this.#take(packet, link);
        if (slot < 0) return false;
        const at = slot * this.#slotSectors;
        packets.takeStamps(packet, leg.stamps, at, length / SECTOR_BYTES);
        const flags = packets.flags[packet] as number;
        const index = slot - leg.memory.layout.frontSlots;
        this.#offset[index] = offset;
        this.#length[index] = length;
        this.#zero[index] = (flags & Flag.Zero) === 0 ? 0 : 1;
        leg.append(Event.PeerWrite, slot, link, flags, offset, length, 0);
        return true;
      }
      case Packet.Read: {
        const slot = this.#take(packet, link);
        if (slot < 0) return false;
        const flags = packets.flags[packet] as number;
        this.#length[slot - leg.memory.layout.frontSlots] = 0;
        this.#keys[slot] = leg.current(link)?.connection.key ?? 0;
        leg.append(Event.PeerRead, slot, link, flags, offset, length, 0);
        return true;
      }
      case Packet.Data:
        this.#answered(packet, link, offset, length);
        return true;
      default: {
        const slot = packets.slot[packet] as number;
        leg.append(Event.PeerAck, slot, link, 0, offset, 0, packets.status[packet] as number);
        return true;
      }
    }
  }

  /** Carries out decision `r`, which sends something of a slot or about one. */
  send(r: number): void {
    const { decisions, headers } = this.#leg.memory;
    const link = decisions.link(r);
    const wire = this.#leg.current(link);
    if (wire === null) return;
    const { connection, end } = wire;
    const op = decisions.op(r);
    const slot = decisions.slot(r);
    const length = decisions.length(r);
    const packets = this.#packets;
    const packet = connection.packet(PACKETS[op] as number);
    packets.slot[packet] = slot;
    packets.flags[packet] = decisions.flags(r);
    packets.offset[packet] = decisions.offset(r);
    packets.length[packet] = length;
    packets.status[packet] = decisions.status(r);
    const digest = (decisions.flags(r) & Flag.Digest) !== 0;
    if (op === Decision.PeerRead) {
      this.#asked.push({ slot, link, sequence: headers.sequence(slot), digest });
      this.#keys[slot] = connection.key;
    }
    if (op !== Decision.PeerAck) packets.putHeader(packet, headers.u32, slot);
    const answers = op === Decision.PeerData && !digest;
    const payload = op === Decision.PeerWrite || answers ? length : 0;
    const at = slot * this.#slotSectors;
    packets.putStamps(packet, this.#leg.stamps, at, payload / SECTOR_BYTES);
    const zero = op === Decision.PeerWrite && (decisions.flags(r) & Flag.Zero) !== 0;
    if (zero) packets.mapStamps(packet, payload / SECTOR_BYTES, this.#leg.zeroes);
    // Zeroes travel as a header.
    connection.send(end, packet, zero ? 0 : payload);
  }

  /** Sends the first `length` bytes of the out-page at `at`. */
  sendMessage(link: number, at: number, length: number): void {
    const wire = this.#leg.current(link);
    if (wire === null) return;
    const packet = wire.connection.packet(Packet.Message);
    this.#packets.length[packet] = length;
    this.#packets.offset[packet] = 0;
    this.#packets.putBytes(packet, this.#leg.memory.outPages, at, length);
    wire.connection.send(wire.end, packet, length);
  }

  /** Slot of the write received on `link` with this sequence, -1 when it was freed before. */
  slotOf(link: number, sequence: number): number {
    const { headers, layout } = this.#leg.memory;
    for (let i = 0; i < layout.peerSlots; i += 1) {
      const slot = layout.frontSlots + i;
      if (this.#held[i] === 0 || this.#by[i] !== link) continue;
      // Reads are numbered apart from writes.
      if (this.#length[i] !== 0 && headers.sequence(slot) === sequence) return slot;
    }
    return -1;
  }

  /** The write of this slot is acknowledged; whether the disk has it is told by {@link written}. */
  acknowledged(slot: number): void {
    this.#receipt[slot - this.#leg.memory.layout.frontSlots] = 1;
  }

  /** The disk has all of the slot's write. */
  written(slot: number): void {
    const index = slot - this.#leg.memory.layout.frontSlots;
    if (index >= 0 && index < this.#receipt.length) this.#receipt[index] = 0;
  }

  /** Slots of writes that are acknowledged and not written. */
  get receipts(): number[] {
    const { frontSlots } = this.#leg.memory.layout;
    const slots: number[] = [];
    for (let i = 0; i < this.#receipt.length; i += 1) {
      if (this.#receipt[i] === 1) slots.push(frontSlots + i);
    }
    return slots;
  }

  /** What writes that are acknowledged and not written will bring to a sector. */
  receivedAt(sector: number): number[] {
    const found: number[] = [];
    for (const slot of this.receipts) {
      const index = slot - this.#leg.memory.layout.frontSlots;
      const i = sector - (this.#offset[index] as number) / SECTOR_BYTES;
      if (i < 0 || i >= (this.#length[index] as number) / SECTOR_BYTES) continue;
      const stamp = this.#leg.stamps[slot * this.#slotSectors + i] as number;
      found.push(this.#zero[index] === 1 ? this.#leg.zeroes.landed(stamp) : stamp);
    }
    return found;
  }

  /** Lets go of a peer's slot; false when it was not held. */
  free(slot: number): boolean {
    const index = slot - this.#leg.memory.layout.frontSlots;
    if (index < 0 || index >= this.#held.length || this.#held[index] === 0) return false;
    this.#held[index] = 0;
    this.#receipt[index] = 0;
    this.#free.push(slot);
    return true;
  }

  /** Holds what a read brought into a slot against its header, as the read's flags say. */
  judge(slot: number, offset: number, length: number, flags: number): number {
    const check = (flags & Flag.Check) !== 0;
    if ((flags & Flag.Digest) !== 0) {
      const same = this.#digest(slot, offset, length, (flags & Flag.Resync) !== 0);
      return check && !same ? Status.Differs : Status.Ok;
    }
    const { headers } = this.#leg.memory;
    const differs = check && this.#checksum(slot, length) !== headers.checksum(slot);
    return differs ? Status.Differs : Status.Ok;
  }

  /** Stands for the CRC32C of a slot's first bytes. */
  #checksum(slot: number, length: number): number {
    const from = slot * this.#slotSectors;
    const { stamps } = this.#leg;
    let sum = 0;
    for (let i = from; i < from + length / SECTOR_BYTES; i += 1) {
      sum = Math.imul((sum << 5) ^ (sum >>> 27) ^ (stamps[i] as number), 0x9e3779b1);
    }
    return sum >>> 0;
  }

  /**
   * Stands for the digest of a slot's first bytes as they are at `offset` of the volume, and leaves
   * it in the slot's header. True when the same stood there before. Zeroes are zeroes, whoever
   * wrote them; but where a copy may be spared they are those of one request, as after a copy: the
   * oracles tell them apart. And there the key is that of the slot's link.
   */
  #digest(slot: number, offset: number, length: number, forCopy: boolean): boolean {
    const from = slot * this.#slotSectors;
    const { memory, stamps, zeroes } = this.#leg;
    const { u32 } = memory.headers;
    const at = (Header.Digest + slot * HEADER_BYTES) >> 2;
    const key = forCopy ? (this.#keys[slot] as number) : 0;
    let same = true;
    for (let lane = 0; lane < DIGEST_WORDS; lane += 1) {
      let sum =
        Math.imul(offset / SECTOR_BYTES + 1, 0x85ebca6b) ^ Math.imul(length + lane, PRIME) ^ key;
      for (let i = from; i < from + length / SECTOR_BYTES; i += 1) {
        const is = stamps[i] as number;
        const stamp = !forCopy && zeroes.are(is) ? 0 : is;
        sum = Math.imul((sum << 5) ^ (sum >>> 27) ^ stamp ^ lane, PRIME);
      }
      sum = Math.imul(sum ^ (sum >>> 15), 0xc2b2ae35) >>> 0;
      if (u32[at + lane] !== sum) same = false;
      u32[at + lane] = sum;
    }
    return same;
  }

  #take(packet: number, link: number): number {
    const slot = this.#free.pop();
    if (slot === undefined) return -1;
    const index = slot - this.#leg.memory.layout.frontSlots;
    this.#held[index] = 1;
    this.#by[index] = link;
    this.#packets.takeHeader(packet, this.#leg.memory.headers.u32, slot);
    return slot;
  }

  #answered(packet: number, link: number, sequence: number, length: number): void {
    const at = this.#asked.findIndex((each) => each.link === link && each.sequence === sequence);
    const [asked] = at < 0 ? [] : this.#asked.splice(at, 1);
    const flags = (this.#packets.flags[packet] as number) & Flag.Digest;
    if (asked === undefined || asked.digest !== (flags !== 0)) {
      // As a real backend does with a link that answers what was not asked.
      const wire = this.#leg.current(link);
      wire?.connection.close(wire.end);
      return;
    }
    const { slot } = asked;
    const { memory, stamps } = this.#leg;
    const status = this.#packets.status[packet] as number;
    if (asked.digest) {
      const at = (Header.Digest + slot * HEADER_BYTES) >> 2;
      for (let n = 0; n < DIGEST_WORDS; n += 1) {
        memory.headers.u32[at + n] = this.#packets.digestOf(packet, n);
      }
    } else {
      const place = slot * this.#slotSectors;
      this.#packets.takeStamps(packet, stamps, place, length / SECTOR_BYTES);
      const word = (Header.Checksum + slot * HEADER_BYTES) >> 2;
      memory.headers.u32[word] = status === 0 ? this.#checksum(slot, length) : 0;
    }
    this.#leg.append(Event.PeerData, slot, link, flags, sequence, length, status);
  }
}

/** A slot that waits for an answer: for a digest, or for payload. */
interface Asked {
  readonly slot: number;
  readonly link: number;
  readonly sequence: number;
  readonly digest: boolean;
}

const DIGEST_WORDS = 4;
const PRIME = 0x9e3779b1;

/** The packet of each decision that sends. */
const PACKETS: { readonly [decision: number]: number } = {
  [Decision.PeerWrite]: Packet.Write,
  [Decision.PeerAck]: Packet.Ack,
  [Decision.PeerRead]: Packet.Read,
  [Decision.PeerData]: Packet.Data,
};
