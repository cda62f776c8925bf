/** Simulated backends under the contract suites. */
import { describe, it } from 'vitest';
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { SimClock } from '../../backends/sim/clock.ts';
import {
  Connection,
  DEFAULT_STREAM_TIMING,
  type StreamEnd,
} from '../../backends/sim/connection.ts';
import { SimDisk } from '../../backends/sim/disk.ts';
import { DiskOp } from '../../backends/sim/disk-op.ts';
import { DEFAULT_DISK_LATENCY } from '../../backends/sim/disk-options.ts';
import { Kernel, Kind } from '../../backends/sim/kernel.ts';
import { SIM_LAYOUT } from '../../backends/sim/leg-host.ts';
import { type LegGround, LegLink } from '../../backends/sim/leg-link.ts';
import { Packet, PacketPool } from '../../backends/sim/packets.ts';
import { SimStore } from '../../backends/sim/store.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import type { Wire } from '../../backends/sim/wires.ts';
import { hollow, Zeroes } from '../../backends/sim/zeroes.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import { Rng } from '../../engine/core/rng.ts';
import { type AbiLayout, Decision, Event, Flag, slotCount } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import { type ClockDriver, clockSuite } from './clock.suite.ts';
import { digestOf } from './digest.ts';
import {
  BLOCKS,
  type DiskAnswer,
  type DiskDriver,
  type DiskOperation,
  diskSuite,
  SIDE_BLOCKS,
  SLOTS,
} from './disk.suite.ts';
import { SimFrontend } from './frontend.sim.ts';
import { frontendSuite } from './frontend.suite.ts';
import {
  ANSWERING_SLOTS,
  ASKING_SLOTS,
  type LinkDriver,
  type LinkEvent,
  linkSuite,
  type Serving,
} from './link.suite.ts';
import { type StoreDriver, storeSuite } from './store.suite.ts';

/** Blocks of zeroes at once. */
const ZEROED = 10;
/** Sectors of a block. */
const SECTORS = 8;
const PAGE = 4096;

class SimDiskDriver implements DiskDriver {
  #rng = new Rng(5, 1);
  #disk: SimDisk;
  #memory = new DataMemory(DISK_LAYOUT);
  #zeroes = new Zeroes();
  #asked = new Set<number>();
  /** Payload of the slots, a stamp for each sector. */
  #slots = new Int32Array(SLOTS * SECTORS);
  #wire = new LegLink(this.#ground(), new PacketPool(SECTORS));
  #reads = new Map<number, number>();

  constructor() {
    const size = {
      sectors: BLOCKS * SECTORS,
      metaPages: 8,
      sideSectors: SIDE_BLOCKS * SECTORS,
      sidePages: SIDE_BLOCKS / 4,
      maxSectors: ZEROED * SECTORS,
    };
    const pool = new ArrayPool();
    const hash = new TraceHash();
    this.#disk = new SimDisk('disk', pool, 1, size, DEFAULT_DISK_LATENCY, hash, this.#rng);
    for (let sector = 0; sector < size.sectors; sector++) {
      const pattern = Math.floor(sector / SECTORS) + 1;
      this.#disk.view[sector] = pattern;
      this.#disk.media[sector] = pattern;
    }
  }

  async run(operations: readonly DiskOperation[]): Promise<readonly DiskAnswer[]> {
    const queued = operations.map((operation) => {
      const op = this.#submit(operation);
      return { op, at: this.#disk.latency(op) };
    });
    queued.sort((p, q) => p.at - q.at);
    return queued.map(({ op }) => this.#land(op));
  }

  async holds(block: number): Promise<number> {
    const sectors = this.#disk.view.subarray(block * SECTORS, (block + 1) * SECTORS);
    return sectors.every((stamp) => stamp === sectors[0]) ? (sectors[0] as number) : -1;
  }

  /** The disk outlives processes; slots do not. */
  async restart(): Promise<void> {
    this.#slots.fill(0);
  }

  cutPower = async (): Promise<void> => {
    this.#disk.crash('random');
    this.#slots.fill(0);
  };

  async close(): Promise<void> {}

  #submit(operation: DiskOperation): number {
    const disk = this.#disk;
    switch (operation.kind) {
      case 'flush':
        return disk.submitFlush(operation.token, 0);
      case 'meta-read':
        return disk.submitMeta(this.#metaPage(operation), operation.token, 0, null);
      case 'meta-write': {
        const bytes = new Uint8Array(PAGE);
        bytes.set(new TextEncoder().encode(operation.text));
        return disk.submitMeta(this.#metaPage(operation), operation.token, 0, bytes);
      }
      case 'zero': {
        const { slot, block, count, fua } = operation;
        const sectors = count * SECTORS;
        const stamps = Int32Array.from({ length: sectors }, () => this.#zeroes.landed(hollow(0)));
        const at = block * SECTORS;
        return disk.submit(DiskOp.Write, slot, at, sectors, fua === true, 0, stamps, 0);
      }
      default: {
        const { kind, slot, block, fua, side } = operation;
        const at = block * SECTORS + (side === true ? disk.sectors : 0);
        const flags = (operation.digest ? Flag.Digest : 0) | (operation.check ? Flag.Check : 0);
        if (kind === 'read' && operation.askZero === true) this.#asked.add(slot);
        if (kind === 'read') {
          this.#reads.set(slot, flags);
          return disk.submit(DiskOp.Read, slot, at, SECTORS, false, 0, null, 0);
        }
        const from = slot * SECTORS;
        const force = fua === true;
        return disk.submit(DiskOp.Write, slot, at, SECTORS, force, 0, this.#slots, from);
      }
    }
  }

  #land(op: number): DiskAnswer {
    const disk = this.#disk;
    const kind = disk.kindOf(op);
    disk.land(op);
    const [slot, id] = [disk.slotOf(op), disk.tokenOf(op)];
    let text = '';
    let status = 0;
    if (kind === DiskOp.Read) {
      disk.copyOut(op, this.#slots, slot * SECTORS);
      const offset = (disk.sectorOf(op) * PAGE) / SECTORS;
      status = this.#wire.judge(slot, offset, PAGE, this.#reads.get(slot) as number);
    }
    if (kind === DiskOp.MetaRead) text = this.#page(disk.sectorOf(op));
    disk.release(op);
    if (kind === DiskOp.Flush) return { kind: 'flush', id, status: 0, text, digest: '' };
    if (kind === DiskOp.MetaRead || kind === DiskOp.MetaWrite) {
      return { kind: 'meta', id, status: 0, text, digest: '' };
    }
    const zero =
      kind === DiskOp.Read &&
      this.#asked.delete(slot) &&
      this.#zeroes.all(this.#slots, slot * SECTORS, SECTORS);
    const digest = digestOf(this.#memory, slot);
    return { kind: 'local', id: slot, status, text, digest, zero };
  }

  #metaPage({ page, side }: { readonly page: number; readonly side?: boolean }): number {
    return page + (side === true ? this.#disk.metaPages : 0);
  }

  /** The disk's reads are judged where a replica's are; there is no link. */
  #ground(): LegGround {
    const [memory, stamps, zeroes] = [this.#memory, this.#slots, this.#zeroes];
    return { memory, stamps, zeroes, current: () => null, append: () => {} };
  }

  #page(page: number): string {
    const bytes = this.#disk.meta.subarray(page * PAGE, (page + 1) * PAGE);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }
}

const DISK_LAYOUT: AbiLayout = { ...SIM_LAYOUT, frontSlots: SLOTS, slotBytes: PAGE };

const LINK_LAYOUT: AbiLayout = {
  ...SIM_LAYOUT,
  frontSlots: ASKING_SLOTS,
  peerSlots: ANSWERING_SLOTS,
  engineSlots: 1,
  slotBytes: PAGE,
};

/** One side: its memory, and what a simulated replica does with its link. */
class SimSide implements LegGround {
  readonly memory = new DataMemory(LINK_LAYOUT);
  readonly stamps = new Int32Array(slotCount(LINK_LAYOUT) * SECTORS);
  readonly zeroes = new Zeroes();
  readonly told: LinkEvent[] = [];
  readonly side: 0 | 1;
  readonly wire: LegLink;
  serving: Serving = 'answer';
  connection: Connection | null = null;
  /** Reads of the present link. */
  asks = 0;
  #held: (readonly [slot: number, link: number, block: number, flags: number])[] = [];

  constructor(side: 0 | 1, packets: PacketPool) {
    this.side = side;
    this.wire = new LegLink(this, packets);
    this.wire.start();
  }

  current(link: number): Wire | null {
    const { connection, side } = this;
    if (link === 0 || connection === null) return null;
    return connection.numberAt(side) === link ? { connection, end: side } : null;
  }

  append(
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    _length: number,
    status: number,
  ): void {
    if (op === Event.PeerData) this.told.push({ kind: 'answered', link, slot, status });
    if (op !== Event.PeerRead) return;
    const block = offset / PAGE;
    this.told.push({ kind: 'asked', link, block });
    this.#held.push([slot, link, block, flags]);
    if (this.serving !== 'hold') this.release();
  }

  decide(
    op: number,
    slot: number,
    link: number,
    offset: number,
    status: number,
    flags: number,
  ): void {
    this.memory.decisions.put(0, op, slot, link, flags, offset, status === 0 ? PAGE : 0, status);
    this.wire.send(0);
  }

  /** Answers what is held, as {@link serving} says. */
  release(): void {
    const status = this.serving === 'refuse' ? 5 : 0;
    for (const [slot, link, block, asked] of this.#held.splice(0)) {
      this.stamps.fill(block + 1, slot * SECTORS, (slot + 1) * SECTORS);
      if ((asked & Flag.Digest) !== 0) this.wire.judge(slot, block * PAGE, PAGE, asked);
      const sequence = this.memory.headers.sequence(slot);
      const flags = this.serving === 'mistake' ? asked ^ Flag.Digest : asked;
      this.decide(Decision.PeerData, slot, link, sequence, status, flags);
      this.wire.free(slot);
      this.connection?.wake(this.side);
    }
  }
}

class SimLinkDriver implements LinkDriver {
  #kernel = new Kernel();
  #packets = new PacketPool(SECTORS);
  #sides = [new SimSide(0, this.#packets), new SimSide(1, this.#packets)] as const;
  #told = [this.#sides[0].told, this.#sides[1].told] as const;
  #connection: Connection;
  #numbers = 0;

  constructor() {
    this.#kernel.reset(11, false);
    const ends = [this.#end(0), this.#end(1)] as const;
    const timing = DEFAULT_STREAM_TIMING;
    this.#connection = new Connection(0, ends, this.#kernel, this.#packets, timing, 7000);
    for (const side of this.#sides) side.connection = this.#connection;
  }

  async connect(): Promise<void> {
    this.#connection.poll();
    this.#run(() => [0, 1].every((side) => this.#link(side as 0 | 1) !== 0));
  }

  send(side: 0 | 1, text: string): void {
    const packet = this.#connection.packet(Packet.Message);
    const page = this.#packets.page(packet).fill(0);
    page.set(new TextEncoder().encode(text));
    this.#connection.send(side, packet, text.length);
  }

  async judge(side: 0 | 1, slot: number, block: number): Promise<number> {
    const { stamps, wire } = this.#sides[side];
    stamps.fill(block + 1, slot * SECTORS, (slot + 1) * SECTORS);
    return wire.judge(slot, block * PAGE, PAGE, Flag.Resync | Flag.Digest | Flag.Check);
  }

  ask(side: 0 | 1, slot: number, block: number, digest: boolean | 'copy' = false): void {
    const own = this.#sides[side];
    own.asks += 1;
    own.memory.headers.put(slot, 1, own.asks, 1, slot + 1);
    const flags = (digest ? Flag.Digest : 0) | (digest === 'copy' ? Flag.Resync : 0);
    own.decide(Decision.PeerRead, slot, this.#link(side), block * PAGE, 0, flags);
  }

  digest(side: 0 | 1, slot: number): string {
    return digestOf(this.#sides[side].memory, slot);
  }

  serve(side: 0 | 1, how: Serving): void {
    this.#sides[side].serving = how;
    if (how === 'answer') this.#sides[side].release();
  }

  async holds(side: 0 | 1, slot: number): Promise<number> {
    const sectors = this.#sides[side].stamps.subarray(slot * SECTORS, (slot + 1) * SECTORS);
    return sectors.every((stamp) => stamp === sectors[0]) ? (sectors[0] as number) : -1;
  }

  async settle(): Promise<void> {
    this.#run(() => false);
  }

  async breakDown(): Promise<void> {
    const links = [this.#link(0), this.#link(1)];
    this.#connection.close(0);
    this.#run(() => {
      return ([0, 1] as const).every((side) => {
        return this.#told[side].some((told) => told.kind === 'down' && told.link === links[side]);
      });
    });
  }

  told(side: 0 | 1): readonly LinkEvent[] {
    return this.#told[side];
  }

  async close(): Promise<void> {}

  #link(side: 0 | 1): number {
    const last = this.#told[side].filter(({ kind }) => kind === 'up' || kind === 'down').at(-1);
    return last?.kind === 'up' ? last.link : 0;
  }

  /** Carries out what is queued until `holds`, or until nothing is left. */
  #run(holds: () => boolean): void {
    const { queue } = this.#kernel;
    while (queue.size > 0 && !holds()) {
      this.#kernel.now = queue.nextTime;
      const entry = queue.pop();
      const [kind, a, b] = [queue.kind[entry], queue.a[entry] as number, queue.b[entry] as number];
      queue.release(entry);
      if (kind === Kind.Packet) this.#connection.arrive(a, b);
      else if (kind === Kind.Connect) this.#connection.connect();
      else if (kind === Kind.Detect) this.#connection.detect(a, b);
    }
  }

  #end(side: 0 | 1): StreamEnd {
    const told = this.#told[side];
    return {
      node: side + 1,
      alive: () => true,
      running: () => true,
      nextLink: () => {
        this.#numbers += 1;
        return this.#numbers;
      },
      accept: (packet, link) => {
        const message = this.#packets.kind[packet] === Packet.Message;
        if (!message) return this.#sides[side].wire.accept(packet, link);
        const bytes = this.#packets.page(packet);
        const text = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
        told.push({ kind: 'message', link, text });
        return true;
      },
      linkUp: (link, peer) => {
        this.#sides[side].asks = 0;
        told.push({ kind: 'up', link, peer });
        return true;
      },
      linkDown: (link) => {
        this.#sides[side].wire.down(link);
        told.push({ kind: 'down', link });
        return true;
      },
    };
  }
}

/** World time runs only while somebody waits; the clock is 400 ppm fast. */
class SimClockDriver implements ClockDriver {
  #clock = new SimClock();
  #world = 0;
  #due = 0;

  constructor() {
    this.#clock.start(0, 123_456);
    this.#clock.setRate(0, 400);
  }

  now(): number {
    this.#world += 1;
    return this.#clock.at(this.#world);
  }
  arm(at: number): void {
    this.#due = this.#clock.when(this.#world, at);
  }
  async fired(): Promise<number> {
    this.#world = Math.max(this.#world, this.#due);
    return this.#clock.at(this.#world);
  }
  async close(): Promise<void> {}
}

class SimStoreDriver implements StoreDriver {
  #kernel = new Kernel();
  #store: SimStore;

  constructor(seed: number) {
    this.#kernel.reset(seed, false);
    this.#store = new SimStore(this.#kernel, 1);
  }

  async start(): Promise<{ session: number; durable: Durable | null }> {
    return { session: this.#store.nextSession(), durable: this.#store.document };
  }

  persist(token: number, document: Durable): void {
    this.#store.persist(token, document, 0);
  }

  async persisted(): Promise<number> {
    const { queue } = this.#kernel;
    this.#kernel.now = queue.nextTime;
    const entry = queue.pop();
    const token = queue.a[entry] as number;
    queue.release(entry);
    this.#store.land();
    return token;
  }

  cutPower(): void {
    this.#kernel.queue.clear();
    this.#store.crash();
  }
}

describe('the contract of a simulated disk', () =>
  diskSuite(it, true, async () => new SimDiskDriver()));
describe('the contract of a simulated link', () => linkSuite(it, async () => new SimLinkDriver()));
describe('the contract of a simulated clock', () =>
  clockSuite(it, async () => new SimClockDriver()));
describe('the contract of a simulated store', () =>
  storeSuite(it, (seed) => new SimStoreDriver(seed)));
describe('the contract of a simulated front-end', () =>
  frontendSuite(it, async () => new SimFrontend()));
