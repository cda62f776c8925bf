/**
 * Two data actors, their disks with volatile caches, a link between them, a client that keeps a
 * history, and a control that commits records: the smallest world in which the mirror's laws can
 * be broken. One seed, one run. It is not the simulator (backends/sim): it exists so that the
 * mirror's own tests need nothing else.
 */
import { Rng } from '../../engine/core/rng.ts';
import {
  type AbiLayout,
  Decision,
  Event,
  Flag,
  HEADER_BYTES,
  PAGE_BYTES,
} from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import type {
  DataCommand,
  DataReport,
  DiskState,
  Member,
  VolumeRecord,
} from '../../engine/data/messages.ts';
import { MirrorActor } from '../../engine/mirror/actor.ts';
import { MIRROR_DEFAULTS, type MirrorConfig } from '../../engine/mirror/config.ts';
import { formatMetadata } from '../../engine/mirror/metadata.ts';
import type { WantReport } from '../../engine/mirror/role.ts';

const MS = 1000;
const SECTOR = 512;
const GRANT = 300 * MS;

export const PAIR_CONFIG: MirrorConfig = {
  ...MIRROR_DEFAULTS,
  volume: 'v',
  uuid: '00112233445566778899aabbccddeeff',
  sizeBytes: 8 * 1024 * 1024,
  logicalBlock: 512,
  nodes: [1, 2],
  alExtents: 4,
  journalPages: 4,
  resyncWindow: 4,
  resyncChunk: 16384,
  barrierWrites: 64,
  barrierDelay: 20 * MS,
  peerTimeout: 200 * MS,
  connectTimeout: 300 * MS,
};

const LAYOUT: AbiLayout = {
  events: 16,
  decisions: 192,
  frontSlots: 12,
  peerSlots: 20,
  engineSlots: 4,
  slotBytes: 16384,
  inPages: 8,
  outPages: 8,
};

interface Input {
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
  readonly command?: DataCommand;
}

const INPUT: Input = { op: 0, slot: 0, link: 0, flags: 0, offset: 0, length: 0, status: 0 };

/** What one write of the client did to one sector, as the history keeps it. */
interface Write {
  readonly stamp: number;
  readonly invoked: number;
  /** When it was acknowledged, Infinity while it is not known. */
  acked: number;
  /** Its host died or was fenced: it took effect before the take-over, or never. */
  dead: boolean;
  flushed: boolean;
  /** A read showed this one instead: it may show itself only if that one is lost. */
  goneBy: Write | null;
}

interface Request {
  readonly kind: number;
  readonly first: number;
  readonly count: number;
  readonly invoked: number;
  readonly writes: readonly Write[];
}

class Host {
  readonly node: number;
  readonly memory = new DataMemory(LAYOUT);
  readonly sectors: number;
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
  lastGrant = 0;

  constructor(node: number, config: MirrorConfig) {
    this.node = node;
    this.sectors = config.sizeBytes / SECTOR;
    this.cache = new Uint32Array(this.sectors);
    this.stable = new Uint32Array(this.sectors);
    const slots = LAYOUT.frontSlots + LAYOUT.peerSlots + LAYOUT.engineSlots;
    for (let i = 0; i < slots; i += 1)
      this.payload.push(new Uint32Array(LAYOUT.slotBytes / SECTOR));
  }
}

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export interface PairOptions {
  readonly seed: number;
  readonly canaries?: readonly string[];
  readonly config?: MirrorConfig;
  /** Which replicas start as a replacement. */
  readonly fresh?: readonly number[];
}

export class Pair {
  readonly config: MirrorConfig;
  readonly hosts: readonly [Host, Host];
  readonly violations: string[] = [];
  readonly marks = new Set<string>();
  readonly log: string[] = [];
  now = 0;
  record: VolumeRecord;
  completed = 0;
  reads = 0;
  steps = 0;
  /** Who reported last that it serves, and when. */
  activeNode = 0;
  activeAt = 0;
  verbose = false;
  readonly #rng: Rng;
  readonly #canaries: ReadonlySet<string>;
  readonly #tasks: Task[] = [];
  #order = 0;
  #links = 0;
  #cut = false;
  #connecting = false;
  #nextStamp = 1;
  #history = new Map<number, Write[]>();
  #wants = new Map<number, WantReport>();
  #switching = 0;
  #load = false;
  #focus = 64;
  #takeOverDue = false;
  #committedAt = 0;

  constructor(options: PairOptions) {
    this.config = options.config ?? PAIR_CONFIG;
    this.#rng = new Rng(options.seed, 7);
    this.#canaries = new Set(options.canaries ?? []);
    this.hosts = [new Host(1, this.config), new Host(2, this.config)];
    for (const h of this.hosts) {
      const state = options.fresh?.includes(h.node) ? 'Inconsistent' : 'UpToDate';
      for (const { page, bytes } of formatMetadata(this.config, h.node, 100, state)) {
        h.meta.set(page, bytes);
      }
      h.boot = 10 * h.node;
    }
    const volume = this.config.volume;
    const members: Member[] = [];
    for (const h of this.hosts) {
      if (!options.fresh?.includes(h.node)) members.push({ node: h.node, boot: h.boot });
    }
    this.record = {
      volume,
      epoch: 1,
      primary: (members[0] as Member).node,
      members,
      generation: members.length === 2 ? 100 : 101,
    };
    for (const h of this.hosts) this.#powerOn(h);
    this.#connect();
    this.#controlTick();
  }

  /** Lets virtual time pass. */
  run(until: number): void {
    for (;;) {
      const task = this.#tasks[0];
      if (task === undefined || task.at > until) break;
      this.#popTask();
      this.now = task.at;
      task.run();
      if (this.violations.length > 5) return;
    }
    this.now = until;
  }

  runFor(micros: number): void {
    this.run(this.now + micros);
  }

  /** Starts or stops the client. */
  load(on: boolean, focus = 64): void {
    this.#focus = focus;
    if (on && !this.#load) this.#after(0, () => this.#client());
    this.#load = on;
  }

  // Faults.

  /** Cuts the link; each side learns of it at its own time. */
  cut(): void {
    this.#cut = true;
    this.#note('cut');
    this.#disconnect();
  }

  heal(): void {
    this.#cut = false;
    this.#note('heal');
    this.#connect();
  }

  /** Everything in flight on the host is lost or not, its cache with it. */
  powerOff(node: number): void {
    const h = this.#host(node);
    if (!h.powered) return;
    this.#note(`power off ${node}`);
    this.#stopCore(h);
    for (const apply of h.flying.values()) if (this.#rng.below(2) === 0) apply();
    h.flying.clear();
    h.powered = false;
    const sectors = [...h.unstable].sort((a, b) => a - b);
    for (const s of sectors) {
      if (this.#rng.below(2) === 0) h.stable[s] = h.cache[s] as number;
    }
    h.cache.set(h.stable);
    h.unstable.clear();
    h.boot += 1;
    const alive = this.record.members.some((m) => this.#alive(m));
    if (!alive) this.#forgetUnflushed();
    this.#disconnect();
  }

  powerOn(node: number): void {
    const h = this.#host(node);
    if (h.powered) return;
    this.#note(`power on ${node}`);
    this.#powerOn(h);
  }

  /** The core dies, the host and its disk cache live on. */
  crashCore(node: number, downFor: number): void {
    const h = this.#host(node);
    if (h.actor === null) return;
    this.#note(`core crash ${node}`);
    this.#stopCore(h);
    // The kernel still carries out what it was given.
    for (const apply of h.flying.values()) apply();
    h.flying.clear();
    this.#disconnect();
    this.#after(downFor, () => {
      if (h.powered && h.actor === null) this.#startCore(h);
    });
  }

  pause(node: number, micros: number): void {
    this.#note(`pause ${node}`);
    this.#host(node).pausedUntil = this.now + micros;
  }

  /** Freezes the whole guest, its clock too: afterwards it believes in rights long gone. */
  freeze(node: number, micros: number): void {
    this.#note(`freeze ${node}`);
    const h = this.#host(node);
    if (h.pausedUntil > this.now) return;
    h.pausedUntil = this.now + micros;
    h.lag += micros;
  }

  /** What is sent to the host arrives only after this time, in order. */
  clog(node: number, micros: number): void {
    this.#note(`clog ${node}`);
    this.#host(node).cloggedUntil = this.now + micros;
  }

  /** Cuts the host off from control. */
  isolate(node: number, on: boolean): void {
    this.#note(`isolate ${node} ${on}`);
    this.#host(node).connected = !on;
  }

  /** A planned switch to the other host, if both are members. */
  switchOver(): void {
    if (this.record.members.length < 2 || this.#switching !== 0) return;
    this.#note('switch');
    this.#switching = this.record.epoch;
    this.#demote();
  }

  #demote(): void {
    const { epoch, primary } = this.record;
    this.#command(this.#host(primary), { kind: 'demote', epoch, cause: 'c' });
  }

  /** A random fault, gone again by itself. */
  fault(): void {
    const r = this.#rng;
    const node = 1 + r.below(2);
    switch (r.below(10)) {
      case 0:
      case 1:
        if (this.#cut) return;
        this.cut();
        this.#after(r.between(5, 800) * MS, () => this.heal());
        return;
      case 2:
      case 3:
        this.powerOff(node);
        this.#after(r.between(20, 1500) * MS, () => this.powerOn(node));
        if (r.below(5) === 0) {
          this.powerOff(3 - node);
          this.#after(r.between(20, 1500) * MS, () => this.powerOn(3 - node));
        }
        return;
      case 4:
        this.crashCore(node, r.between(1, 400) * MS);
        return;
      case 5:
        this.pause(node, r.between(10, 900) * MS);
        return;
      case 6:
        this.isolate(node, true);
        this.#after(r.between(100, 1200) * MS, () => this.isolate(node, false));
        return;
      case 8:
        this.freeze(node, r.between(100, 900) * MS);
        return;
      case 7: {
        this.clog(node, r.between(50, 900) * MS);
        if (r.below(2) === 0) return;
        this.isolate(3 - node, true);
        this.#after(r.between(100, 1200) * MS, () => this.isolate(3 - node, false));
        return;
      }
      default:
        this.switchOver();
    }
  }

  /** Heals everything and waits until both replicas are equal members, or says why not. */
  settle(): void {
    this.load(false);
    for (const h of this.hosts) {
      h.connected = true;
      if (!h.powered) this.powerOn(h.node);
    }
    this.#cut = false;
    this.#connect();
    const limit = this.now + 20_000 * MS;
    while (this.now < limit && !this.#quiet()) this.runFor(50 * MS);
    if (!this.#quiet()) {
      const [a, b] = this.hosts;
      this.violations.push(
        `LAW-heals: ${a.role}/${a.disk}/${a.linkState}/${a.dirty} ` +
          `${b.role}/${b.disk}/${b.linkState}/${b.dirty} epoch ${this.record.epoch} ` +
          `primary ${this.record.primary} members ${this.record.members.length}`,
      );
      return;
    }
    const [a, b] = this.hosts;
    for (let s = 0; s < a.sectors; s += 1) {
      if (a.cache[s] !== b.cache[s]) {
        this.violations.push(`divergence: sector ${s} has ${a.cache[s]} and ${b.cache[s]}`);
        break;
      }
    }
    const p = this.#host(this.record.primary);
    for (const s of this.#history.keys()) this.#checkRead(s, p.cache[s] as number, this.now);
  }

  #quiet(): boolean {
    return (
      this.record.members.length === 2 &&
      this.hosts.every(
        (h) =>
          h.disk === 'UpToDate' &&
          h.linkState === 'Connected' &&
          h.dirty === 0 &&
          h.busyFront.every((r) => r === null),
      ) &&
      this.#host(this.record.primary).role === 'Primary'
    );
  }

  // Time.

  #after(delay: number, run: () => void): void {
    this.#order += 1;
    const task = { at: this.now + delay, order: this.#order, run };
    const heap = this.#tasks;
    let i = heap.length;
    heap.push(task);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Task;
      if (before(parent, task)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = task;
  }

  #popTask(): void {
    const heap = this.#tasks;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Task, heap[child] as Task))
        child += 1;
      if (before(last, heap[child] as Task)) break;
      heap[i] = heap[child] as Task;
      i = child;
    }
    heap[i] = last;
  }

  #note(text: string): void {
    this.log.push(`${Math.floor(this.now / MS)}ms ${text}`);
  }

  #host(node: number): Host {
    return this.hosts[node - 1] as Host;
  }

  #alive(m: Member): boolean {
    const h = this.#host(m.node);
    return h.powered && h.boot === m.boot;
  }

  // Hosts.

  #powerOn(h: Host): void {
    h.powered = true;
    this.#startCore(h);
  }

  #startCore(h: Host): void {
    h.session += 1;
    h.life += 1;
    h.inbox = [];
    h.outbox = [];
    h.pending = [];
    h.held = [];
    h.attached = false;
    h.timer = 0;
    h.stepping = false;
    h.freePeer = [];
    for (let i = 0; i < LAYOUT.peerSlots; i += 1) h.freePeer.push(LAYOUT.frontSlots + i);
    h.actor = new MirrorActor({
      memory: h.memory,
      mailboxes: { inbox: h.inbox, outbox: h.outbox },
      config: this.config,
      node: h.node,
      boot: h.boot,
      session: h.session,
      canaries: this.#canaries,
      reached: (mark) => this.marks.add(mark),
    });
    this.#wake(h);
    this.#connect();
  }

  #stopCore(h: Host): void {
    h.actor = null;
    h.life += 1;
    h.attached = false;
    h.link = 0;
    h.role = '';
    h.disk = 'Diskless';
    for (let slot = 0; slot < h.busyFront.length; slot += 1) {
      const request = h.busyFront[slot];
      for (const w of request?.writes ?? []) w.dead = true;
      h.busyFront[slot] = null;
    }
  }

  #give(h: Host, input: Input): void {
    h.pending.push(input);
    this.#wake(h);
  }

  #command(h: Host, command: DataCommand): void {
    const { life } = h;
    this.#after(this.#rng.between(100, 8000), () => {
      if (h.life !== life || !h.connected || h.pausedUntil > this.now) return;
      this.#give(h, { ...INPUT, op: Event.Control, command });
    });
  }

  #wake(h: Host): void {
    if (h.stepping) return;
    h.stepping = true;
    const { life } = h;
    const wait = Math.max(0, h.pausedUntil - this.now) + this.#rng.below(40);
    this.#after(wait, () => {
      if (h.life !== life) return;
      h.stepping = false;
      if (h.pausedUntil > this.now) this.#wake(h);
      else this.#step(h);
    });
  }

  #step(h: Host): void {
    if (h.actor === null) return;
    const events = h.memory.events;
    h.inbox.length = 0;
    let count = 0;
    let pages = 0;
    const rest: Input[] = [];
    for (const i of h.pending) {
      if (count >= LAYOUT.events || rest.length > 0 || (i.page && pages >= LAYOUT.inPages)) {
        rest.push(i);
        continue;
      }
      let { slot } = i;
      if (i.page) {
        slot = pages;
        pages += 1;
        h.memory.inPages.set(i.page, slot * PAGE_BYTES);
      }
      if (i.op === Event.PeerWrite) {
        const free = h.freePeer.shift();
        if (free === undefined) {
          rest.push(i);
          continue;
        }
        slot = free;
        h.memory.headers.bytes.set(i.header as Uint8Array, slot * HEADER_BYTES);
        (h.payload[slot] as Uint32Array).set(i.payload as Uint32Array);
      }
      if (i.command) {
        slot = h.inbox.length;
        h.inbox.push(i.command);
      }
      events.put(count, i.op, slot, i.link, i.flags, i.offset, i.length, i.status);
      count += 1;
    }
    h.pending = rest;
    this.steps += 1;
    let decisions: number;
    try {
      decisions = h.actor.step(count, this.now - h.lag);
    } catch (error) {
      this.violations.push(`core ${h.node} stopped: ${(error as Error).stack}`);
      this.#stopCore(h);
      return;
    }
    for (let d = 0; d < decisions; d += 1) this.#decide(h, d);
    const reports = h.outbox.splice(0);
    for (const report of reports) this.#report(h, report);
    const stuck = rest.length > 0 && (rest[0] as Input).op === Event.PeerWrite;
    if (rest.length > 0 && !(stuck && h.freePeer.length === 0)) this.#wake(h);
  }

  #decide(h: Host, d: number): void {
    const r = h.memory.decisions;
    const slot = r.slot(d);
    const offset = r.offset(d);
    const length = r.length(d);
    const link = r.link(d);
    const first = offset / SECTOR;
    switch (r.op(d)) {
      case Decision.LocalRead:
        this.#io(h, null, () => {
          const data = h.payload[slot] as Uint32Array;
          for (let i = 0; i < length / SECTOR; i += 1) data[i] = h.cache[first + i] as number;
          return { ...INPUT, op: Event.LocalDone, slot };
        });
        return;
      case Decision.LocalWrite: {
        const data = (h.payload[slot] as Uint32Array).slice(0, length / SECTOR);
        const fua = (r.flags(d) & Flag.Fua) !== 0;
        const apply = () => {
          for (let i = 0; i < data.length; i += 1) {
            h.cache[first + i] = data[i] as number;
            if (fua) h.stable[first + i] = data[i] as number;
            h.unstable.add(first + i);
          }
        };
        this.#io(h, apply, () => ({ ...INPUT, op: Event.LocalDone, slot }));
        return;
      }
      case Decision.LocalFlush: {
        const covered = [...h.unstable];
        this.#io(h, null, () => {
          for (const s of covered) {
            h.stable[s] = h.cache[s] as number;
            h.unstable.delete(s);
          }
          return { ...INPUT, op: Event.FlushDone, length };
        });
        return;
      }
      case Decision.MetaRead:
        this.#io(h, null, () => {
          const page = h.meta.get(offset) as Uint8Array;
          return { ...INPUT, op: Event.MetaDone, offset, length, page: page.slice() };
        });
        return;
      case Decision.MetaWrite: {
        const bytes = h.memory.outPages.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
        const apply = () => {
          // In a crash it may be torn: some sectors new, the others old.
          const old = h.meta.get(offset) as Uint8Array;
          const page = bytes.slice();
          const torn = !h.powered || h.actor === null;
          for (let s = 0; s < PAGE_BYTES; s += SECTOR) {
            if (torn && this.#rng.below(3) === 0) page.set(old.subarray(s, s + SECTOR), s);
          }
          h.meta.set(offset, page);
        };
        this.#io(h, apply, () => ({ ...INPUT, op: Event.MetaDone, offset, length }));
        return;
      }
      case Decision.PeerWrite: {
        const at = slot * HEADER_BYTES;
        const header = h.memory.headers.bytes.slice(at, at + HEADER_BYTES);
        const payload = (h.payload[slot] as Uint32Array).slice(0, length / SECTOR);
        const flags = r.flags(d);
        this.#send(h, link, {
          ...INPUT,
          op: Event.PeerWrite,
          flags,
          offset,
          length,
          header,
          payload,
        });
        return;
      }
      case Decision.PeerAck:
        this.#send(h, link, { ...INPUT, op: Event.PeerAck, slot, offset, status: r.status(d) });
        return;
      case Decision.PeerMessage: {
        const page = h.memory.outPages.slice(slot * PAGE_BYTES, slot * PAGE_BYTES + length);
        this.#send(h, link, { ...INPUT, op: Event.PeerMessage, length, page });
        return;
      }
      case Decision.Complete:
        this.#complete(h, slot, r.status(d));
        return;
      case Decision.Free:
        h.freePeer.push(slot);
        if (h.pending.length > 0) this.#wake(h);
        return;
      case Decision.LinkClose:
        if (link === h.link) this.#disconnect();
        return;
      case Decision.ArmTimer: {
        h.timer += 1;
        const { timer, life } = h;
        this.#after(Math.max(0, offset + h.lag - this.now), () => {
          if (h.life === life && h.timer === timer) this.#give(h, { ...INPUT, op: Event.Timer });
        });
        return;
      }
    }
  }

  #io(h: Host, apply: (() => void) | null, done: () => Input): void {
    this.#order += 1;
    const id = this.#order;
    const { life } = h;
    if (apply) h.flying.set(id, apply);
    this.#after(this.#rng.between(20, 2500), () => {
      if (h.life !== life) return;
      if (apply) {
        h.flying.delete(id);
        apply();
      }
      this.#give(h, done());
    });
  }

  // The link.

  #connect(): void {
    if (this.#connecting) return;
    this.#connecting = true;
    this.#after(this.#rng.between(1, 30) * MS, () => {
      this.#connecting = false;
      const [a, b] = this.hosts;
      if (this.#cut || a.actor === null || b.actor === null) return;
      if (a.link !== 0 && a.link === b.link) return;
      this.#links += 1;
      const link = this.#links;
      for (const h of this.hosts) {
        h.link = link;
        this.#lastAt.set(h.node, this.now);
        const { life } = h;
        const offset = 3 - h.node;
        this.#after(this.#arrival(h.node), () => {
          if (h.life === life) this.#give(h, { ...INPUT, op: Event.LinkUp, link, offset });
        });
      }
    });
  }

  readonly #lastAt = new Map<number, number>();

  /** Delay until what is sent to `node` now arrives, never before what was sent earlier. */
  #arrival(node: number): number {
    const last = this.#lastAt.get(node) ?? 0;
    const clog = this.#host(node).cloggedUntil;
    const at = Math.max(last + 1, clog, this.now + this.#rng.between(50, 1500));
    this.#lastAt.set(node, at);
    return at - this.now;
  }

  #send(h: Host, link: number, input: Input): void {
    const to = this.#host(3 - h.node);
    if (h.link !== link) return;
    const { life } = to;
    this.#after(this.#arrival(to.node), () => {
      const open = to.link === link || to.closing === link;
      if (to.life === life && open) this.#give(to, { ...input, link });
    });
  }

  #disconnect(): void {
    const orderly = this.#rng.below(2) === 0;
    for (const h of this.hosts) {
      const { link, life } = h;
      if (link === 0) continue;
      h.link = 0;
      // What was sent before an orderly close still arrives; else it is lost. Either way one side
      // may learn of it much later than the other.
      if (orderly) h.closing = link;
      const late = this.#rng.below(4) === 0 ? this.#rng.between(1, 300) * MS : 500;
      this.#after(orderly ? this.#arrival(h.node) : late, () => {
        h.closing = 0;
        if (h.life === life) this.#give(h, { ...INPUT, op: Event.LinkDown, link });
      });
    }
    if (!this.#cut) this.#connect();
  }

  // Control: one committed record, grants, take-over when a primary's right has run out.

  #controlTick(): void {
    for (const h of this.hosts) {
      if (h.actor === null || !h.connected || !h.attached || h.pausedUntil > this.now) continue;
      if (h.node === this.record.primary && !this.#takeOverDue) {
        h.lastGrant = this.now + GRANT;
        this.#command(h, { kind: 'grant', until: h.lastGrant - h.lag });
      }
      this.#command(h, { kind: 'record', record: this.record, cause: 'c' });
    }
    if (this.#switching === this.record.epoch) this.#demote();
    for (const want of this.#wants.values()) this.#want(want);
    this.#takeOver();
    this.#after(40 * MS, () => this.#controlTick());
  }

  #commit(primary: number, members: readonly Member[], generation: number): void {
    const { volume, epoch } = this.record;
    this.record = { volume, epoch: epoch + 1, primary, members, generation };
    const text = members.map((m) => `${m.node}@${m.boot}`).join(' ');
    this.#note(`commit ${epoch + 1} primary ${primary} members ${text}`);
    this.#switching = 0;
    this.#committedAt = this.now;
    this.#wants.clear();
    for (const h of this.hosts) {
      this.#command(h, { kind: 'record', record: this.record, cause: 'c' });
    }
  }

  #want(want: WantReport): void {
    const { record } = this;
    const from = this.#host(record.primary);
    if (want.epoch !== record.epoch || !from.connected) return;
    const me = record.members.find((m) => m.node === from.node);
    if (me?.boot !== from.boot) return;
    if (want.members.length === record.members.length && want.members.length === 2) return;
    const members = want.members.map((node) => ({
      node,
      boot: node === from.node ? from.boot : want.peerBoot,
    }));
    const generation = members.length === 1 ? 1000 + record.epoch : record.generation;
    this.#commit(record.primary, members, generation);
  }

  #takeOver(): void {
    const { record } = this;
    const old = this.#host(record.primary);
    const oldMember = record.members.find((m) => m.node === old.node);
    const healthy =
      old.attached &&
      old.connected &&
      old.actor !== null &&
      old.pausedUntil <= this.now &&
      oldMember?.boot === old.boot;
    if (healthy && old.disk !== 'Failed') {
      this.#takeOverDue = false;
      return;
    }
    this.#takeOverDue = true;
    if (this.now <= old.lastGrant) return;
    const alive = record.members.filter((m) => this.#alive(m));
    for (const m of alive.length > 0 ? alive : record.members) {
      const h = this.#host(m.node);
      if (!h.attached || !h.connected || h.actor === null || h.pausedUntil > this.now) continue;
      this.#takeOverDue = false;
      this.#commit(h.node, [{ node: h.node, boot: h.boot }], 1000 + record.epoch);
      return;
    }
  }

  #report(h: Host, report: DataReport): void {
    if (this.verbose) this.#note(`${h.node}: ${JSON.stringify(report)}`);
    switch (report.kind) {
      case 'attached':
        h.attached = true;
        h.disk = report.disk;
        if (report.disk === 'Failed') this.violations.push(`host ${h.node} cannot attach`);
        return;
      case 'state':
        h.disk = report.disk;
        h.role = report.role;
        h.linkState = report.link;
        h.dirty = report.dirty;
        return;
      case 'want':
        this.#wants.set(h.node, report as WantReport);
        return;
      case 'active':
        this.activeAt = this.now;
        this.activeNode = h.node;
        if (report.epoch === this.record.epoch && this.record.members.length === 1) {
          this.#alone();
        }
        return;
      case 'stopped':
        if (this.#switching === this.record.epoch && report.epoch === this.record.epoch) {
          if (h.connected) this.#switched();
        }
        return;
      case 'refused':
        this.#note(`refused ${h.node} ${report.reason}`);
        return;
    }
  }

  #switched(): void {
    const { primary, members, generation } = this.record;
    const other = members.find((m) => m.node !== primary);
    this.#commit(other === undefined ? primary : other.node, members, generation);
  }

  // The client.

  #client(): void {
    if (!this.#load) return;
    const r = this.#rng;
    // An application runs wherever the host believes that it is primary, and sometimes elsewhere.
    const some = this.#host(1 + r.below(2));
    const there = some.role === 'Primary' || r.below(20) === 0;
    const h = there ? some : this.#host(this.record.primary);
    const slot = h.busyFront.indexOf(null);
    if (h.actor !== null && slot >= 0) this.#request(h, slot);
    this.#after(r.between(50, 1500), () => this.#client());
  }

  #request(h: Host, slot: number): void {
    const r = this.#rng;
    const dice = r.below(20);
    // A few hot places, spread over all extents: overlaps, and evictions from the hot set.
    const place = r.below(8) * 1024 * 1024 + r.below(4) * 200 * 1024;
    const first = place / SECTOR + r.below(this.#focus);
    const count = 1 + r.below(r.below(4) === 0 ? 24 : 8);
    const { now } = this;
    if (dice === 0) {
      h.busyFront[slot] = { kind: Event.ReqFlush, first: 0, count: 0, invoked: now, writes: [] };
      this.#give(h, { ...INPUT, op: Event.ReqFlush, slot });
      return;
    }
    const read = dice < 8;
    const op = read ? Event.ReqRead : Event.ReqWrite;
    const writes: Write[] = [];
    if (!read) {
      const stamp = this.#nextStamp;
      this.#nextStamp += 1;
      for (let s = first; s < first + count; s += 1) {
        const acked = Number.POSITIVE_INFINITY;
        const w = { stamp, invoked: now, acked, dead: false, flushed: false, goneBy: null };
        writes.push(w);
        (h.payload[slot] as Uint32Array)[s - first] = stamp;
        const list = this.#history.get(s);
        if (list) list.push(w);
        else this.#history.set(s, [w]);
      }
    }
    h.busyFront[slot] = { kind: op, first, count, invoked: now, writes };
    const flags = r.below(10) === 0 ? Flag.Fua : 0;
    const [offset, length] = [first * SECTOR, count * SECTOR];
    this.#give(h, { ...INPUT, op, slot, flags, offset, length });
  }

  #complete(h: Host, slot: number, status: number): void {
    const request = h.busyFront[slot];
    if (!request) {
      this.violations.push(`slot ${slot} completed twice`);
      return;
    }
    h.busyFront[slot] = null;
    if (status !== 0) {
      for (const w of request.writes) w.dead = true;
      return;
    }
    this.completed += 1;
    if (request.writes.length > 0) {
      if (h.node !== this.activeNode && request.invoked > this.activeAt) {
        this.violations.push(`LAW-one-epoch: host ${h.node} acknowledged in an epoch long over`);
      }
      for (const w of request.writes) w.acked = this.now;
      // FUA is a flush of its own write; the history does not need the difference.
      return;
    }
    if (request.kind === Event.ReqRead) {
      this.reads += 1;
      // A frozen guest may read what is old (the lease's assumption is broken); writes it may not.
      if (h.lag > 0 && h.node !== this.record.primary) return;
      const data = h.payload[slot] as Uint32Array;
      for (let i = 0; i < request.count; i += 1) {
        this.#checkRead(request.first + i, data[i] as number, request.invoked);
      }
      return;
    }
    for (const list of this.#history.values()) {
      for (const w of list) if (w.acked < request.invoked) w.flushed = true;
    }
    this.#checkFlushed(request.invoked);
  }

  /** What a completed flush covers is stable on every member. */
  #checkFlushed(invoked: number): void {
    for (const m of this.record.members) {
      const h = this.#host(m.node);
      if (!this.#alive(m)) continue;
      for (const [s, list] of this.#history) {
        const v = h.stable[s] as number;
        const known = list.find((w) => w.stamp === v);
        const lost = list.find(
          (w) => w.acked < invoked && !w.dead && w.stamp !== v && w.invoked > (known?.acked ?? -1),
        );
        if (
          lost &&
          (v === 0 || known !== undefined) &&
          !(known && known.acked === Number.POSITIVE_INFINITY)
        ) {
          this.violations.push(
            `LAW-flushed: host ${m.node} sector ${s} is stable at ${v}, flush covers ${lost.stamp}`,
          );
          return;
        }
      }
    }
  }

  /** Strict linearizability of one sector: what a read that began at `invoked` may return. */
  #checkRead(sector: number, value: number, invoked: number): void {
    const list = this.#history.get(sector);
    if (!list) {
      if (value !== 0) this.violations.push(`sector ${sector} has ${value}, never written`);
      return;
    }
    const w = value === 0 ? null : list.find((x) => x.stamp === value);
    if (w === undefined || w?.goneBy) {
      this.violations.push(`LAW-register: sector ${sector} shows ${value}, gone for good`);
      return;
    }
    const end = w === null ? -1 : w.acked;
    const lost = list.find((x) => x !== w && x.acked < invoked && x.invoked > end);
    if (lost) {
      this.violations.push(
        `LAW-acknowledged: sector ${sector} shows ${value}, but ${lost.stamp} was acknowledged`,
      );
    }
    if (w === null) return;
    // From now on it is known to have taken effect; what is older, or dead and unseen, is gone.
    if (w.acked > this.now) w.acked = this.now;
    for (const x of list) {
      if (x === w || x.goneBy) continue;
      if ((x.dead && x.invoked < this.activeAt) || x.acked < w.invoked) x.goneBy = w;
    }
    if (w.flushed)
      this.#history.set(
        sector,
        list.filter((x) => x.goneBy !== w),
      );
  }

  /** A replica goes on alone: what was acknowledged before is stable there (RULE-11). */
  #alone(): void {
    for (const list of this.#history.values()) {
      for (const w of list) if (w.acked < this.#committedAt) w.flushed = true;
    }
  }

  /** Every member lost power: only what was flushed must survive. */
  #forgetUnflushed(): void {
    this.#note('total loss');
    for (const list of this.#history.values()) {
      for (const w of list) {
        if (w.goneBy && !w.goneBy.flushed) w.goneBy = null;
        if (w.flushed) continue;
        w.acked = Number.POSITIVE_INFINITY;
        w.dead = true;
      }
    }
  }
}

function before(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
