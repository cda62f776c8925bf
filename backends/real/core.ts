/**
 * The core process of a host: hears the network, the data Workers, the monitor and people, lets the
 * control actor decide, and carries its decisions out in order. It decides nothing itself.
 */
import { randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Control } from '../../engine/cluster/control.ts';
import type {
  ClusterStatus,
  ControlDecision,
  ControlInput,
  OperatorAnswer,
  OperatorCommand,
} from '../../engine/cluster/interface.ts';
import { parseControlMessage } from '../../engine/cluster/message-parser.ts';
import type { NodeConfig } from '../../engine/core/config.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { BootId, Micros, NodeId } from '../../engine/core/units.ts';
import { parseAddress } from './address.ts';
import { ApiServer } from './api-server.ts';
import { ApplicationOrders } from './application-orders.ts';
import { openClock, SuspendWatch } from './clock.ts';
import type { PeerAddress } from './data-messages.ts';
import { DataVolume, type IdleThread } from './data-volume.ts';
import { lockDirectory } from './directory-lock.ts';
import { DurableStore } from './durable-store.ts';
import { HostError, reasonOf } from './failure.ts';
import { flightFileName } from './flight-ring.ts';
import { type GuardState, judgeGuard } from './guard-state.ts';
import { guardianPage } from './guardian-keeper.ts';
import { hostBoot } from './host-boot.ts';
import { HostConfig } from './host-config.ts';
import { type HostOptions, hostPaths, readClusterKey, selfOf } from './host-options.ts';
import type { HostStatus } from './host-status.ts';
import type { Log } from './log.ts';
import { MonitorKeeper } from './monitor-keeper.ts';
import { type GuardianState, loadNative } from './native.ts';
import { ownIdentity } from './process-identity.ts';
import { conversionFileName } from './replica-convert.ts';
import { memoryFileName } from './replica-memory.ts';
import { partsOf } from './replica-parts.ts';
import { folderFiles } from './store-files.ts';
import type { ApplicationState, MonitorMessage } from './supervision.ts';
import { TimelineFile } from './timeline-file.ts';
import { timelineHeader } from './timeline-header.ts';
import { UdpControl } from './udp-control.ts';

/** How the process wants to end. */
export interface CoreExits {
  readonly log: Log;
  readonly stopAtOnce: (reason: string) => never;
  readonly refuse: (reason: string, remedy: string) => never;
  /** Ends this core, which its monitor starts again. */
  readonly restart: (reason: string) => never;
}

/** How often sleep of the machine is looked for. */
const SUSPEND_LOOK_MS = 250;
/** An operator's command that got no answer is given up after this. */
const ANSWER_LIMIT_MS = 30_000;
/** Longest wait of a timer: Node's timers wrap around beyond 2^31 ms. */
const TIMER_MS_MAX = 60_000;

/** Why a core ends itself, to be started again. */
const RESTARTS = {
  'lost-path': 'the path to a disk is lost: see whether it is back',
  config: 'another configuration is agreed on',
} as const;

export class Core {
  readonly ended: Promise<void>;
  readonly #options: HostOptions;
  readonly #hostConfig: HostConfig;
  /** What keeps this host from the next configuration, as it was said last. */
  #waits = '';
  readonly #exits: CoreExits;
  readonly #self: NodeConfig;
  readonly #clock: () => Micros;
  readonly #boot: BootId;
  readonly #session: number;
  readonly #store: DurableStore;
  readonly #control: Control;
  readonly #network: UdpControl;
  readonly #timeline: TimelineFile;
  readonly #monitor: MonitorKeeper;
  readonly #guardian: GuardianState | null;
  readonly #orders: ApplicationOrders;
  readonly #api: ApiServer;
  readonly #volumes = new Map<string, DataVolume>();
  #inputs: ControlInput[] = [];
  #scheduled = false;
  #stopping = false;
  #wake: NodeJS.Timeout | null = null;
  #suspend: NodeJS.Timeout;
  #answers = new Map<number, (answer: OperatorAnswer) => void>();
  #answerIds = 0;
  #applications = new Map<string, ApplicationState>();
  #guard: Extract<MonitorMessage, { kind: 'beat' }> | null = null;
  #end: () => void = () => undefined;

  /** `threads` are for its volumes. Throws HostError and NativeError, each with its remedy. */
  static async start(options: HostOptions, threads: IdleThread[], exits: CoreExits): Promise<Core> {
    await lockDirectory(options.dataFolder, 'core');
    const self = selfOf(options);
    const clock = openClock(self);
    const key = readClusterKey(options.keyPath);
    const owner = { cluster: options.config.name, node: self.id };
    const opened = await DurableStore.open(await folderFiles(options.dataFolder), owner);
    const { config, node, dataFolder } = options;
    const host = new HostConfig(config, node, dataFolder, opened.durable);
    // What is agreed on counts from here on, whatever the file says.
    const agreed = { ...options, config: host.config };
    const core = new Core(agreed, host, exits, clock, key, opened.store, opened.session);
    await core.#network.open();
    const { boot, session } = { boot: core.#boot, session: opened.session };
    exits.log('info', 'core-started', { session, new: opened.durable === null });
    core.#enqueue({ kind: 'start', boot, session, durable: opened.durable });
    await core.#startVolumes(key, threads);
    // People can wait; leases and requests cannot.
    await core.#api.open(options.console);
    return core;
  }

  private constructor(
    options: HostOptions,
    hostConfig: HostConfig,
    exits: CoreExits,
    clock: () => Micros,
    key: Uint8Array,
    store: DurableStore,
    session: number,
  ) {
    const { config, node, dataFolder } = options;
    const { log } = exits;
    const self = selfOf(options);
    const paths = hostPaths(dataFolder);
    this.#options = options;
    this.#hostConfig = hostConfig;
    this.#exits = exits;
    this.#self = self;
    this.#clock = clock;
    this.#boot = hostBoot(node);
    this.#session = session;
    this.#store = store;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#control = new Control({
      config,
      node,
      // Another stream in each life, so that two lives never draw the same election delays.
      rng: new Rng(randomInt(2 ** 32), node),
      canaries: new Set(),
      reached: (mark) => log('debug', 'mark', { mark }),
    });
    store.listen(
      (token) => this.#enqueue({ kind: 'persisted', token }),
      (error) => exits.stopAtOnce(`the durable store failed: ${String(error)}`),
    );
    this.#network = new UdpControl({
      cluster: config.name,
      self,
      nodes: config.nodes,
      clusterKey: key,
      configHashes: () => hostConfig.hashes,
      log,
      parse: parseControlMessage,
      onMessage: (from, link, message) => {
        this.#enqueue({ kind: 'message', from, link, message });
      },
    });
    this.#timeline = new TimelineFile(paths.timeline, () => timelineHeader(options, clock()));
    this.#guardian = self.witness
      ? null
      : loadNative().openGuardianState(guardianPage(dataFolder, this.#boot));
    this.#monitor = new MonitorKeeper(dataFolder, paths, log, (message) => this.#hear(message));
    this.#orders = new ApplicationOrders({
      clock,
      guard: () => this.#guardState(),
      send: (order) => this.#monitor.send(order),
      log,
    });
    this.#api = new ApiServer(paths.api, log, {
      status: () => this.status(),
      command: (command) => this.#ask(command),
      watch: (onlooker) => this.#timeline.watch(onlooker),
    });
    const sleep = new SuspendWatch();
    this.#suspend = setInterval(() => {
      const slept = sleep.slept();
      if (slept > 0) exits.stopAtOnce(`this machine slept for ${slept} µs`);
    }, SUSPEND_LOOK_MS);
  }

  /**
   * Stops in good order: Workers drained, timeline written. The lease lapses by itself. The
   * watchdog is disarmed only when the monitor says that no application runs any more (`quiet`),
   * and the last report of each said so: a core that ends alone leaves its applications under the
   * deadline that it wrote last.
   */
  stop({ quiet }: { readonly quiet: boolean }): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#exits.log('info', 'core-stopping');
    clearInterval(this.#suspend);
    this.#orders.close();
    for (const volume of this.#volumes.values()) volume.close();
    void Promise.all([...this.#volumes.values()].map((volume) => volume.closed)).then(() => {
      const states = [...this.#applications.values()].map(({ state }) => state);
      const still = quiet && states.every((state) => state === 'stopped');
      if (still) this.#guardian?.set(0, false);
      this.#network.close();
      this.#monitor.close();
      this.#api.close();
      this.#timeline.close();
      this.#end();
    });
  }

  status(): HostStatus {
    const now = this.#clock();
    const cluster: ClusterStatus = this.#control.status(now);
    const volumes = Object.fromEntries(
      [...this.#volumes].map(([name, { stats }]) => [name, stats]),
    );
    return {
      node: this.#self.name,
      cluster: this.#options.config.name,
      build: this.#options.build,
      boot: this.#boot,
      session: this.#session,
      now,
      processes: {
        core: ownIdentity(),
        monitor: this.#monitor.process,
        guardian: this.#guard?.guardian.process ?? null,
        monitorRestarts: this.#monitor.restarts,
        coreRestarts: this.#guard?.coreRestarts ?? 0,
        guardianRestarts: this.#guard?.guardian.restarts ?? 0,
      },
      watchdog: this.#self.watchdog,
      guard: this.#guardState(),
      names: Object.fromEntries(this.#options.config.nodes.map(({ id, name }) => [id, name])),
      status: cluster,
      applications: [...this.#applications.values()],
      control: { ...this.#network.counters },
      otherConfig: this.#network.differing,
      config: this.#options.config,
      fileDiffers: this.#hostConfig.fileDiffers,
      places: this.#hostConfig.places,
      volumes,
      ...this.#spills(),
      ...partsOf(this.#options.config, this.#self.id),
      timelineFailures: this.#timeline.failures,
    };
  }

  #spills(): Pick<HostStatus, 'spills'> {
    const known = [...this.#volumes].filter(([, { spills }]) => spills.length > 0);
    if (known.length === 0) return {};
    return { spills: Object.fromEntries(known.map(([name, { spills }]) => [name, spills])) };
  }

  #guardState(): GuardState {
    const { watchdog } = this.#self;
    const longest = this.#options.config.timing.watchdog;
    const page = this.#guardian?.read() ?? null;
    return judgeGuard(page, { watchdog, longest, now: this.#clock() });
  }

  #enqueue(input: ControlInput): void {
    this.#inputs.push(input);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#step());
  }

  #step(): void {
    this.#scheduled = false;
    if (this.#stopping) return;
    const inputs = this.#inputs;
    this.#inputs = [];
    for (const decision of this.#control.step(inputs, this.#clock())) this.#carryOut(decision);
  }

  #carryOut(decision: ControlDecision): void {
    switch (decision.kind) {
      case 'send':
        this.#network.send(decision.to, decision.link, decision.message);
        return;
      case 'persist':
        this.#store.persist(decision.token, decision.durable);
        return;
      case 'wake-at':
        this.#wakeAt(decision.at);
        return;
      case 'guardian':
        this.#guardian?.set(Math.max(0, decision.until), decision.armed);
        return;
      case 'to-data':
        this.#volumes.get(decision.volume)?.send(decision.command);
        return;
      case 'application':
        this.#orders.give(decision);
        return;
      case 'event':
        this.#timeline.write(decision.event);
        return;
      case 'prepare': {
        const { version, changes, done } = decision;
        void this.#hostConfig.prepare(version, changes, done).then((reason) => {
          if (reason !== this.#waits) this.#exits.log('warn', 'config-waits', { version, reason });
          this.#waits = reason;
          this.#enqueue({ kind: 'prepared', version, reason });
        });
        return;
      }
      case 'config-taken':
        try {
          this.#hostConfig.took(decision.version, decision.changes);
        } catch (error) {
          this.#exits.log('warn', 'config-lineage', { reason: reasonOf(error) });
        }
        return;
      case 'restart-core':
        this.#restart(decision.why);
        return;
      case 'answer':
        this.#answers.get(decision.id)?.(decision.answer);
        this.#answers.delete(decision.id);
    }
  }

  #restart(why: 'lost-path' | 'config'): void {
    // The last thing on it is why.
    this.#timeline.close();
    this.#exits.restart(RESTARTS[why]);
  }

  #wakeAt(at: Micros): void {
    if (this.#wake !== null) clearTimeout(this.#wake);
    const wait = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil((at - this.#clock()) / 1000)));
    this.#wake = setTimeout(() => {
      this.#wake = null;
      // Timers may fire a little early, and long waits come in pieces.
      if (this.#clock() < at) this.#wakeAt(at);
      else this.#enqueue({ kind: 'wake' });
    }, wait);
  }

  #hear(message: MonitorMessage): void {
    switch (message.kind) {
      case 'application':
        this.#applications.set(message.group, message);
        this.#enqueue(message);
        return;
      case 'beat':
        this.#guard = message;
        return;
      case 'shut-down':
        this.stop({ quiet: message.quiet });
        return;
      case 'hello':
        this.#exits.log('info', 'monitor-connected', { pid: message.process.pid });
        this.#orders.repeat();
    }
  }

  #ask(command: OperatorCommand): Promise<OperatorAnswer> {
    this.#answerIds += 1;
    const id = this.#answerIds;
    return new Promise((resolve) => {
      const limit = setTimeout(() => {
        this.#answers.delete(id);
        const remedy = 'see understudy status; the command may still take effect';
        resolve({ ok: false, reason: 'no answer within 30 s', remedy });
      }, ANSWER_LIMIT_MS);
      this.#answers.set(id, (answer) => {
        clearTimeout(limit);
        resolve(answer);
      });
      this.#enqueue({ kind: 'operator', id, command });
    });
  }

  async #startVolumes(key: Uint8Array, threads: IdleThread[]): Promise<void> {
    const { config, node, dataFolder, build } = this.#options;
    const { log, stopAtOnce, refuse } = this.#exits;
    for (const [index, volume] of config.volumes.entries()) {
      if (!volume.replicas.some((replica) => replica.node === node)) continue;
      const others = volume.replicas.map((replica) => replica.node).filter((id) => id !== node);
      const start = {
        volume,
        before: this.#hostConfig.before?.volumes[index] ?? null,
        conversion: join(dataFolder, conversionFileName(volume.name)),
        node,
        boot: this.#boot,
        session: this.#session,
        key,
        listen: await this.#replicationAddress(node, index),
        peers: await Promise.all(others.map((id) => this.#replicationAddress(id, index))),
        flight: join(dataFolder, flightFileName(volume.name)),
        memory: join(dataFolder, memoryFileName(volume.name)),
        build,
      };
      const data = new DataVolume(start, threads.shift(), loadNative().wake, {
        started: (name, away) => {
          if (away === '') log('info', 'volume-started', { volume: name });
          else log('warn', 'replica-unreachable', { volume: name, reason: away });
          this.#enqueue({ kind: 'data-started', volume: name });
        },
        report: (report) => {
          if (report.kind === 'event') this.#timeline.write(report.event);
          else this.#enqueue({ kind: 'data', report });
        },
        faulted: (name, fault) => log('error', 'disk-fault', { volume: name, fault }),
        refused: refuse,
        broke: stopAtOnce,
      });
      this.#volumes.set(volume.name, data);
    }
  }

  /** Volumes share a node's address: the n-th of the configuration uses its port + n. */
  async #replicationAddress(id: NodeId, index: number): Promise<PeerAddress> {
    const node = this.#options.config.nodes.find((each) => each.id === id);
    const { host, port } = parseAddress(node?.replication ?? '');
    if (isIP(host) !== 0) return { node: id, host, port: port + index };
    try {
      const { address } = await lookup(host);
      return { node: id, host: address, port: port + index };
    } catch {
      throw new HostError(
        `the replication address ${host} of node "${node?.name}" has no IP address`,
        'give a numeric address in the configuration, or mend the name service',
      );
    }
  }
}
