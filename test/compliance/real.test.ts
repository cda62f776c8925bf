/** Real backends under the contract suites: a reactor on a file and on loopback, and the store. */
import {
  closeSync,
  copyFileSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe } from 'vitest';
import { DurableStore } from '../../backends/real/durable-store.ts';
import { hasNative } from '../../backends/real/native.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { LAYOUT } from '../native/support/echo-engine.ts';
import { META_PAGES, Rig, SIZE, VOLUME } from '../native/support/rig.ts';
import { itUnless, sleep } from '../real/support/hosts.ts';
import { attachLoop, detachLoop, loopMissing } from '../real/support/loop-device.ts';
import { VolatileFiles } from '../real/support/volatile-files.ts';
import { type ClockDriver, clockSuite } from './clock.suite.ts';
import { digestOf } from './digest.ts';
import {
  BLOCKS,
  type DiskAnswer,
  type DiskDriver,
  type DiskOperation,
  diskSuite,
  SIDE_BLOCKS,
} from './disk.suite.ts';
import { RealFrontend } from './frontend.real.ts';
import { frontendSuite } from './frontend.suite.ts';
import {
  ANSWERING_SLOTS,
  type LinkDriver,
  type LinkEvent,
  linkSuite,
  type Serving,
} from './link.suite.ts';
import { type RawDecision, RawEngine, type RawEvent } from './raw-engine.ts';
import { type StoreDriver, storeSuite } from './store.suite.ts';

const BLOCK = 4096;
/** The engine's own slots stand behind those that the reactor hands out. */
const SLOT = LAYOUT.frontSlots + LAYOUT.peerSlots;
const missing = hasNative() ? null : 'the native addon is not built (npm run build:native)';

/** Blocks of each part of a disk that consists of several; what the suite zeroes crosses one. */
const PARTS: readonly number[] = [20, 24, 20];
/** And two pages behind each that are not the disk's. */
const LABEL_PAGES = 2;

class RealDisk implements DiskDriver {
  #rig = new Rig();
  #files: string[];
  #devices: string[] = [];
  #blocks: readonly number[];
  #personality: 'io_uring' | 'epoll';
  #lives = 0;
  #engine: RawEngine;
  /**
   * On a device: what its cache holds is lost. A loop device's cache is the kernel's, and its file
   * holds only what was written through; a copy of the file is what the next life finds.
   */
  cutPower?: () => Promise<void>;

  readonly #side: string;

  /** On a device the side area stands behind the metadata, else in a file of its own. */
  constructor(
    where: 'file' | 'device',
    personality: 'io_uring' | 'epoll',
    blocks: readonly number[] = [SIZE / BLOCK],
  ) {
    this.#personality = personality;
    this.#blocks = blocks;
    const label = this.#isWhole ? 0 : LABEL_PAGES;
    this.#files = blocks.map((count, n) => {
      const meta = n === blocks.length - 1 ? META_PAGES : 0;
      return this.#rig.replica(`disk${n}`, (count + label + meta) * BLOCK);
    });
    this.#side = where === 'file' ? this.#rig.path('side') : '';
    const bytes = SIDE_BLOCKS * BLOCK;
    if (this.#side !== '') writeFileSync(this.#side, '');
    const last = this.#files.at(-1) as string;
    truncateSync(this.#side || last, this.#side === '' ? statSync(last).size + bytes : bytes);
    for (let block = 0; block < BLOCKS; block++) {
      const [part, at] = this.#placeOf(block);
      const file = openSync(this.#files[part] as string, 'r+');
      writeSync(file, Buffer.alloc(BLOCK, block + 1), 0, BLOCK, at);
      closeSync(file);
    }
    if (where === 'device') {
      this.#devices = this.#files.map((file) => attachLoop(file));
      this.cutPower = () => this.#cut();
    }
    this.#engine = this.#open();
  }

  get #isWhole(): boolean {
    return this.#blocks.length === 1;
  }

  /** The part in which a block stands, and where there. */
  #placeOf(block: number): readonly [part: number, at: number] {
    let before = 0;
    const part = this.#blocks.findIndex((count) => {
      before += count;
      return block < before;
    });
    return [part, (block - before + (this.#blocks[part] as number)) * BLOCK];
  }

  async #cut(): Promise<void> {
    this.#lives += 1;
    const left = this.#files.map((_, n) => this.#rig.path(`disk${n}.${this.#lives}`));
    // All of it at one moment: nothing is written meanwhile.
    for (const [n, file] of this.#files.entries()) copyFileSync(file, left[n] as string);
    this.#engine.reactor.close();
    for (const device of this.#devices) detachLoop(device);
    for (const file of this.#files) rmSync(file);
    this.#files = left;
    this.#devices = left.map((file) => attachLoop(file));
    this.#engine = this.#open();
  }

  async run(operations: readonly DiskOperation[]): Promise<readonly DiskAnswer[]> {
    const events: RawEvent[] = [];
    for (const operation of operations) events.push(...this.#engine.decide(decision(operation)));
    while (events.length < operations.length) {
      events.push(...this.#engine.turn());
      await sleep(0);
    }
    // One that came too often would stand behind the others.
    events.push(...this.#engine.turn());
    return events.map(({ op, slot, length, status, text, flags }) => {
      if (op === Event.FlushDone) return { kind: 'flush', id: length, status, text, digest: '' };
      if (op === Event.MetaDone) return { kind: 'meta', id: length, status, text, digest: '' };
      const digest = digestOf(this.#engine.memory, slot);
      const zero = (flags & Flag.Zero) !== 0;
      return { kind: 'local', id: slot - SLOT, status, text, digest, zero };
    });
  }

  async holds(block: number): Promise<number> {
    const bytes = Buffer.alloc(BLOCK);
    const [part, at] = this.#placeOf(block);
    const file = openSync(this.#devices[part] ?? (this.#files[part] as string), 'r');
    readSync(file, bytes, 0, BLOCK, at);
    closeSync(file);
    return bytes.every((byte) => byte === bytes[0]) ? (bytes[0] as number) : -1;
  }

  async restart(): Promise<void> {
    this.#engine.reactor.close();
    this.#engine = this.#open();
  }

  async close(): Promise<void> {
    this.#engine.reactor.close();
    for (const device of this.#devices) detachLoop(device);
    this.#rig.end();
  }

  #open(): RawEngine {
    const paths = this.#files.map((file, n) => this.#devices[n] ?? file);
    // Past the page cache nothing would be volatile.
    const direct = this.#devices.length === 0 ? 'auto' : 'off';
    const personality = this.#personality;
    const parts = paths.map((path, n) => {
      return { name: `part${n}`, path, sizeBytes: (this.#blocks[n] as number) * BLOCK };
    });
    const data = this.#isWhole
      ? { replicaPath: paths[0] as string }
      : { parts, labelPages: LABEL_PAGES, sizeBytes: BLOCKS * BLOCK };
    const side = { sideBytes: SIDE_BLOCKS * BLOCK, sidePath: this.#side };
    return new RawEngine(this.#rig.reactor({ ...data, direct, personality, ...side }));
  }
}

function decision(operation: DiskOperation): RawDecision {
  switch (operation.kind) {
    case 'flush':
      return { op: Decision.LocalFlush, length: operation.token };
    case 'meta-read':
      return {
        op: Decision.MetaRead,
        flags: operation.side === true ? Flag.Side : 0,
        offset: operation.page,
        length: operation.token,
      };
    case 'meta-write': {
      const { page, token, text, side } = operation;
      const flags = side === true ? Flag.Side : 0;
      return { op: Decision.MetaWrite, flags, offset: page, length: token, text };
    }
    case 'zero': {
      const { slot, block, count, fua, unmap } = operation;
      const flags = Flag.Zero | (fua === true ? Flag.Fua : 0) | (unmap === true ? Flag.Unmap : 0);
      const [offset, length] = [block * BLOCK, count * BLOCK];
      return { op: Decision.LocalWrite, slot: SLOT + slot, flags, offset, length };
    }
    default: {
      const op = operation.kind === 'read' ? Decision.LocalRead : Decision.LocalWrite;
      const { fua, digest, check, askZero, side } = operation;
      const flags =
        (side ? Flag.Side : 0) |
        (fua ? Flag.Fua : 0) |
        (digest ? Flag.Digest : 0) |
        (check ? Flag.Check : 0) |
        (askZero ? Flag.Zero : 0);
      const offset = operation.block * BLOCK;
      return { op, slot: SLOT + operation.slot, flags, offset, length: BLOCK };
    }
  }
}

const LINK_LAYOUT = { ...LAYOUT, peerSlots: ANSWERING_SLOTS };
const ASKING = LINK_LAYOUT.frontSlots + LINK_LAYOUT.peerSlots;

class RealLink implements LinkDriver {
  #rig = new Rig();
  #files: string[] = [];
  #serving: [Serving, Serving] = ['answer', 'answer'];
  /** Reads that a side was asked for and holds. */
  #held: [RawEvent[], RawEvent[]] = [[], []];
  /** Reads asked for on each side's present link. */
  #asks = [0, 0];
  /** Slots whose content is being written to the side's own replica, to be looked at. */
  #kept = new Set<string>();
  /** Status of each block that is held against a digest, -1 until it is known. */
  #judged = new Map<string, number>();
  #told: [LinkEvent[], LinkEvent[]] = [[], []];
  #sides: readonly [RawEngine, RawEngine];
  #connected = false;
  #port: number;

  constructor(personality: 'io_uring' | 'epoll') {
    const key = new Uint8Array(32).fill(7);
    const [one, two] = [1, 2].map((node) => {
      const replicaPath = this.#rig.replica(`node${node}`);
      this.#files.push(replicaPath);
      const file = openSync(replicaPath, 'r+');
      for (let block = 0; block < 32; block++) {
        writeSync(file, Buffer.alloc(BLOCK, block + 1), 0, BLOCK, block * BLOCK);
      }
      closeSync(file);
      const layout = LINK_LAYOUT;
      const identity = { volume: VOLUME, key, personality };
      const reactor = this.#rig.reactor({ ...identity, replicaPath, node, layout });
      return new RawEngine(reactor, layout);
    });
    this.#sides = [one as RawEngine, two as RawEngine];
    this.#port = this.#sides[1].reactor.listenPeer({ host: '127.0.0.1', port: 0 });
  }

  async connect(): Promise<void> {
    if (!this.#connected) {
      this.#sides[0].reactor.connectPeer({ node: 2, host: '127.0.0.1', port: this.#port });
    }
    this.#connected = true;
    await this.#until(() => this.#link(0) !== 0 && this.#link(1) !== 0);
  }

  send(side: 0 | 1, text: string): void {
    const link = this.#link(side);
    if (link === 0) return;
    this.#take(side, this.#sides[side].decide({ op: Decision.PeerMessage, link, text }));
  }

  async judge(side: 0 | 1, slot: number, block: number): Promise<number> {
    const key = `${side} ${ASKING + slot}`;
    this.#judged.set(key, -1);
    const flags = Flag.Resync | Flag.Digest | Flag.Check;
    const at = { slot: ASKING + slot, flags, offset: block * BLOCK, length: BLOCK };
    this.#take(side, this.#sides[side].decide({ op: Decision.LocalRead, ...at }));
    await this.#until(() => this.#judged.get(key) !== -1);
    const status = this.#judged.get(key) as number;
    this.#judged.delete(key);
    return status;
  }

  ask(side: 0 | 1, slot: number, block: number, digest: boolean | 'copy' = false): void {
    const link = this.#link(side);
    if (link === 0) return;
    const own = this.#sides[side];
    this.#asks[side] = (this.#asks[side] as number) + 1;
    own.memory.headers.put(ASKING + slot, 1, this.#asks[side] as number, 1, slot + 1);
    const flags = (digest ? Flag.Digest : 0) | (digest === 'copy' ? Flag.Resync : 0);
    const at = { slot: ASKING + slot, link, flags, offset: block * BLOCK, length: BLOCK };
    this.#take(side, own.decide({ op: Decision.PeerRead, ...at }));
  }

  digest(side: 0 | 1, slot: number): string {
    return digestOf(this.#sides[side].memory, ASKING + slot);
  }

  serve(side: 0 | 1, how: Serving): void {
    this.#serving[side] = how;
    if (how !== 'answer') return;
    for (const event of this.#held[side].splice(0)) this.#serve(side, event);
  }

  /** The slot's content goes to the end of the side's own replica, where a file shows it. */
  async holds(side: 0 | 1, slot: number): Promise<number> {
    const key = `${side} ${ASKING + slot}`;
    this.#kept.add(key);
    const at = { slot: ASKING + slot, offset: 100 * BLOCK, length: BLOCK };
    this.#take(side, this.#sides[side].decide({ op: Decision.LocalWrite, ...at }));
    await this.#until(() => !this.#kept.has(key));
    const bytes = Buffer.alloc(BLOCK);
    const file = openSync(this.#files[side] as string, 'r');
    readSync(file, bytes, 0, BLOCK, 100 * BLOCK);
    closeSync(file);
    return bytes.every((byte) => byte === bytes[0]) ? (bytes[0] as number) : -1;
  }

  /** Begins to answer: the payload comes from the side's replica. */
  #serve(side: 0 | 1, { slot, link, offset, length, flags }: RawEvent): void {
    const own = this.#sides[side];
    if (this.#serving[side] === 'refuse') {
      const sequence = own.memory.headers.sequence(slot);
      const answer = { op: Decision.PeerData, slot, link, flags, offset: sequence, status: 5 };
      this.#take(side, own.decide(answer));
      this.#take(side, own.decide({ op: Decision.Free, slot }));
      return;
    }
    const kind = this.#serving[side] === 'mistake' ? flags ^ Flag.Digest : flags;
    this.#answering.set(`${side} ${slot}`, { link, flags: kind });
    this.#take(side, own.decide({ op: Decision.LocalRead, slot, flags, offset, length }));
  }

  /** Links by which the reads came whose payload is being read, and what is answered. */
  #answering = new Map<string, { link: number; flags: number }>();

  #read(side: 0 | 1, { slot, length, status }: RawEvent): void {
    const own = this.#sides[side];
    if (this.#kept.delete(`${side} ${slot}`)) return;
    if (this.#judged.has(`${side} ${slot}`)) {
      this.#judged.set(`${side} ${slot}`, status);
      return;
    }
    const how = this.#answering.get(`${side} ${slot}`) as { link: number; flags: number };
    const offset = own.memory.headers.sequence(slot);
    const answer = { op: Decision.PeerData, slot, ...how, offset, length, status };
    this.#take(side, own.decide(answer));
    this.#take(side, own.decide({ op: Decision.Free, slot }));
  }

  async settle(): Promise<void> {
    const end = Date.now() + 300;
    await this.#until(() => Date.now() > end);
  }

  async breakDown(): Promise<void> {
    const links = [this.#link(0), this.#link(1)];
    const link = links[0] as number;
    this.#take(0, this.#sides[0].decide({ op: Decision.LinkClose, link }));
    // The connector comes back by itself: an end is what was said of the old numbers.
    await this.#until(() => {
      return ([0, 1] as const).every((side) => {
        return this.#told[side].some((told) => told.kind === 'down' && told.link === links[side]);
      });
    });
  }

  told(side: 0 | 1): readonly LinkEvent[] {
    return this.#told[side];
  }

  async close(): Promise<void> {
    for (const { reactor } of this.#sides) reactor.close();
    this.#rig.end();
  }

  #link(side: 0 | 1): number {
    const last = this.#told[side].filter(({ kind }) => kind === 'up' || kind === 'down').at(-1);
    return last?.kind === 'up' ? last.link : 0;
  }

  async #until(holds: () => boolean): Promise<void> {
    const end = Date.now() + 15_000;
    while (!holds()) {
      if (Date.now() > end) throw new Error('the link did not get there within 15 s');
      for (const side of [0, 1] as const) this.#take(side, this.#sides[side].turn());
      await sleep(0);
    }
  }

  #take(side: 0 | 1, events: readonly RawEvent[]): void {
    for (const event of events) {
      const { op, link, offset, slot, status, text } = event;
      if (op === Event.LinkUp) {
        this.#asks[side] = 0;
        this.#told[side].push({ kind: 'up', link, peer: offset });
      }
      if (op === Event.PeerRead) {
        this.#told[side].push({ kind: 'asked', link, block: offset / BLOCK });
        if (this.#serving[side] === 'hold') this.#held[side].push(event);
        else this.#serve(side, event);
      }
      if (op === Event.LocalDone) this.#read(side, event);
      if (op === Event.PeerData) {
        this.#told[side].push({ kind: 'answered', link, slot: slot - ASKING, status });
      }
      if (op === Event.LinkDown) this.#told[side].push({ kind: 'down', link });
      if (op === Event.PeerMessage) this.#told[side].push({ kind: 'message', link, text });
    }
  }
}

class RealClock implements ClockDriver {
  #rig = new Rig();
  #engine = new RawEngine(this.#rig.reactor({ replicaPath: this.#rig.replica('clock') }));

  now(): number {
    return this.#rig.native.nowMicros();
  }
  arm(at: number): void {
    this.#engine.decide({ op: Decision.ArmTimer, offset: at });
  }
  async fired(): Promise<number> {
    for (;;) {
      const events = this.#engine.turn();
      const shown = new Float64Array(this.#engine.reactor.clock)[0] as number;
      if (events.some(({ op }) => op === Event.Timer)) return shown;
      await sleep(0);
    }
  }
  async close(): Promise<void> {
    this.#engine.reactor.close();
    this.#rig.end();
  }
}

class RealStore implements StoreDriver {
  #files: VolatileFiles;
  #store: DurableStore | null = null;
  #tokens: number[] = [];
  #heard: (() => void) | null = null;

  constructor(seed: number) {
    this.#files = new VolatileFiles(0, seed);
  }

  async start(): Promise<{ session: number; durable: Durable | null }> {
    const opened = await DurableStore.open(this.#files, { cluster: 'demo', node: 1 });
    this.#store = opened.store;
    this.#tokens = [];
    opened.store.listen(
      (token) => {
        this.#tokens.push(token);
        this.#heard?.();
      },
      () => undefined,
    );
    return { session: opened.session, durable: opened.durable };
  }

  persist(token: number, document: Durable): void {
    this.#store?.persist(token, document);
  }

  async persisted(): Promise<number> {
    while (this.#tokens.length === 0) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
    return this.#tokens.shift() as number;
  }

  cutPower(): void {
    this.#files.restart();
  }
}

for (const personality of ['io_uring', 'epoll'] as const) {
  describe(`the contract of a real disk in a file, by ${personality}`, () => {
    diskSuite(itUnless(missing), false, async () => new RealDisk('file', personality));
  });

  describe(`the contract of a real block device, by ${personality}`, () => {
    const it = itUnless(missing ?? loopMissing());
    diskSuite(it, true, async () => new RealDisk('device', personality));
  });

  describe(`the contract of a real disk in three files, by ${personality}`, () => {
    diskSuite(itUnless(missing), false, async () => new RealDisk('file', personality, PARTS));
  });

  describe(`the contract of three real block devices as one, by ${personality}`, () => {
    const it = itUnless(missing ?? loopMissing());
    diskSuite(it, true, async () => new RealDisk('device', personality, PARTS));
  });
}

for (const personality of ['io_uring', 'epoll'] as const) {
  describe(`the contract of a real link, by ${personality}`, () => {
    linkSuite(itUnless(missing), async () => new RealLink(personality));
  });
}

describe('the contract of a real clock', () => {
  clockSuite(itUnless(missing), async () => new RealClock());
});

describe('the contract of a real store', () => {
  storeSuite(itUnless(null), (seed) => new RealStore(seed));
});

describe('the contract of an NBD front-end on a Unix socket', () => {
  frontendSuite(itUnless(missing), async () => new RealFrontend('unix'));
});

describe('the contract of an NBD front-end on TCP', () => {
  frontendSuite(itUnless(missing), async () => new RealFrontend('tcp'));
});
