/**
 * Hosts of the pair harness: virtual time, disks with volatile caches, the link between two, and
 * the carrying out of decisions. mirror-pair.ts adds control, client and faults; with more hosts
 * mirror-many.ts adds links as well.
 */
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event, Flag, HEADER_BYTES, PAGE_BYTES, Status } from '../../engine/data/abi.ts';
import type { DataCommand, DataReport } from '../../engine/data/messages.ts';
import { MirrorActor } from '../../engine/mirror/actor.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { PATH_LOST } from '../../engine/mirror/path.ts';
import { answerOf, judged, sumsOf, takeAnswer } from './mirror-digest.ts';
import { Host, INPUT, type Input, LAYOUT, MS, SECTOR, SIDE_PAGE } from './mirror-host.ts';
import { sectorAt } from './mirror-spare.ts';
import { PairZeroes } from './mirror-zeroes.ts';
import { TaskHeap } from './task-heap.ts';

export * from './mirror-host.ts';

/** How a write of a sector that stays as it is ends. */
const ERRORS = { refuses: Status.Io, bad: Status.Medium, lies: Status.Ok } as const;

type OnDecision = (
  h: Host,
  op: number,
  slot: number,
  offset: number,
  length: number,
  status: number,
  flags: number,
) => void;

export abstract class PairHosts {
  config: MirrorConfig;
  readonly hosts: readonly [Host, Host, ...Host[]];
  readonly violations: string[] = [];
  readonly marks = new Set<string>();
  readonly log: string[] = [];
  now = 0;
  steps = 0;
  readonly rng: Rng;
  readonly canaries: ReadonlySet<string>;
  isCut = false;
  /** Sees every decision before it is carried out. */
  onDecision: OnDecision | null = null;
  readonly #tasks = new TaskHeap();
  readonly zeroes = new PairZeroes();
  #order = 0;
  #links = 0;
  #connecting = false;
  readonly #lastAt = new Map<number, number>();

  constructor(config: MirrorConfig, seed: number, canaries: readonly string[]) {
    this.config = config;
    this.rng = new Rng(seed, 7);
    this.canaries = new Set(canaries);
    const others = config.nodes.slice(2).map((node) => new Host(node, config));
    this.hosts = [new Host(1, config), new Host(2, config), ...others];
  }

  /** A front-end request ended. */
  abstract complete(h: Host, slot: number, status: number): void;
  /** A data actor said something to control. */
  abstract report(h: Host, report: DataReport): void;

  /** Lets virtual time pass. */
  run(until: number): void {
    for (;;) {
      const task = this.#tasks.first;
      if (task === undefined || task.at > until) break;
      this.#tasks.pop();
      this.now = task.at;
      task.run();
      if (this.violations.length > 5) return;
    }
    this.now = until;
  }

  runFor(micros: number): void {
    this.run(this.now + micros);
  }

  after(delay: number, run: () => void): void {
    this.#order += 1;
    const task = { at: this.now + delay, order: this.#order, run };
    this.#tasks.push(task);
  }

  note(text: string): void {
    this.log.push(`${Math.floor(this.now / MS)}ms ${text}`);
  }

  host(node: number): Host {
    return this.hosts[node - 1] as Host;
  }

  startCore(h: Host): void {
    h.session += 1;
    h.life += 1;
    h.inbox = [];
    h.outbox = [];
    h.pending = [];
    h.held = [];
    h.asked.clear();
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
      canaries: this.canaries,
      reached: (mark) => this.marks.add(mark),
    });
    this.wake(h);
    this.connect();
  }

  stopCore(h: Host): void {
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

  give(h: Host, input: Input): void {
    h.pending.push(input);
    this.wake(h);
  }

  command(h: Host, command: DataCommand): void {
    const { life } = h;
    this.after(this.rng.between(100, 8000), () => {
      if (h.life !== life || !h.connected || h.pausedUntil > this.now) return;
      this.give(h, { ...INPUT, op: Event.Control, command });
    });
  }

  wake(h: Host): void {
    if (h.stepping) return;
    h.stepping = true;
    const { life } = h;
    const wait = Math.max(0, h.pausedUntil - this.now) + this.rng.below(40);
    this.after(wait, () => {
      if (h.life !== life) return;
      h.stepping = false;
      if (h.pausedUntil > this.now) this.wake(h);
      else this.step(h);
    });
  }

  step(h: Host): void {
    if (h.actor === null) return;
    const events = h.memory.events;
    h.inbox.length = 0;
    let count = 0;
    let pages = 0;
    const rest: Input[] = [];
    // Of a link from which nothing is taken until a slot is free; everything else goes on.
    const stalled = new Set<number>();
    let full = false;
    for (const i of h.pending) {
      full ||= count >= LAYOUT.events || ((i.page ?? i.sums) && pages >= LAYOUT.inPages) === true;
      if (full || stalled.has(i.link)) {
        rest.push(i);
        continue;
      }
      let { slot, link } = i;
      if (i.sums) {
        link = pages;
        pages += 1;
        h.memory.inPages.set(new Uint8Array(i.sums.buffer), link * PAGE_BYTES);
      }
      if (i.page) {
        slot = pages;
        pages += 1;
        h.memory.inPages.set(i.page, slot * PAGE_BYTES);
      }
      if (i.op === Event.LinkDown) {
        for (const key of h.asked.keys()) if (key.startsWith(`${i.link} `)) h.asked.delete(key);
      }
      if (i.op === Event.PeerData && i.late !== true) {
        const key = `${i.link} ${i.offset}`;
        const asking = h.asked.get(key);
        if (asking === undefined) continue;
        h.asked.delete(key);
        slot = asking;
        takeAnswer(h, slot, i);
      }
      if (i.op === Event.PeerWrite || i.op === Event.PeerRead) {
        const free = h.freePeer.shift();
        if (free === undefined) {
          stalled.add(i.link);
          rest.push(i);
          continue;
        }
        slot = free;
        h.memory.headers.bytes.set(i.header as Uint8Array, slot * HEADER_BYTES);
        // Of zeroes longer than a slot every sector has the same.
        const held = h.payload[slot] as Uint32Array;
        if (i.payload) held.set(i.payload.subarray(0, held.length));
      }
      if (i.command) {
        slot = h.inbox.length;
        h.inbox.push(i.command);
      }
      events.put(count, i.op, slot, link, i.flags, i.offset, i.length, i.status);
      count += 1;
    }
    h.pending = rest;
    this.steps += 1;
    let decisions: number;
    try {
      decisions = h.actor.step(count, this.now - h.lag);
    } catch (error) {
      this.violations.push(`core ${h.node} stopped: ${(error as Error).stack}`);
      this.stopCore(h);
      return;
    }
    for (let d = 0; d < decisions; d += 1) this.decide(h, d);
    const reports = h.outbox.splice(0);
    for (const report of reports) this.report(h, report);
    const goesOn = rest.some((i) => h.freePeer.length > 0 || !stalled.has(i.link));
    if (goesOn) this.wake(h);
  }

  decide(h: Host, d: number): void {
    const r = h.memory.decisions;
    const slot = r.slot(d);
    const offset = r.offset(d);
    const length = r.length(d);
    const link = r.link(d);
    const flags = r.flags(d);
    this.onDecision?.(h, r.op(d), slot, offset, length, r.status(d), flags);
    // Where a part of a local read or write stands on the disk, and in its slot.
    const local = r.op(d) <= Decision.LocalWrite;
    const side = (flags & Flag.Side) !== 0;
    const first = side
      ? h.sideAt + offset / SECTOR
      : sectorAt(this.config, h, offset, local ? r.status(d) : 0);
    const at = local ? link / SECTOR : 0;
    const end = at + length / SECTOR;
    // Pages of the side area are numbered behind all others.
    const metaPage = offset + (side ? SIDE_PAGE : 0);
    switch (r.op(d)) {
      case Decision.LocalRead:
        this.io(h, null, () => {
          const data = h.payload[slot] as Uint32Array;
          const read = { ...INPUT, op: Event.LocalDone, slot };
          if (this.#unreadable(h, first, length / SECTOR)) {
            data.fill(0xbadbad);
            return { ...read, status: Status.Medium };
          }
          for (let i = at; i < end; i += 1) data[i] = h.cache[first + i - at] as number;
          if ((flags & Flag.Part) !== 0) return read;
          const [from, all] = [offset - at * SECTOR, end * SECTOR];
          const sums = sumsOf(data, from, all, flags, this.zeroes);
          const told = sums ? { sums } : {};
          const more = flags & Flag.Sums;
          const asked = (flags & Flag.Zero) !== 0;
          const zero = asked && this.zeroes.all(data.subarray(0, end)) ? Flag.Zero : 0;
          const status = judged(h, slot, from, all, flags);
          return { ...read, flags: zero | (flags & Flag.Digest) | more, status, ...told };
        });
        return;
      case Decision.LocalWrite: {
        const held = h.payload[slot] as Uint32Array;
        const count = length / SECTOR;
        const zero = (flags & Flag.Zero) !== 0;
        const from = held.subarray(Math.min(at, held.length - 1));
        const data = zero ? this.zeroes.landed(from, count) : held.slice(at, end);
        const fua = (flags & Flag.Fua) !== 0;
        const apply = () => {
          for (let i = 0; i < data.length; i += 1) {
            if (h.stuck.get(first + i) === 'bad') continue;
            h.cache[first + i] = data[i] as number;
            if (fua) h.stable[first + i] = data[i] as number;
            h.unstable.add(first + i);
            if (!h.stuck.has(first + i)) h.unreadable.delete(first + i);
          }
        };
        h.writing.add(slot);
        const lands = () => {
          h.writing.delete(slot);
          h.receipts.delete(slot);
          apply();
        };
        h.losable.add(lands);
        this.io(h, lands, () => {
          const all = data.map((_, i) => ERRORS[h.stuck.get(first + i) ?? 'lies']);
          const status = Math.max(...all);
          const part = (flags & Flag.Part) !== 0;
          const whole = held.subarray(0, end);
          const from = offset - at * SECTOR;
          const sums =
            zero || part ? undefined : sumsOf(whole, from, end * SECTOR, flags, this.zeroes);
          const told = sums ? { sums, flags: Flag.Sums } : {};
          return { ...INPUT, op: Event.LocalDone, slot, status, ...told };
        });
        return;
      }
      case Decision.LocalFlush: {
        const covered = [...h.unstable];
        if (h.forgetful) {
          h.forgetful = false;
          this.io(h, null, () => {
            for (const s of h.unstable) h.cache[s] = h.stable[s] as number;
            h.unstable.clear();
            return { ...INPUT, op: Event.FlushDone, length, status: 5 };
          });
          return;
        }
        this.io(h, null, () => {
          for (const s of covered) {
            h.stable[s] = h.cache[s] as number;
            h.unstable.delete(s);
          }
          return { ...INPUT, op: Event.FlushDone, length };
        });
        return;
      }
      case Decision.MetaRead:
        this.io(h, null, () => {
          const page = h.meta.get(metaPage) ?? new Uint8Array(PAGE_BYTES);
          const read = { ...INPUT, op: Event.MetaDone, offset, length, page: page.slice() };
          return { ...read, status: h.metaErrors.get(metaPage) ?? 0 };
        });
        return;
      case Decision.MetaWrite: {
        const bytes = h.memory.outPages.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
        const apply = () => {
          // In a crash it may be torn: some sectors new, the others old.
          const old = h.meta.get(metaPage) ?? new Uint8Array(PAGE_BYTES);
          const page = bytes.slice();
          const torn = !h.powered || h.actor === null;
          for (let s = 0; s < PAGE_BYTES; s += SECTOR) {
            if (torn && this.rng.below(3) === 0) page.set(old.subarray(s, s + SECTOR), s);
          }
          h.meta.set(metaPage, page);
        };
        this.io(h, apply, () => ({ ...INPUT, op: Event.MetaDone, offset, length }));
        return;
      }
      case Decision.PeerWrite: {
        const at = slot * HEADER_BYTES;
        const header = h.memory.headers.bytes.slice(at, at + HEADER_BYTES);
        const held = h.payload[slot] as Uint32Array;
        const count = length / SECTOR;
        const zero = (flags & Flag.Zero) !== 0;
        const payload = zero ? this.zeroes.sent(held, count) : held.slice(0, count);
        const write = { ...INPUT, op: Event.PeerWrite, flags, offset, length };
        this.send(h, link, { ...write, header, payload });
        return;
      }
      case Decision.PeerAck:
        this.#acknowledged(h, offset, r.status(d));
        this.send(h, link, { ...INPUT, op: Event.PeerAck, slot, offset, status: r.status(d) });
        return;
      case Decision.PeerRead: {
        const at = slot * HEADER_BYTES;
        const header = h.memory.headers.bytes.slice(at, at + HEADER_BYTES);
        if (this.has(h, link)) h.asked.set(`${link} ${h.memory.headers.sequence(slot)}`, slot);
        this.send(h, link, { ...INPUT, op: Event.PeerRead, flags, offset, length, header });
        return;
      }
      case Decision.PeerData: {
        const status = r.status(d);
        const answer = { ...INPUT, op: Event.PeerData, flags, offset, length, status };
        this.send(h, link, answerOf(h, slot, answer));
        return;
      }
      case Decision.PeerMessage: {
        const page = h.memory.outPages.slice(slot * PAGE_BYTES, slot * PAGE_BYTES + length);
        this.send(h, link, { ...INPUT, op: Event.PeerMessage, length, page });
        return;
      }
      case Decision.Complete:
        this.complete(h, slot, r.status(d));
        return;
      case Decision.Free:
        h.freePeer.push(slot);
        if (h.pending.length > 0) this.wake(h);
        return;
      case Decision.LinkClose:
        this.closed(h, link);
        return;
      case Decision.ArmTimer: {
        h.timer += 1;
        const { timer, life } = h;
        this.after(Math.max(0, offset + h.lag - this.now), () => {
          if (h.life === life && h.timer === timer) this.give(h, { ...INPUT, op: Event.Timer });
        });
        return;
      }
    }
  }

  /** A peer's write is acknowledged: is anything of it not on the disk yet? */
  #acknowledged(h: Host, sequence: number, status: number): void {
    if (status !== 0 || !this.config.semiSync) return;
    const { headers } = h.memory;
    const end = LAYOUT.frontSlots + LAYOUT.peerSlots;
    for (let slot = LAYOUT.frontSlots; slot < end; slot += 1) {
      if (h.writing.has(slot) && headers.sequence(slot) === sequence) h.receipts.add(slot);
    }
  }

  io(h: Host, apply: (() => void) | null, done: () => Input): void {
    this.#order += 1;
    const id = this.#order;
    const { life } = h;
    if (apply) h.flying.set(id, apply);
    const answer = (): void => {
      if (h.life !== life) return;
      if (h.hung) {
        this.after(20 * MS, answer);
        return;
      }
      if (apply) {
        h.flying.delete(id);
        h.losable.delete(apply);
        apply();
      }
      const input = done();
      const data = input.op === Event.LocalDone || input.op === Event.FlushDone;
      const meta = input.op === Event.MetaDone && input.page === undefined;
      const error = (h.broken && data) || (h.metaBroken && meta);
      const status = h.pathLost ? PATH_LOST : Status.Io;
      this.give(h, error || h.pathLost ? { ...input, status } : input);
    };
    this.after(this.rng.between(20, 2500), answer);
  }

  #unreadable(h: Host, first: number, count: number): boolean {
    if (h.flaky > 0 && this.rng.below(1000) < h.flaky) return true;
    if (h.unreadable.size === 0) return false;
    for (let s = first; s < first + count; s += 1) if (h.unreadable.has(s)) return true;
    return false;
  }

  /** Whether `link` is a present one of the host. */
  has(h: Host, link: number): boolean {
    return h.link === link;
  }

  /** The host closes a link. */
  closed(h: Host, link: number): void {
    if (link === h.link) this.disconnect();
  }

  connect(): void {
    if (this.#connecting) return;
    this.#connecting = true;
    this.after(this.rng.between(1, 30) * MS, () => {
      this.#connecting = false;
      const [a, b] = this.hosts;
      if (this.isCut || a.actor === null || b.actor === null) return;
      if (a.link !== 0 && a.link === b.link) return;
      this.#links += 1;
      const link = this.#links;
      for (const h of this.hosts) {
        h.link = link;
        this.#lastAt.set(h.node, this.now);
        const { life } = h;
        const offset = 3 - h.node;
        this.after(this.arrival(h.node), () => {
          if (h.life === life) this.give(h, { ...INPUT, op: Event.LinkUp, link, offset });
        });
      }
    });
  }

  /** Delay until what is sent to `node` now arrives, never before what was sent earlier. */
  arrival(node: number): number {
    const last = this.#lastAt.get(node) ?? 0;
    const clog = this.host(node).cloggedUntil;
    const at = Math.max(last + 1, clog, this.now + this.rng.between(50, 1500));
    this.#lastAt.set(node, at);
    return at - this.now;
  }

  send(h: Host, link: number, input: Input): void {
    const to = this.host(3 - h.node);
    if (h.link !== link) return;
    const { life } = to;
    this.after(this.arrival(to.node), () => {
      const open = to.link === link || to.closing === link;
      if (to.life === life && open) this.give(to, { ...input, link });
    });
  }

  disconnect(): void {
    const orderly = this.rng.below(2) === 0;
    for (const h of this.hosts) {
      const { link, life } = h;
      if (link === 0) continue;
      h.link = 0;
      // What was sent before an orderly close still arrives; else it is lost. Either way one side
      // may learn of it much later than the other.
      if (orderly) h.closing = link;
      const late = this.rng.below(4) === 0 ? this.rng.between(1, 300) * MS : 500;
      this.after(orderly ? this.arrival(h.node) : late, () => {
        h.closing = 0;
        if (h.life === life) this.give(h, { ...INPUT, op: Event.LinkDown, link });
      });
    }
    if (!this.isCut) this.connect();
  }
}
