/**
 * One replica on one simulated host: runs the data actor, carries out its decisions on disk and
 * link, and copies nothing but stamps. What is due at one microsecond is one batch, as for real.
 */
import { InvariantError } from '../../engine/core/invariant.ts';
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import { Decision, Event, Flag, HEADER_BYTES, PAGE_BYTES, Status } from '../../engine/data/abi.ts';
import type { DataMemory } from '../../engine/data/memory.ts';
import type { DataActor, DataCommand, DataReport, Mailboxes } from '../../engine/data/messages.ts';
import { blockSums } from './block-sums.ts';
import type { StreamEnd } from './connection.ts';
import { SECTOR_BYTES, type SimDisk } from './disk.ts';
import { Ill } from './disk-ills.ts';
import { DiskOp } from './disk-op.ts';
import { type Kernel, Kind } from './kernel.ts';
import { type LegHost, SIM_LAYOUT, SLOT_SECTORS } from './leg-host.ts';
import { LegLink } from './leg-link.ts';
import type { Observer } from './observer.ts';
import { Packet, type PacketPool } from './packets.ts';
import { type Wire, Wires } from './wires.ts';
import { Zeroes } from './zeroes.ts';

/** Bits that the flags of a request take beside its length, while it is parked. */
const PARKED_FLAGS = 256;

/** After a stall one operation ends each so many microseconds. */
const UNSTALL = 20;

/** A replica: a data actor, its memory and its disk. */
export class SimLeg implements StreamEnd {
  readonly index: number;
  readonly volume: number;
  readonly name: string;
  readonly host: LegHost;
  readonly disk: SimDisk;
  readonly memory: DataMemory;
  readonly mailboxes: Mailboxes = { inbox: [], outbox: [] };
  /** Payload of all slots: one stamp per sector. */
  readonly stamps: Int32Array;
  readonly zeroes: Zeroes;
  readonly wires: Wires = new Wires();
  /** Its position among the volume's replicas. */
  side = 0;
  /** Whether members of the volume acknowledge what they have not written. */
  semiSync = false;

  readonly #kernel: Kernel;
  readonly #packets: PacketPool;
  readonly #observer: Observer;
  #actor: DataActor | null = null;
  #count = 0;
  #inPages = 0;
  #timerAt = 0;
  #timerQueued = 0;
  /** The whole shared memory as words, for the trace hash. */
  readonly #words: Int32Array;
  readonly #wire: LegLink;
  /** Disk operations that a stalled disk does not end, and the disk's life in which they began. */
  #stalled: number[] = [];
  #stalledLife = 0;
  /** Whether what a slot's read brings is to be looked at for zeroes. */
  readonly #askedZero: Uint8Array;
  readonly #scratch = new Int32Array(SLOT_SECTORS);
  /** Operations of this life that the disk does from or into each slot. */
  readonly #diskUses: Uint8Array;
  /** Flags of each slot's read or write; where its operation is, and where in the slot. */
  readonly #readFlags: Uint16Array;
  readonly #offsets: Float64Array;
  readonly #befores: Int32Array;
  /** The in-pages as words. */
  readonly #pageWords: Uint32Array;

  constructor(
    index: number,
    volume: number,
    name: string,
    host: LegHost,
    disk: SimDisk,
    kernel: Kernel,
    packets: PacketPool,
    observer: Observer,
    memory: DataMemory,
    stamps: Int32Array,
    zeroes = new Zeroes(),
  ) {
    this.index = index;
    this.volume = volume;
    this.name = name;
    this.host = host;
    this.disk = disk;
    this.memory = memory;
    this.stamps = stamps;
    this.zeroes = zeroes;
    this.#kernel = kernel;
    this.#packets = packets;
    this.#observer = observer;
    this.#words = new Int32Array(memory.buffer);
    const { buffer, byteOffset, length } = memory.inPages;
    this.#pageWords = new Uint32Array(buffer, byteOffset, length / 4);
    this.#wire = new LegLink(this, packets);
    const { frontSlots, peerSlots, engineSlots } = SIM_LAYOUT;
    this.#diskUses = new Uint8Array(frontSlots + peerSlots + engineSlots);
    this.#askedZero = new Uint8Array(frontSlots + peerSlots + engineSlots);
    this.#readFlags = new Uint16Array(frontSlots + peerSlots + engineSlots);
    this.#offsets = new Float64Array(frontSlots + peerSlots + engineSlots);
    this.#befores = new Int32Array(frontSlots + peerSlots + engineSlots);
  }

  get node(): number {
    return this.host.node;
  }
  alive(): boolean {
    return this.host.coreAlive() && this.#actor !== null;
  }
  running(): boolean {
    return this.host.coreRunning();
  }
  nextLink(): number {
    return this.host.nextLink();
  }
  /** Events gathered for the next turn. */
  get waiting(): number {
    return this.#count;
  }

  /** The host's core starts: a new actor over cleared memory takes its first turn. */
  start(make: (memory: DataMemory, mailboxes: Mailboxes) => DataActor): void {
    this.#words.fill(0);
    this.mailboxes.inbox.length = 0;
    this.mailboxes.outbox.length = 0;
    this.#count = 0;
    this.#inPages = 0;
    this.#timerAt = Number.MAX_SAFE_INTEGER;
    this.#timerQueued = Number.MAX_SAFE_INTEGER;
    this.wires.forget();
    this.#wire.start();
    this.#diskUses.fill(0);
    this.#observer.attaching(this.index);
    this.#actor = make(this.memory, this.mailboxes);
    this.run();
    this.wires.poll();
  }

  /** The core is gone. Disk operations in flight still land; nobody hears of them. */
  stop(): void {
    this.#actor = null;
    this.#count = 0;
  }

  /**
   * The core of life `guard` was killed, and its host lives on. Where what is acknowledged may not
   * be written, it matters that a process takes some of what is in flight with it.
   */
  killed(guard: number): void {
    if (!this.semiSync) return;
    const lost = this.disk.forsake(guard);
    const gone = (slot: number): boolean => this.#diskUses[slot] === 0 || lost.includes(slot);
    if (this.#wire.receipts.some(gone)) this.#observer.receiptLost(this.index);
  }

  /**
   * A client's request; the caller has put a write's stamps into the slot. While the process stands
   * still the request waits in its socket.
   */
  request(op: number, slot: number, flags: number, sector: number, count: number): void {
    if (!this.host.coreRunning()) {
      const { queue } = this.#kernel;
      const entry = queue.take(Kind.Record, this.index, this.host.coreLife);
      queue.a[entry] = -1;
      queue.b[entry] = op;
      queue.c[entry] = slot;
      queue.d[entry] = count * PARKED_FLAGS + flags;
      queue.x[entry] = sector;
      this.host.park(entry);
      return;
    }
    this.memory.headers.put(slot, 0, 0, 0, 0);
    this.append(op, slot, 0, flags, sector * SECTOR_BYTES, count * SECTOR_BYTES, 0);
  }

  /** What of a sector it has acknowledged to a peer and not written. */
  receivedAt(sector: number): readonly number[] {
    return this.#wire.receivedAt(sector);
  }

  /** Gathers one event for the next turn. */
  append(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void {
    if (this.#count === this.memory.layout.events) this.run();
    if (this.#actor === null) return;
    const r = this.#count;
    this.#count += 1;
    this.memory.events.put(r, op, slot, link, flags, offset, length, status);
    this.#kernel.events += 1;
  }

  /** A message from control. */
  command(command: DataCommand): void {
    if (this.#actor === null) return;
    if (command.kind === 'record') this.#observer.record(this.index, command.record);
    else if (command.kind === 'grant') this.#observer.grant(this.index, command.until);
    this.#kernel.hash.value(command);
    if (this.#count === this.memory.layout.events) this.run();
    this.mailboxes.inbox.push(command);
    this.append(Event.Control, this.mailboxes.inbox.length - 1, 0, 0, 0, 0, 0);
  }

  /** The timer's queue entry came up. */
  timer(): void {
    this.#timerQueued = Number.MAX_SAFE_INTEGER;
    if (this.#actor === null) return;
    const local = this.host.clock.at(this.#kernel.now);
    if (this.#timerAt > local) {
      this.#queueTimer();
      return;
    }
    this.#timerAt = Number.MAX_SAFE_INTEGER;
    this.append(Event.Timer, 0, 0, 0, 0, 0, 0);
  }

  /** Queues the timer anew after the clock changed its rate or its host froze. */
  retime(): void {
    this.#timerQueued = Number.MAX_SAFE_INTEGER;
    this.#queueTimer();
  }

  /** Hands the gathered events to the actor and carries out what it decides. */
  run(): void {
    const actor = this.#actor;
    if (actor === null) return;
    const { hash } = this.#kernel;
    const count = this.#count;
    this.#count = 0;
    this.#inPages = 0;
    const now = this.host.clock.at(this.#kernel.now);
    hash.word(this.index);
    hash.integer(now);
    for (let r = 0; r < count; r += 1) {
      hash.record(this.memory.events, r);
      const op = this.memory.events.op(r);
      const flags = this.memory.events.flags(r);
      const digest = (flags & Flag.Digest) !== 0;
      if (op === Event.PeerWrite || op === Event.PeerRead || op === Event.PeerData || digest) {
        this.#hashHeader(this.memory.events.slot(r));
      }
      if (op === Event.LocalDone && (flags & Flag.Sums) !== 0) this.#hashSums(r);
    }
    let decisions = 0;
    try {
      decisions = actor.step(count, now);
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.host.broke(error.message);
      return;
    }
    if (this.mailboxes.inbox.length > 0) this.mailboxes.inbox.length = 0;
    for (let r = 0; r < decisions && this.#actor !== null; r += 1) this.#carryOut(r);
    if (this.mailboxes.outbox.length > 0) this.mailboxes.outbox.length = 0;
    if (this.#wire.room) this.wires.wake();
  }

  /** A disk operation's queue entry came up: it lands whether or not anybody waits for it. */
  diskDone(op: number): void {
    const disk = this.disk;
    if (disk.ills.any && disk.ills.strikes(Ill.Stall, disk.placeOf(op))) {
      if (this.#stalledLife !== disk.life) this.#stalled = [];
      this.#stalledLife = disk.life;
      this.#stalled.push(op);
      return;
    }
    if (disk.kindOf(op) === DiskOp.MetaWrite) {
      const { life } = disk;
      this.#observer.moment('meta-write', this.node);
      // It may have cost the host its power.
      if (disk.life !== life) return;
    }
    disk.land(op);
    if (disk.loss !== '') {
      this.#observer.diskFailed(this.index, disk.loss);
      disk.loss = '';
    }
    const { host } = this;
    if (this.#actor === null || disk.guardOf(op) !== host.coreLife) {
      this.unheard(op);
      return;
    }
    if (!host.coreRunning()) {
      // The device is done; the news waits for the process.
      const entry = this.#kernel.queue.take(Kind.Record, this.index, host.coreLife);
      this.#kernel.queue.a[entry] = op;
      host.park(entry);
      return;
    }
    this.#deliverDisk(op);
  }

  /** The process that waited for a landed disk operation lives no more; -1 was a request. */
  unheard(op: number): void {
    // After a loss of power there is none any more.
    if (op < 0 || this.disk.kindOf(op) === 0) return;
    this.disk.unheard(op);
    this.disk.release(op);
  }

  /** The disk goes on after a stall: everything ends late, one after another. */
  unstall(): void {
    const { queue, now } = this.#kernel;
    const stalled = this.#stalled;
    this.#stalled = [];
    for (let i = 0; i < stalled.length && this.#stalledLife === this.disk.life; i += 1) {
      const entry = queue.push(now + i * UNSTALL, Kind.Disk, this.index, this.disk.life);
      queue.a[entry] = stalled[i] as number;
    }
  }

  /** A parked entry came back: a request, or the end of a disk operation. */
  resume(entry: number): void {
    const { a, b, c, d, x } = this.#kernel.queue;
    const op = a[entry] as number;
    if (op >= 0) {
      this.#deliverDisk(op);
      return;
    }
    const packed = d[entry] as number;
    const slot = c[entry] as number;
    const count = Math.floor(packed / PARKED_FLAGS);
    this.request(b[entry] as number, slot, packed % PARKED_FLAGS, x[entry] as number, count);
  }

  /** Tells the actor how a landed operation ended. */
  #deliverDisk(op: number): void {
    const disk = this.disk;
    const status = disk.statusOf(op);
    switch (disk.kindOf(op)) {
      case DiskOp.Read:
        disk.copyOut(op, this.stamps, disk.slotOf(op) * SLOT_SECTORS + this.#at(disk.slotOf(op)));
        this.#localDone(op);
        break;
      case DiskOp.Write:
        this.#localDone(op);
        break;
      case DiskOp.Flush:
        this.append(Event.FlushDone, 0, 0, 0, 0, disk.tokenOf(op), status);
        break;
      case DiskOp.MetaWrite:
        this.append(Event.MetaDone, 0, 0, 0, disk.pageOf(op), disk.tokenOf(op), status);
        break;
      default: {
        const page = this.#inPage();
        const from = disk.sectorOf(op) * PAGE_BYTES;
        this.memory.inPages.set(disk.meta.subarray(from, from + PAGE_BYTES), page * PAGE_BYTES);
        this.append(Event.MetaDone, page, 0, 0, disk.pageOf(op), disk.tokenOf(op), status);
      }
    }
    disk.release(op);
  }

  accept(packet: number, number: number): boolean {
    const packets = this.#packets;
    if (this.#actor === null) return true;
    if (this.#count >= this.memory.layout.events - 1) this.run();
    if (packets.kind[packet] !== Packet.Message) return this.#wire.accept(packet, number);
    const length = packets.length[packet] as number;
    const page = this.#inPage();
    packets.takeBytes(packet, this.memory.inPages, page * PAGE_BYTES, length);
    this.append(Event.PeerMessage, page, number, 0, 0, length, 0);
    return true;
  }

  current(link: number): Wire | null {
    return this.wires.current(link);
  }

  linkUp(number: number, peer: number): boolean {
    this.wires.up(number, peer);
    this.#observer.linkUp(this.index, peer);
    this.append(Event.LinkUp, 0, number, 0, peer, 0, 0);
    return true;
  }

  linkDown(number: number): boolean {
    if (this.wires.down(number)) {
      this.#wire.down(number);
      this.append(Event.LinkDown, 0, number, 0, 0, 0, 0);
    }
    return true;
  }

  #localDone(op: number): void {
    const disk = this.disk;
    const slot = disk.slotOf(op);
    const offset = this.#offsets[slot] as number;
    const length = disk.countOf(op) * SECTOR_BYTES;
    let status = disk.statusOf(op);
    const asked = this.#readFlags[slot] as number;
    const all = (asked & Flag.Part) === 0;
    const before = this.#at(slot) * SECTOR_BYTES;
    if (status === 0 && disk.kindOf(op) === DiskOp.Read && all) {
      status = this.#wire.judge(slot, offset - before, before + length, asked);
    }
    this.#diskUses[slot] = (this.#diskUses[slot] as number) - 1;
    if (disk.kindOf(op) === DiskOp.Write && all && status === 0) this.#wire.written(slot);
    const at = slot * SLOT_SECTORS;
    let flags = 0;
    const told = status === 0 || status === Status.Differs;
    if (this.#askedZero[slot] === 1) {
      this.#askedZero[slot] = 0;
      const count = this.#at(slot) + disk.countOf(op);
      if (told && this.zeroes.all(this.stamps, at, count)) {
        flags = Flag.Zero;
        disk.side.zeroes.found((offset - before) / SECTOR_BYTES, count, this.stamps, at);
      }
    }
    const read = all && told;
    if (disk.kindOf(op) === DiskOp.Read && read) flags |= asked & Flag.Digest;
    let page = 0;
    const wanted = (this.#readFlags[slot] as number) & (Flag.Sums | Flag.Zero);
    const payload = disk.kindOf(op) === DiskOp.Read || wanted === Flag.Sums;
    if ((wanted & Flag.Sums) !== 0 && read && payload) {
      // Room for the event as well: its page is filled in now.
      if (this.#count >= this.memory.layout.events - 1) this.run();
      page = this.#inPage();
      const sums = blockSums(this, at, offset - before, before + length);
      this.#pageWords.set(sums, (page * PAGE_BYTES) / 4);
      flags |= Flag.Sums;
    }
    this.append(Event.LocalDone, slot, page, flags, offset - before, before + length, status);
  }

  #hashSums(r: number): void {
    const { events, offsets } = this.memory;
    const first = (offsets.inPages + events.link(r) * PAGE_BYTES) >> 2;
    this.#kernel.hash.words(this.#words, first, Math.floor(events.length(r) / BLOCK_BYTES));
  }

  #inPage(): number {
    if (this.#inPages === this.memory.layout.inPages) this.run();
    this.#inPages += 1;
    return this.#inPages - 1;
  }

  #carryOut(r: number): void {
    const { decisions } = this.memory;
    const { hash } = this.#kernel;
    hash.record(decisions, r);
    const slot = decisions.slot(r);
    const length = decisions.length(r);
    const offset = decisions.offset(r);
    switch (decisions.op(r)) {
      case Decision.LocalRead:
        this.#askedZero[slot] =
          (decisions.flags(r) & (Flag.Zero | Flag.Part)) === Flag.Zero ? 1 : 0;
        this.#readFlags[slot] = decisions.flags(r);
        this.#io(r, DiskOp.Read);
        return;
      case Decision.LocalWrite:
        this.#readFlags[slot] = decisions.flags(r);
        this.#io(r, DiskOp.Write);
        return;
      case Decision.LocalFlush:
        this.#issue(this.disk.submitFlush(length, this.host.coreLife));
        return;
      case Decision.MetaRead:
        this.#metaIo(decisions.flags(r), offset, length, null);
        return;
      case Decision.MetaWrite: {
        this.#hashPage(slot, PAGE_BYTES);
        const at = slot * PAGE_BYTES;
        const page = this.memory.outPages.subarray(at, at + PAGE_BYTES);
        this.#metaIo(decisions.flags(r), offset, length, page);
        return;
      }
      case Decision.PeerWrite:
      case Decision.PeerRead:
        this.#hashHeader(slot);
        this.#wire.send(r);
        return;
      case Decision.PeerAck: {
        const own = this.#wire.slotOf(decisions.link(r), offset);
        const epoch = own < 0 ? 0 : this.memory.headers.epoch(own);
        if (decisions.status(r) === 0) this.#observer.peerAck(this.index, epoch);
        if (own >= 0 && decisions.status(r) === 0) this.#wire.acknowledged(own);
        this.#wire.send(r);
        return;
      }
      case Decision.PeerData:
        // What goes along is part of what is decided.
        if ((decisions.flags(r) & Flag.Digest) !== 0) this.#hashHeader(slot);
        this.#wire.send(r);
        return;
      case Decision.PeerMessage:
        this.#hashPage(slot, length);
        this.#observer.moment('message', this.node);
        this.#wire.sendMessage(decisions.link(r), slot * PAGE_BYTES, length);
        return;
      case Decision.Complete:
        this.#givesBack(slot);
        this.#observer.completed(this.index, slot, decisions.status(r));
        return;
      case Decision.Free:
        this.#givesBack(slot);
        this.#freeSlot(slot);
        return;
      case Decision.LinkClose:
        this.wires.close(decisions.link(r));
        return;
      case Decision.ArmTimer:
        this.#timerAt = offset;
        this.#queueTimer();
        return;
      case Decision.Report: {
        const report = this.mailboxes.outbox[slot] as DataReport;
        hash.value(report);
        this.#observer.report(this.index, report);
        this.host.report(this.index, report);
        return;
      }
      default:
        this.host.broke('a data actor decided an unknown operation');
    }
  }

  /** How many sectors of the slot come before those of its operation. */
  #at(slot: number): number {
    return this.#befores[slot] as number;
  }

  #metaIo(flags: number, page: number, token: number, bytes: Uint8Array | null): void {
    const { disk, host } = this;
    const at = (flags & Flag.Side) === 0 ? page : disk.places.sidePage(page);
    this.#issue(disk.submitMeta(at, token, host.coreLife, bytes));
  }

  #io(r: number, kind: number): void {
    const { disk, host } = this;
    const { decisions } = this.memory;
    const slot = decisions.slot(r);
    const flags = decisions.flags(r);
    const page = decisions.status(r);
    this.#offsets[slot] = decisions.offset(r);
    this.#befores[slot] = decisions.link(r) / SECTOR_BYTES;
    const fua = (flags & Flag.Fua) !== 0;
    let stamps = kind === DiskOp.Write ? this.stamps : null;
    let sector = decisions.offset(r) / SECTOR_BYTES;
    if ((flags & Flag.Side) !== 0) sector = disk.places.sideSector(sector);
    const count = decisions.length(r) / SECTOR_BYTES;
    let at = slot * SLOT_SECTORS + this.#at(slot);
    if (stamps !== null && (flags & Flag.Zero) !== 0) {
      stamps = this.#scratch;
      for (let i = 0; i < count; i += 1) {
        stamps[i] = this.zeroes.landed(this.stamps[at + i] as number);
      }
      at = 0;
    }
    this.#diskUses[slot] = (this.#diskUses[slot] as number) + 1;
    this.#issue(disk.submit(kind, slot, sector, count, fua, host.coreLife, stamps, at, page));
  }

  /** Whoever has a slot next may fill it at once: a disk that still used it would mix the two. */
  #givesBack(slot: number): void {
    if (this.#diskUses[slot] === 0) return;
    this.host.broke('a data actor gave back a slot that the disk still uses');
  }

  #issue(op: number): void {
    const due = this.#kernel.now + this.disk.latency(op);
    const entry = this.#kernel.queue.push(due, Kind.Disk, this.index, this.disk.life);
    this.#kernel.queue.a[entry] = op;
  }

  #hashPage(page: number, length: number): void {
    const first = (this.memory.offsets.outPages + page * PAGE_BYTES) / 4;
    this.#kernel.hash.page(this.#words, first, Math.ceil(length / 4));
  }

  #hashHeader(slot: number): void {
    const at = this.memory.offsets.headers + slot * HEADER_BYTES;
    this.#kernel.hash.words(this.#words, at >> 2, HEADER_BYTES / 4);
  }

  #freeSlot(slot: number): void {
    if (!this.#wire.free(slot)) {
      this.host.broke('a data actor freed a slot that it does not hold');
    }
  }

  #queueTimer(): void {
    if (this.#timerAt >= this.#timerQueued || this.#timerAt === Number.MAX_SAFE_INTEGER) return;
    const due = this.host.clock.when(this.#kernel.now, this.#timerAt);
    this.#timerQueued = this.#timerAt;
    this.#kernel.queue.push(due, Kind.DataTimer, this.index, this.host.coreLife);
  }
}
