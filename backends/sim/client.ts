/**
 * The application's I/O on one volume: whichever host runs the application issues reads, writes and
 * flushes through that host's front-end, and everything that it did and saw goes into the history.
 * It falls behind during an outage and catches up afterwards, as a queue of users would.
 */

import type { Rng } from '../../engine/core/rng.ts';
import { Event, Flag } from '../../engine/data/abi.ts';
import { type History, Request } from './history.ts';
import { type Kernel, Kind, Stream } from './kernel.ts';
import { SIM_LAYOUT, SLOT_SECTORS } from './leg-host.ts';
import type { SimLeg } from './volume.ts';
import { hollow } from './zeroes.ts';

/** What the application does. Shares are in percent of the requests. */
export interface Workload {
  readonly iops: number;
  readonly reads: number;
  readonly flushes: number;
  /** Share of the writes with force unit access. */
  readonly fua: number;
  /** Share of the writes that are of zeroes. */
  readonly zeroes: number;
  /** Share of the requests that hit a few hot blocks. */
  readonly hot: number;
  /** Share of the others that strike anywhere, and do not follow a running place. */
  readonly scattered: number;
  /** Share of the requests that are followed at once by overlapping ones. */
  readonly bursts: number;
}

export const DEFAULT_WORKLOAD: Workload = {
  iops: 93,
  reads: 45,
  flushes: 4,
  fua: 6,
  zeroes: 8,
  hot: 50,
  scattered: 40,
  bursts: 8,
};

/** What the client tells the oracles. */
export interface ClientWatch {
  invoked(op: number): void;
  /** It succeeded; a read's sectors stand in the leg's stamps from `base` on. */
  succeeded(op: number, leg: SimLeg, base: number): void;
  /** It will not be answered any more, or was answered with an error. */
  dropped(op: number): void;
}

interface Session {
  /** 0 when closed. */
  number: number;
  /** Whether a request of it succeeded. */
  proven: boolean;
  /** World time before which it does not try again. */
  notBefore: number;
  /** Operation in each front-end slot, 0 for none; -1 for one whose client is gone. */
  readonly slots: Int32Array;
  inFlight: number;
}

const HOT_BLOCKS = 12;
const HOT_PLACES = 3;
const HOT_DISTANCE = 72;
/** Catching up, requests follow at this distance. */
const RUSH = 250;
const IDLE = 10_000;
const BACK_OFF = 60_000;
/** Sectors per request, and how likely each is in percent. */
const SIZES = [1, 8, 16, 32, 64, 128] as const;
const SHARES = [12, 64, 14, 6, 3, 1] as const;

export class Client {
  readonly history: History;
  readonly #kernel: Kernel;
  readonly #index: number;
  readonly #legs: readonly SimLeg[];
  /** How large the volume is by whoever serves: it may grow. */
  readonly #sectorsOf: (leg: SimLeg) => number;
  #sectors = 0;
  /** Where each of several exports ends; no request reaches beyond. */
  readonly #ends: readonly number[];
  readonly #grain: number;
  readonly #workload: Workload;
  readonly #watch: ClientWatch;
  readonly #runs: (leg: SimLeg) => boolean;
  readonly #rng: Rng;
  readonly #paceRng: Rng;
  readonly #sessions: Session[];
  /** Writes that are open, whatever became of their session. */
  #open: number[] = [];
  #due = 0;
  #count = 0;
  #stopped = false;
  #cursor = 0;
  #burst = 0;
  #lastSector = 0;
  /** World time of the last success, for the outage. */
  #lastSuccess = -1;
  /** Successful requests. */
  done = 0;
  /** World time of the last one, -1 before the first. */
  doneAt = -1;
  /** Longest time without a success, and when it began. */
  outage = 0;
  outageFrom = 0;

  constructor(
    kernel: Kernel,
    index: number,
    legs: readonly SimLeg[],
    sectorsOf: (leg: SimLeg) => number,
    logicalBlock: number,
    workload: Workload,
    history: History,
    watch: ClientWatch,
    runs: (leg: SimLeg) => boolean,
    ends: readonly number[] = [],
  ) {
    this.#kernel = kernel;
    this.#index = index;
    this.#legs = legs;
    this.#sectorsOf = sectorsOf;
    this.#ends = ends;
    this.#grain = logicalBlock / 512;
    this.#workload = workload;
    this.history = history;
    this.#watch = watch;
    this.#runs = runs;
    this.#rng = kernel.rng(Stream.client + index * 2);
    this.#paceRng = kernel.rng(Stream.client + index * 2 + 1);
    this.#sessions = legs.map(() => ({
      number: 0,
      proven: false,
      notBefore: 0,
      slots: new Int32Array(SIM_LAYOUT.frontSlots),
      inFlight: 0,
    }));
  }

  /** Requests that wait for an answer. */
  get inFlight(): number {
    let sum = 0;
    for (const session of this.#sessions) sum += session.inFlight;
    return sum;
  }

  /** The same for the session at one side. */
  inFlightAt(side: number): number {
    return (this.#sessions[side] as Session).inFlight;
  }

  start(): void {
    this.#due = this.#kernel.now;
    this.#next(this.#kernel.now + IDLE);
  }

  /** No more requests: the world is to become quiet. */
  stop(): void {
    this.#stopped = true;
    this.#note();
  }

  /** A queue entry: the next request is due. */
  tick(): void {
    if (this.#stopped) return;
    let issued = false;
    for (let i = 0; i < this.#legs.length; i += 1) {
      if (this.#ready(i)) issued = this.#issue(i) || issued;
    }
    const { now } = this.#kernel;
    if (!issued) {
      this.#next(now + IDLE);
      return;
    }
    if (this.#burst > 0) {
      this.#burst -= 1;
      this.#next(now + this.#paceRng.below(40));
      return;
    }
    this.#due += this.#paceRng.exponential(Math.floor(1_000_000 / this.#workload.iops));
    this.#next(Math.max(this.#due, now + RUSH));
  }

  /** The front-end answered. */
  completed(leg: SimLeg, slot: number, status: number): void {
    const session = this.#sessions[leg.side] as Session;
    const op = session.slots[slot] as number;
    session.slots[slot] = 0;
    if (op <= 0) return;
    session.inFlight -= 1;
    const { history } = this;
    if (status !== 0) {
      session.notBefore = this.#kernel.now + BACK_OFF;
      // A failed write may have taken effect: it stays open until a later session has succeeded.
      if (history.kind[op] !== Request.Write) this.#watch.dropped(op);
      return;
    }
    history.complete(op);
    this.done += 1;
    this.doneAt = this.#kernel.now;
    this.#note();
    if (history.kind[op] === Request.Write) this.#forget(op);
    if (!session.proven) {
      session.proven = true;
      this.#closeOthers(session.number, history.invoked[op] as number);
    }
    this.#watch.succeeded(op, leg, slot * SLOT_SECTORS);
  }

  /** The application on this side stopped, or its host or core is gone: nobody waits any more. */
  disconnected(side: number, coreGone: boolean): void {
    const session = this.#sessions[side] as Session;
    for (let slot = 0; slot < session.slots.length; slot += 1) {
      const op = session.slots[slot] as number;
      if (op > 0 && this.history.kind[op] !== Request.Write) this.#watch.dropped(op);
      // A living core still owns the slot, and answers into the void.
      session.slots[slot] = coreGone || op === 0 ? 0 : -1;
    }
    session.number = 0;
    session.proven = false;
    session.inFlight = 0;
  }

  #ready(i: number): boolean {
    const leg = this.#legs[i] as SimLeg;
    const session = this.#sessions[i] as Session;
    if (!leg.alive() || !this.#runs(leg)) return false;
    if (session.number === 0) {
      this.#count += 1;
      session.number = this.#count;
      session.proven = false;
    }
    return session.notBefore <= this.#kernel.now;
  }

  #issue(i: number): boolean {
    const session = this.#sessions[i] as Session;
    const slot = freeSlot(session.slots);
    if (slot < 0) return false;
    const rng = this.#rng;
    const { reads, flushes, fua, zeroes, bursts } = this.#workload;
    const die = rng.below(100);
    const kind =
      die < flushes ? Request.Flush : die < flushes + reads ? Request.Read : Request.Write;
    let sector = 0;
    let length = 0;
    this.#sectors = this.#sectorsOf(this.#legs[i] as SimLeg);
    if (kind !== Request.Flush) {
      length = this.#size();
      sector = this.#place(length);
    }
    const share = kind === Request.Write ? rng.below(100) : fua;
    const forced = share < fua;
    const zero = share >= 100 - zeroes;
    if (this.#burst === 0 && rng.below(100) < bursts) this.#burst = rng.between(1, 3);
    const leg = this.#legs[i] as SimLeg;
    const { number } = session;
    const op = this.history.invoke(kind, sector, length, forced, leg.node, number, zero);
    this.#watch.invoked(op);
    session.slots[slot] = op;
    session.inFlight += 1;
    if (kind === Request.Write) {
      this.#open.push(op);
      const base = slot * SLOT_SECTORS;
      // A loop: so few words are written before the library's own method has begun.
      const { stamps } = leg;
      const stamp = zero ? hollow(op) : op;
      for (let at = base; at < base + length; at += 1) stamps[at] = stamp;
    }
    const event =
      kind === Request.Flush
        ? Event.ReqFlush
        : kind === Request.Read
          ? Event.ReqRead
          : Event.ReqWrite;
    // A file system's trim gives space back; what sets a table to zero may want to keep it.
    const give = op % 2 === 0 ? Flag.Unmap : 0;
    leg.request(
      event,
      slot,
      (forced ? Flag.Fua : 0) | (zero ? Flag.Zero | give : 0),
      sector,
      length,
    );
    return true;
  }

  #size(): number {
    let die = this.#rng.below(100);
    let i = 0;
    while (die >= (SHARES[i] as number)) {
      die -= SHARES[i] as number;
      i += 1;
    }
    return Math.max(SIZES[i] as number, this.#grain);
  }

  #place(length: number): number {
    const rng = this.#rng;
    const room = this.#sectors - length;
    let sector: number;
    if (this.#burst > 0) {
      // On purpose across the request before.
      sector = this.#lastSector + rng.below(9) - 4;
    } else if (rng.below(100) < this.#workload.hot) {
      // Few blocks in few places, as file systems have them: journals, indexes, inode tables.
      const block = rng.below(HOT_BLOCKS);
      const place = Math.floor((this.#sectors * (block % HOT_PLACES)) / HOT_PLACES);
      sector = place + Math.floor(block / HOT_PLACES) * HOT_DISTANCE;
    } else if (rng.below(100) >= this.#workload.scattered) {
      this.#cursor = (this.#cursor + 8) % this.#sectors;
      sector = this.#cursor;
    } else sector = rng.below(Math.max(1, room));
    // Most requests of a file system are aligned to its blocks, but not all.
    const align = length >= 8 && rng.below(100) < 85 ? 8 : 1;
    const grain = Math.max(align, this.#grain);
    sector = Math.floor(Math.max(0, Math.min(sector, room)) / grain) * grain;
    for (const end of this.#ends) if (sector < end && sector + length > end) sector = end - length;
    this.#lastSector = sector;
    return sector;
  }

  /** A session has succeeded: what others left open took effect before, or never will. */
  #closeOthers(number: number, moment: number): void {
    const { history } = this;
    const kept: number[] = [];
    for (const op of this.#open) {
      if (history.session[op] === number) {
        kept.push(op);
        continue;
      }
      history.closed[op] = moment;
      this.#watch.dropped(op);
    }
    this.#open = kept;
  }

  #forget(op: number): void {
    const open = this.#open;
    let at = 0;
    while (at < open.length && open[at] !== op) at += 1;
    if (at === open.length) return;
    for (; at + 1 < open.length; at += 1) open[at] = open[at + 1] as number;
    open.pop();
  }

  #note(): void {
    const { now } = this.#kernel;
    if (this.#lastSuccess >= 0 && now - this.#lastSuccess > this.outage) {
      this.outage = now - this.#lastSuccess;
      this.outageFrom = this.#lastSuccess;
    }
    this.#lastSuccess = now;
  }

  #next(at: number): void {
    this.#kernel.queue.push(at, Kind.Client, this.#index, 0);
  }
}

/** The first slot without an operation, or -1. */
function freeSlot(slots: Int32Array): number {
  for (let slot = 0; slot < slots.length; slot += 1) if (slots[slot] === 0) return slot;
  return -1;
}
