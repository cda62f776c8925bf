/**
 * The monitor of one host and the applications that it starts and stops. The monitor obeys each
 * application's deadline by itself; the applications are children of nobody and outlive it.
 */
import type { ControlDecision, ControlInput } from '../../engine/cluster/interface.ts';
import type { Rng } from '../../engine/core/rng.ts';
import type { SimClock } from './clock.ts';
import { type Kernel, Kind, Stream } from './kernel.ts';
import type { ApplicationState } from './observer.ts';

/** An order of the core to the monitor. */
export type MonitorOrder = Extract<ControlDecision, { kind: 'application' }>;
/** The monitor's word to the core. */
export type MonitorWord = Extract<ControlInput, { kind: 'application' }>;

interface Application {
  state: ApplicationState;
  epoch: number;
  /** Host's clock; past it the application may not run. */
  until: number;
  /** Counts transitions: a queue entry of an earlier one is void. */
  version: number;
}

/** Purposes of MonitorTimer entries. */
const Timer = { started: 1, stopped: 2, deadline: 3 } as const;

const START = [80_000, 100_000] as const;
const STOP = [20_000, 40_000] as const;
/**
 * One stop in so many takes long, this much on average: longer than a core needs to come back, and
 * sometimes than the lease. Otherwise an application would always have stopped in time by itself,
 * and neither its proof of stop nor the guardian would ever be needed.
 */
const SLOW_STOPS = 3;
const SLOW_STOP = 1_500_000;

/** What the monitor needs of its host. */
export interface MonitorHost {
  readonly node: number;
  readonly clock: SimClock;
  monitorRunning(): boolean;
  tellCore(word: MonitorWord): void;
  applicationChanged(group: number, state: ApplicationState): void;
}

/** All applications of one host. */
export class Applications {
  readonly #kernel: Kernel;
  readonly #host: MonitorHost;
  readonly #names: readonly string[];
  readonly #rng: Rng;
  readonly #applications: Application[];

  constructor(kernel: Kernel, host: MonitorHost, groups: readonly string[]) {
    this.#kernel = kernel;
    this.#host = host;
    this.#names = groups;
    this.#rng = kernel.rng(Stream.host + host.node);
    this.#applications = groups.map(() => ({ state: 'stopped', epoch: 0, until: 0, version: 0 }));
  }

  state(group: number): ApplicationState {
    return (this.#applications[group] as Application).state;
  }

  /** The core's order. */
  order(order: MonitorOrder): void {
    const group = this.#names.indexOf(order.group);
    if (group < 0) return;
    const application = this.#applications[group] as Application;
    switch (order.action) {
      case 'start':
        this.#start(group, application, order);
        return;
      case 'renew':
        if (application.epoch === order.epoch && order.until > application.until) {
          application.until = order.until;
        }
        return;
      default:
        this.#stop(group, application);
        if (application.state === 'stopped') this.#tell(group, application);
    }
  }

  /** Tells the core how everything stands: after a start of either of the two. */
  tellAll(): void {
    for (const [group, application] of this.#applications.entries()) this.#tell(group, application);
  }

  /** The monitor runs again after its death: it looks at the deadlines that it missed. */
  resumed(): void {
    for (const [group, application] of this.#applications.entries()) {
      if (application.state === 'starting' || application.state === 'running') {
        this.#watch(group, application);
      }
    }
    this.tellAll();
  }

  /** The host lost power: everything is gone. */
  vanish(): void {
    for (const [group, application] of this.#applications.entries()) {
      application.version += 1;
      application.epoch = 0;
      if (application.state !== 'stopped') this.#change(group, application, 'stopped');
    }
  }

  /** Carries out a MonitorTimer entry. */
  timer(group: number, version: number, purpose: number): void {
    const application = this.#applications[group] as Application;
    if (application.version !== version) return;
    switch (purpose) {
      case Timer.started:
        this.#change(group, application, 'running');
        this.#tell(group, application);
        return;
      case Timer.stopped:
        application.epoch = 0;
        this.#change(group, application, 'stopped');
        this.#tell(group, application);
        return;
      default:
        if (!this.#host.monitorRunning()) return;
        if (this.#host.clock.at(this.#kernel.now) >= application.until) {
          this.#stop(group, application);
        } else this.#watch(group, application);
    }
  }

  #start(group: number, application: Application, order: MonitorOrder): void {
    if (this.#host.clock.at(this.#kernel.now) >= order.until) return;
    if (application.state !== 'stopped') {
      // The core has restarted, or the log gave it a new epoch: what runs goes on under that.
      const runs = application.state === 'running' || application.state === 'starting';
      if (runs && order.epoch >= application.epoch) {
        application.epoch = order.epoch;
        application.until = Math.max(order.until, application.until);
      }
      this.#tell(group, application);
      return;
    }
    application.epoch = order.epoch;
    application.until = order.until;
    application.version += 1;
    this.#change(group, application, 'starting');
    this.#tell(group, application);
    const took = START[0] + this.#rng.exponential(START[1]);
    this.#timer(group, application, Timer.started, this.#kernel.now + took);
    this.#watch(group, application);
  }

  #stop(group: number, application: Application): void {
    if (application.state === 'stopped' || application.state === 'stopping') return;
    application.version += 1;
    this.#change(group, application, 'stopping');
    this.#tell(group, application);
    const slow = this.#rng.below(SLOW_STOPS) === 0;
    const took = STOP[0] + this.#rng.exponential(slow ? SLOW_STOP : STOP[1]);
    this.#timer(group, application, Timer.stopped, this.#kernel.now + took);
  }

  #watch(group: number, application: Application): void {
    const at = this.#host.clock.when(this.#kernel.now, application.until);
    this.#timer(group, application, Timer.deadline, at);
  }

  #timer(group: number, application: Application, purpose: number, at: number): void {
    const queue = this.#kernel.queue;
    const entry = queue.push(at, Kind.MonitorTimer, this.#host.node, 0);
    queue.a[entry] = group;
    queue.b[entry] = application.version;
    queue.c[entry] = purpose;
  }

  #change(group: number, application: Application, state: ApplicationState): void {
    application.state = state;
    this.#host.applicationChanged(group, state);
  }

  #tell(group: number, application: Application): void {
    if (!this.#host.monitorRunning()) return;
    const { state, epoch } = application;
    this.#host.tellCore({
      kind: 'application',
      group: this.#names[group] as string,
      epoch: state === 'stopped' ? 0 : epoch,
      state,
    });
  }
}
