/**
 * One simulated host: power, guest, clock, and its processes. The core holds the control actor and
 * the data actors; the monitor holds the applications; guardian and watchdog see to it that a host
 * whose core stalls is reset. Core and monitor restart each other. A witness has a core alone.
 */
import type { AgreedChange } from '../../engine/cluster/changes.ts';
import type {
  ControlActor,
  ControlDecision,
  ControlInput,
  OperatorAnswer,
} from '../../engine/cluster/interface.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import type { NodeConfig, TimingConfig } from '../../engine/core/config.ts';
import { InvariantError } from '../../engine/core/invariant.ts';
import type { Rng } from '../../engine/core/rng.ts';
import type { DataCommand, DataReport } from '../../engine/data/messages.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import {
  Applications,
  type MonitorHost,
  type MonitorOrder,
  type MonitorWord,
} from './applications.ts';
import { SimClock } from './clock.ts';
import type { Datagrams } from './datagrams.ts';
import type { CrashMode } from './disk-cache.ts';
import { SimGuardian } from './guardian.ts';
import { type Kernel, Kind, Stream } from './kernel.ts';
import type { LegHost } from './leg-host.ts';
import type { ApplicationState, Observer } from './observer.ts';
import { SimStore } from './store.ts';
import type { SimLeg } from './volume.ts';

/**
 * Time from a death to the restart by the other process, and from power-on to the first process.
 */
const RESTART = 300_000;
const BOOT_CORE = 500_000;
const BOOT_MONITOR = 600_000;
/** Delays between the processes and threads of one host. */
const MAILBOX = [4, 6] as const;
const MONITOR = [60, 60] as const;
/** A stopped process's socket keeps this many datagrams. */
const PARKED_DATAGRAMS = 128;
/**
 * No sound core gives its monitor so many orders in a second: they answer each other for ever. A
 * core that was paused renews once for each acknowledgement that waited in its socket.
 */
const ORDERS_PER_SECOND = 2 * PARKED_DATAGRAMS;

/** Starts the actors of one life of the core; made by the world. */
export interface CoreMaker {
  control(): ControlActor;
  startLegs(session: number, boot: number): void;
}

export class SimHost implements LegHost, MonitorHost {
  readonly node: number;
  readonly config: NodeConfig;
  readonly clock = new SimClock();
  readonly store: SimStore;
  readonly applications: Applications;
  readonly guardian: SimGuardian;
  /** Told what control answers to people. */
  onAnswer: (id: number, answer: OperatorAnswer) => void = () => {};
  /** What keeps its next core from running by a version, '' for nothing. */
  obstacle: (version: number, changes: readonly AgreedChange[]) => string = () => '';
  legs: readonly SimLeg[] = [];
  power = false;
  frozen = false;
  boot = 0;
  coreLife = 0;
  /**
   * Starts of the core in this world. Its chance depends on it: the session, which begins anew with
   * an empty disk, would let a life repeat what an earlier one drew.
   */
  starts = 0;
  monitorLife = 0;
  readonly #kernel: Kernel;
  readonly #observer: Observer;
  readonly #datagrams: Datagrams;
  readonly #rng: Rng;
  readonly #mailboxRng: Rng;
  #maker: CoreMaker | null = null;
  #control: ControlActor | null = null;
  #corePauses = 0;
  #monitorAlive = false;
  #parked: number[] = [];
  #parkedGuest: number[] = [];
  #parkedDatagrams = 0;
  #links = 0;
  #wakeAt = Number.MAX_SAFE_INTEGER;
  #wakeQueued = Number.MAX_SAFE_INTEGER;
  readonly #commandDue: number[] = [];
  #reportDue = 0;
  #orderDue = 0;
  #orderSecond = -1;
  #ordersInSecond = 0;
  #wordDue = 0;

  constructor(
    kernel: Kernel,
    config: NodeConfig,
    groups: readonly string[],
    timing: TimingConfig,
    datagrams: Datagrams,
    observer: Observer,
  ) {
    this.node = config.id;
    this.config = config;
    this.#kernel = kernel;
    this.#observer = observer;
    this.#datagrams = datagrams;
    this.#rng = kernel.rng(Stream.clock + config.id);
    this.#mailboxRng = kernel.rng(Stream.mailbox + config.id);
    this.store = new SimStore(kernel, config.id);
    this.applications = new Applications(kernel, this, groups);
    const { watchdog, watchdogDelay } = timing;
    this.guardian = new SimGuardian(kernel, config.id, this.clock, watchdog, watchdogDelay);
  }

  /** Wires the host to its replicas; once, before the first boot. */
  wire(legs: readonly SimLeg[], maker: CoreMaker): void {
    this.legs = legs;
    this.#maker = maker;
  }

  // --- state -------------------------------------------------------------------------------------

  coreAlive(): boolean {
    return this.#control !== null;
  }
  coreRunning(): boolean {
    return this.#control !== null && this.#corePauses === 0 && !this.frozen;
  }
  monitorAlive(): boolean {
    return this.#monitorAlive;
  }
  monitorRunning(): boolean {
    return this.#monitorAlive && !this.frozen;
  }
  get control(): ControlActor | null {
    return this.#control;
  }
  nextLink(): number {
    this.#links += 1;
    return this.#links;
  }

  // --- power and guest ---------------------------------------------------------------------------

  /** Power on: a new boot, and processes some time later. */
  powerOn(): void {
    if (this.power) return;
    this.power = true;
    this.boot = this.#rng.id52();
    this.clock.start(this.#kernel.now, this.#rng.below(2_000_000_000));
    this.guardian.reset();
    const { queue, now } = this.#kernel;
    queue.push(now + BOOT_CORE, Kind.CoreStart, this.node, this.coreLife);
    if (!this.config.witness) {
      queue.push(now + BOOT_MONITOR, Kind.MonitorStart, this.node, this.monitorLife);
    }
  }

  /** Power fails: everything volatile is gone, the disks keep what `mode` says. */
  powerOff(mode: CrashMode): void {
    if (!this.power) return;
    const ioInFlight = this.#crashing();
    this.thaw();
    this.power = false;
    this.#endCore();
    for (const leg of this.legs) {
      for (const { connection, end } of leg.wires.all) connection.hostVanished(end);
      leg.disk.crash(mode);
      leg.disk.shelf.crash();
    }
    this.store.crash();
    this.#monitorAlive = false;
    this.monitorLife += 1;
    for (const entry of this.#parkedGuest) this.#kernel.queue.release(entry);
    this.#parkedGuest = [];
    this.applications.vanish();
    this.guardian.reset();
    this.#observer.powerLost(this.node, ioInFlight);
  }

  /** The whole guest stands still; with `clockStops` its clock too. */
  freeze(clockStops: boolean): void {
    if (!this.power || this.frozen) return;
    this.frozen = true;
    if (clockStops) this.clock.stop(this.#kernel.now);
    this.guardian.freeze();
    for (const { wires } of this.legs) {
      for (const { connection, end } of wires.all) connection.suspect(1 - end);
    }
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.clock.resume(this.#kernel.now);
    this.guardian.thaw();
    this.retime();
    for (const entry of this.#parkedGuest) this.#kernel.queue.requeue(this.#kernel.now, entry);
    this.#parkedGuest = [];
    if (this.#corePauses === 0) this.#unpark();
  }

  setClockRate(ppm: number): void {
    this.clock.setRate(this.#kernel.now, ppm);
    this.retime();
    this.guardian.retime();
  }

  retime(): void {
    this.#wakeQueued = Number.MAX_SAFE_INTEGER;
    this.#queueWake();
    if (this.coreAlive()) for (const leg of this.legs) leg.retime();
  }

  // --- processes ---------------------------------------------------------------------------------

  /** Kills the core; the monitor, or else init, starts it again. */
  killCore(): void {
    if (this.#control === null) return;
    this.#crashing();
    this.#endCore();
    for (const leg of this.legs) leg.killed(this.coreLife - 1);
    for (const { wires } of this.legs) {
      for (const { connection, end } of wires.all) connection.processDied(end);
    }
    const { queue, now } = this.#kernel;
    queue.push(now + RESTART, Kind.CoreStart, this.node, this.coreLife);
  }

  pauseCore(on: boolean): void {
    this.#corePauses = Math.max(0, this.#corePauses + (on ? 1 : -1));
    if (this.#corePauses === 0 && !this.frozen) this.#unpark();
  }

  killMonitor(): void {
    if (!this.#monitorAlive) return;
    this.#monitorAlive = false;
    this.monitorLife += 1;
    const { queue, now } = this.#kernel;
    queue.push(now + RESTART, Kind.MonitorStart, this.node, this.monitorLife);
  }

  /** Carries out a CoreStart entry; `tries` counts earlier attempts of the same life. */
  startCore(life: number, tries: number): void {
    if (!this.power || life !== this.coreLife || this.#control !== null) return;
    const { queue, now } = this.#kernel;
    const starter = this.config.witness || this.monitorRunning() || tries >= 3 || !this.#started();
    // The kernel lets go of a dead process only when its disk operations are over.
    const busy = this.legs.some((leg) => leg.disk.writesInFlight > 0);
    if (!starter || busy || this.frozen) {
      const entry = queue.push(
        now + (busy ? 1_000 : RESTART),
        Kind.CoreStart,
        this.node,
        this.coreLife,
      );
      queue.a[entry] = busy ? tries : tries + 1;
      return;
    }
    const session = this.store.nextSession();
    this.starts += 1;
    const maker = this.#maker as CoreMaker;
    this.#wakeAt = Number.MAX_SAFE_INTEGER;
    this.#wakeQueued = Number.MAX_SAFE_INTEGER;
    this.#control = maker.control();
    this.#observer.coreStarted(this.node);
    const durable = this.store.document;
    this.input({ kind: 'start', boot: this.boot, session, durable });
    if (this.coreAlive()) maker.startLegs(session, this.boot);
    this.applications.tellAll();
  }

  /** Carries out a MonitorStart entry. */
  startMonitor(life: number, tries: number): void {
    if (!this.power || life !== this.monitorLife || this.#monitorAlive) return;
    if (this.frozen || (!this.coreRunning() && tries < 3 && this.#started())) {
      const { queue, now } = this.#kernel;
      const entry = queue.push(now + RESTART, Kind.MonitorStart, this.node, this.monitorLife);
      queue.a[entry] = tries + 1;
      return;
    }
    this.#monitorAlive = true;
    this.applications.resumed();
  }

  /** An actor found a belief of its own broken: the whole core stops. */
  broke(belief: string): void {
    this.#observer.brokenBelief(this.node, belief);
    this.killCore();
  }

  // --- the control actor -------------------------------------------------------------------------

  /** One turn of the control actor with one input. */
  input(input: Exclude<ControlInput, { readonly kind: 'message' }>): void {
    this.#step(input, 0);
  }

  /** The same; a datagram has a number, which stands in the trace hash for what it says. */
  #step(input: ControlInput, number: number): void {
    const control = this.#control;
    if (control === null) return;
    const { hash } = this.#kernel;
    const now = this.clock.at(this.#kernel.now);
    this.#kernel.events += 1;
    hash.word(~this.node);
    hash.integer(now);
    if (input.kind === 'message') hash.received(input.from, input.link, number);
    else hash.value(input);
    let decisions: readonly ControlDecision[];
    try {
      decisions = control.step([input], now);
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.broke(error.message);
      return;
    }
    // The core may be gone by the one before.
    for (let i = 0; i < decisions.length && this.#control === control; i += 1) {
      this.#carryOut(decisions[i] as ControlDecision);
    }
  }

  /** The wake-up's queue entry came up. */
  wake(): void {
    this.#wakeQueued = Number.MAX_SAFE_INTEGER;
    if (this.#control === null) return;
    if (this.#wakeAt > this.clock.at(this.#kernel.now)) {
      this.#queueWake();
      return;
    }
    this.#wakeAt = Number.MAX_SAFE_INTEGER;
    this.input({ kind: 'wake' });
  }

  /** A datagram reached the host. */
  datagram(entry: number): boolean {
    if (!this.power || !this.coreAlive()) return true;
    if (this.coreRunning()) {
      const { queue } = this.#kernel;
      const from = queue.a[entry] as number;
      const link = queue.b[entry] as number;
      const message = queue.objects[entry] as ControlMessage;
      this.#step({ kind: 'message', from, link, message }, queue.c[entry] as number);
      return true;
    }
    if (this.#parkedDatagrams >= PARKED_DATAGRAMS) return true;
    this.#parkedDatagrams += 1;
    this.park(entry);
    return false;
  }

  /** Keeps an entry until what stands still runs again. */
  park(entry: number): void {
    this.#parked.push(entry);
  }

  /** Keeps an entry until the guest is thawed. */
  parkGuest(entry: number): void {
    this.#parkedGuest.push(entry);
  }

  // --- messages between the threads and processes
  // -------------------------------------------------

  report(leg: number, report: DataReport): void {
    if (report.kind === 'event') {
      this.#event(report.event);
      return;
    }
    const { queue, now } = this.#kernel;
    this.#reportDue = Math.max(this.#reportDue, now + this.#delay(MAILBOX));
    const entry = queue.push(this.#reportDue, Kind.Report, this.node, this.coreLife);
    queue.a[entry] = leg;
    queue.objects[entry] = report;
  }

  tellCore(word: MonitorWord): void {
    const { queue, now } = this.#kernel;
    this.#wordDue = Math.max(this.#wordDue, now + this.#delay(MONITOR));
    const entry = queue.push(this.#wordDue, Kind.Application, this.node, this.coreLife);
    queue.objects[entry] = word;
  }

  applicationChanged(group: number, state: ApplicationState): void {
    this.#observer.application(group, this.node, state);
  }

  #carryOut(decision: ControlDecision): void {
    const { hash } = this.#kernel;
    switch (decision.kind) {
      case 'send': {
        const { to, message } = decision;
        const link = decision.link === 'all' ? -1 : decision.link;
        const number = hash.sent(to, link, message);
        this.#datagrams.send(this.node, to, link, message, number);
        return;
      }
      case 'persist':
        hash.value(decision);
        this.store.persist(decision.token, decision.durable, this.coreLife);
        return;
      case 'wake-at':
        hash.integer(decision.at);
        this.#wakeAt = decision.at;
        this.#queueWake();
        return;
      case 'guardian':
        hash.value(decision);
        if (this.config.watchdog !== 'none') this.guardian.set(decision.armed, decision.until);
        return;
      case 'to-data':
        hash.value(decision);
        this.#command(decision.volume, decision.command);
        return;
      case 'application':
        hash.value(decision);
        this.#order(decision);
        return;
      case 'event':
        this.#event(decision.event);
        return;
      case 'prepare': {
        hash.value(decision);
        const { queue, now } = this.#kernel;
        this.#wordDue = Math.max(this.#wordDue, now + this.#delay(MONITOR));
        const entry = queue.push(this.#wordDue, Kind.Application, this.node, this.coreLife);
        const { version, changes } = decision;
        const reason = this.obstacle(version, changes);
        const answer: ControlInput = { kind: 'prepared', version, reason };
        queue.objects[entry] = answer;
        return;
      }
      case 'config-taken':
        // Which configuration a simulated host runs by is read from its store when a core starts.
        hash.value(decision);
        return;
      case 'restart-core':
        hash.value(decision);
        this.killCore();
        return;
      case 'answer':
        hash.value(decision);
        this.onAnswer(decision.id, decision.answer);
        return;
    }
  }

  #command(volume: string, command: DataCommand): void {
    for (let i = 0; i < this.legs.length; i += 1) {
      const leg = this.legs[i] as SimLeg;
      if (leg.name !== volume) continue;
      const { queue, now } = this.#kernel;
      const due = Math.max(this.#commandDue[i] ?? 0, now + this.#delay(MAILBOX));
      this.#commandDue[i] = due;
      const entry = queue.push(due, Kind.Command, leg.index, this.coreLife);
      queue.objects[entry] = command;
    }
  }

  #order(order: MonitorOrder): void {
    const { queue, now } = this.#kernel;
    const second = Math.floor(now / 1_000_000);
    this.#ordersInSecond = second === this.#orderSecond ? this.#ordersInSecond + 1 : 1;
    this.#orderSecond = second;
    if (this.#ordersInSecond > ORDERS_PER_SECOND) this.#observer.storm(this.node, order.action);
    this.#orderDue = Math.max(this.#orderDue, now + this.#delay(MONITOR));
    const entry = queue.push(this.#orderDue, Kind.MonitorOrder, this.node, this.monitorLife);
    queue.objects[entry] = order;
  }

  #event(event: TimelineEvent): void {
    const { hash, timeline } = this.#kernel;
    hash.value(event);
    // Everybody reads one clock: the world's. The actor's own time differs by its clock's error.
    timeline?.push({ ...event, t: this.#kernel.now });
  }

  #queueWake(): void {
    if (this.#control === null) return;
    if (this.#wakeAt >= this.#wakeQueued || this.#wakeAt === Number.MAX_SAFE_INTEGER) return;
    this.#wakeQueued = this.#wakeAt;
    const due = this.clock.when(this.#kernel.now, this.#wakeAt);
    this.#kernel.queue.push(due, Kind.Wake, this.node, this.coreLife);
  }

  #delay(range: readonly [fixed: number, mean: number]): number {
    return range[0] + this.#mailboxRng.exponential(range[1]);
  }

  #crashing(): boolean {
    const writing = this.legs.some((leg) => leg.disk.writesInFlight > 0);
    return this.#observer.crashing(this.node, writing);
  }

  #started(): boolean {
    return this.coreLife > 0 || this.monitorLife > 0;
  }

  #endCore(): void {
    if (this.#control === null) return;
    this.#control = null;
    this.coreLife += 1;
    this.#corePauses = 0;
    const { queue } = this.#kernel;
    for (const leg of this.legs) leg.stop();
    for (const entry of this.#parked) {
      const index = queue.kind[entry] === Kind.Record ? queue.target[entry] : -1;
      this.legs.find((leg) => leg.index === index)?.unheard(queue.a[entry] as number);
      queue.release(entry);
    }
    this.#parked = [];
    this.#parkedDatagrams = 0;
    this.#observer.coreDied(this.node);
  }

  #unpark(): void {
    const { queue, now } = this.#kernel;
    const parked = this.#parked;
    this.#parked = [];
    this.#parkedDatagrams = 0;
    for (const entry of parked) queue.requeue(now, entry);
    for (const leg of this.legs) leg.wires.wake();
  }
}
