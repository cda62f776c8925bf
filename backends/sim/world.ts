/**
 * A simulated cluster in one thread: hosts, disks, links, clients and faults on one queue, from one
 * seed. Same configuration, schedule and seed, same run, bit for bit. A world may be used for many
 * runs; what is large is kept from one to the next.
 */
import { servedOf } from '../../engine/cluster/changes.ts';
import type { ClusterStatus } from '../../engine/cluster/interface.ts';
import type { ClusterConfig, VolumeConfig } from '../../engine/core/config.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import type { DataCommand, DataReport } from '../../engine/data/messages.ts';
import type { Actors } from './actors.ts';
import type { MonitorOrder, MonitorWord } from './applications.ts';
import { ArrayPool } from './arrays.ts';
import { plant } from './canaries.ts';
import { Client, type Workload } from './client.ts';
import { Connection, DEFAULT_STREAM_TIMING } from './connection.ts';
import { Datagrams, DEFAULT_DATAGRAM_TIMING } from './datagrams.ts';
import { SECTOR_BYTES, SimDisk } from './disk.ts';
import { DiskIlls } from './disk-ills.ts';
import { DEFAULT_DISK_LATENCY, diskSize, partSpans } from './disk-options.ts';
import type { Fault } from './fault.ts';
import { FaultDriver, type FaultWorld } from './fault-driver.ts';
import { History, Request } from './history.ts';
import { SimHost } from './host.ts';
import { addedNodes, type DiskSwap, HostConfigs, withRoom } from './host-configs.ts';
import { Kernel, Kind, Stream } from './kernel.ts';
import { LatentErrors } from './latent-errors.ts';
import { SIM_LAYOUT, SLOT_SECTORS } from './leg-host.ts';
import { Operators } from './operators.ts';
import { checkHealed, nodesBehind } from './oracle/heals.ts';
import { VolumeOracles } from './oracle/oracles.ts';
import type { ReplicaTruth } from './oracle/truth.ts';
import { Verdict } from './oracle/verdict.ts';
import type { Judge, RunOutcome } from './outcome.ts';
import { PacketPool } from './packets.ts';
import { Spoils } from './spoils.ts';
import { SummedBlocks } from './summed.ts';
import { truthOf } from './true-replicas.ts';
import { SimLeg } from './volume.ts';
import { WorldWatch } from './world-watch.ts';
import { Zeroes } from './zeroes.ts';

/** One run. */
export interface RunSetup {
  readonly config: ClusterConfig;
  readonly seed: number;
  readonly workload: Workload;
  readonly faults: readonly Fault[];
  /** World times: all faults end, the clients stop, the run is judged. */
  readonly healAt: number;
  readonly calmAt: number;
  readonly endAt: number;
  readonly canaries: ReadonlySet<string>;
  readonly timeline: boolean;
  /** Ends the run at the first broken law. */
  readonly stopAtFirst: boolean;
  readonly judge: Judge;
}

/** So many entries within one microsecond mean that somebody answers himself for ever. */
const LIVELOCK = 100_000;

export class World implements FaultWorld {
  readonly kernel = new Kernel();
  hosts: readonly SimHost[] = [];
  connections: readonly Connection[] = [];
  datagrams: Datagrams;
  clients: readonly Client[] = [];
  readonly #actors: Actors;
  readonly #pool = new ArrayPool();
  readonly #packets = new PacketPool(SLOT_SECTORS);
  readonly #memories: DataMemory[] = [];
  readonly #histories: History[] = [];
  #legs: readonly SimLeg[] = [];
  #byNode: (SimHost | undefined)[] = [];
  #oracles: readonly VolumeOracles[] = [];
  #driver: FaultDriver;
  #watch: WorldWatch;
  #operators = new Operators('', []);
  #configs: HostConfigs | null = null;

  constructor(actors: Actors) {
    this.#actors = actors;
    this.datagrams = new Datagrams(this.kernel, 1, 1, DEFAULT_DATAGRAM_TIMING);
    this.#driver = new FaultDriver(this, []);
    this.#watch = new WorldWatch(this.kernel);
  }

  host(node: number): SimHost {
    return this.#byNode[node] as SimHost;
  }

  ailment(leg: number): 'none' | 'failed' | 'refused' {
    const { volume, side } = this.#legs[leg] as SimLeg;
    const replica = this.#oracles[volume]?.truth.replicas[side];
    if (replica === undefined || replica.state === 'Failed') return 'failed';
    const serves = replica.role === 'Primary' || replica.role === 'Suspended';
    return replica.link === 'Refused' && !serves ? 'refused' : 'none';
  }

  isCopy(leg: number): boolean {
    const { volume, side } = this.#legs[leg] as SimLeg;
    const state = this.#oracles[volume]?.truth.replicas[side]?.state ?? '';
    return this.ailment(leg) === 'none' && (state === 'UpToDate' || state === 'Consistent');
  }

  leads(leg: number): boolean {
    const { volume, side } = this.#legs[leg] as SimLeg;
    const role = this.#oracles[volume]?.truth.replicas[side]?.role;
    return role === 'Primary' || role === 'Suspended';
  }

  isSpare(leg: number): boolean {
    const { volume, side, node } = this.#legs[leg] as SimLeg;
    const { record, replicas } = (this.#oracles[volume] as VolumeOracles).truth;
    const member = record?.members.some((each) => each.node === node) ?? true;
    return !member && this.ailment(leg) === 'refused' && replicas[1 - side]?.role === 'Primary';
  }

  /** What the disk of `leg` becomes as its host takes another configuration into use. */
  #changes(leg: SimLeg): DiskSwap {
    const oracles = this.#oracles[leg.volume] as VolumeOracles;
    return {
      replace: (volume, path) => {
        this.replaceDisk(leg.index, volume);
        const replica = oracles.truth.replicas[leg.side] as ReplicaTruth;
        replica.isEarlier = path !== '' && leg.disk.shelf.take(path);
        [replica.heldUntil, replica.copiedUntil, replica.leftAt] = [0, 0, -1];
      },
      giveUp: () => oracles.givenUp(oracles.truth.replicas[leg.side] as ReplicaTruth),
    };
  }

  replaceDisk(leg: number, volumeNow: VolumeConfig | null = null): void {
    const { disk, volume, node } = this.#legs[leg] as SimLeg;
    const { truth, wayBack } = this.#oracles[volume] as VolumeOracles;
    const made = volumeNow ?? this.#configs?.volumeOf(leg) ?? truth.config;
    for (const replica of truth.replicas) if (replica.node === node) wayBack.forget(replica);
    disk.shelf.another();
    const pages = this.#actors.replacement(made, node, this.kernel.now);
    for (const { page, bytes } of pages) disk.format(page, bytes);
  }

  primary(): number {
    return this.#watch.primary;
  }

  /** Does one run from power-on to judgement. */
  run(setup: RunSetup): RunOutcome {
    const { kernel } = this;
    kernel.reset(setup.seed, setup.timeline);
    this.#packets.reset();
    this.#build(setup);
    for (const host of this.hosts) host.powerOn();
    this.#driver.start();
    kernel.queue.push(setup.healAt, Kind.Heal, 0, 0);
    kernel.queue.push(setup.calmAt, Kind.Calm, 0, 0);
    for (const client of this.clients) client.start();
    this.#loop(setup);
    if (!(setup.stopAtFirst && this.#watch.broken)) this.#judgeEnd(setup);
    return this.#watch.outcome(setup, this.#driver, this.clients, this.#oracles);
  }

  // --- building ----------------------------------------------------------------------------------

  #build(setup: RunSetup): void {
    const config = withRoom(setup.config, setup.faults);
    const { kernel } = this;
    const highest = Math.max(...config.nodes.map(({ id }) => id));
    const links = Math.max(...config.nodes.map(({ control }) => control.length));
    this.datagrams = new Datagrams(kernel, highest + 1, links, DEFAULT_DATAGRAM_TIMING);
    this.#driver = new FaultDriver(this, setup.faults);
    const watch = new WorldWatch(kernel);
    this.#watch = watch;
    const verdict = new Verdict(
      () => kernel.now,
      (law, nodes) => {
        const moment = { t: kernel.now, nodes };
        return setup.judge(law, this.#driver.facts, watch.facts, moment);
      },
      (finding) => watch.found(finding),
    );
    const groups = config.groups.map(({ name }) => name);
    this.hosts = config.nodes.map(
      (node) => new SimHost(kernel, node, groups, config.timing, this.datagrams, watch),
    );
    this.#byNode = [];
    for (let node = 0; node <= highest; node += 1) this.#byNode.push(undefined);
    for (const host of this.hosts) this.#byNode[host.node] = host;
    const legs: SimLeg[] = [];
    const clients: Client[] = [];
    const oracles: VolumeOracles[] = [];
    const connections: Connection[] = [];
    const configs = new HostConfigs(kernel, config, this.#actors, setup.canaries, setup.healAt);
    this.#configs = configs;
    const added = addedNodes(config, setup.faults);
    for (const [index, volume] of config.volumes.entries()) {
      const spoils = new Spoils();
      const history = this.#history(index);
      const holders = volume.replicas.map(({ node }) => node);
      const nodes = index === 0 ? [...holders, ...added] : holders;
      const pair = nodes.map((node) => this.#leg(legs, index, volume, node, spoils));
      this.#connect(connections, pair);
      const group = config.groups.findIndex((candidate) => candidate.volume === volume.name);
      const ground = { kernel, configs, pool: this.#pool, host: (node: number) => this.host(node) };
      const truth = truthOf(index, volume, pair, history, ground);
      const name = config.groups[group]?.name ?? '';
      const own = new VolumeOracles(truth, name, this.#pool, this.#actors, verdict);
      oracles.push(own);
      clients.push(this.#client(setup, index, volume, pair, history, own, group));
    }
    this.#legs = legs;
    this.connections = connections;
    this.clients = clients;
    this.#oracles = oracles;
    this.datagrams.storm = (from, kind) =>
      verdict.find('LAW-no-panic', from, 'panic.storm', { kind });
    watch.wire(config, this.hosts, legs, clients, oracles, verdict, this.#driver);
    for (const host of this.hosts) this.#wire(setup, host, legs);
    const { name = '', nodes = [] } = config.groups[0] ?? {};
    this.#operators = new Operators(name, oracles, nodes.length);
    for (const host of this.hosts) {
      host.onAnswer = (id, answer) => this.#operators.answered(host, id, answer);
    }
  }

  #leg(legs: SimLeg[], at: number, volume: VolumeConfig, node: number, spoils: Spoils): SimLeg {
    const { kernel } = this;
    const leg = legs.length;
    const name = `${volume.name}.${leg}`;
    const size = diskSize(this.#actors, volume, node, SLOT_SECTORS);
    const disk = new SimDisk(
      name,
      this.#pool,
      node,
      size,
      DEFAULT_DISK_LATENCY,
      kernel.hash,
      kernel.rng(Stream.disk + leg),
      spoils,
      new DiskIlls((ill) => kernel.rng(Stream.ill + leg * 16 + ill)),
      new LatentErrors(() => kernel.rng(Stream.latent + leg)),
    );
    if (volume.checksums)
      disk.summed = new SummedBlocks(size.sectors, () => this.host(node).coreLife);
    const configs = this.#configs as HostConfigs;
    disk.places.read = (meta) => this.#actors.moved(configs.volumeOf(leg) ?? volume, node, meta);
    const holds = volume.replicas.some((replica) => replica.node === node);
    configs.begin(leg, node, holds ? volume : null);
    const pages = holds ? this.#actors.format(volume, node) : [];
    for (const { page, bytes } of pages) disk.format(page, bytes);
    this.#memories[leg] ??= new DataMemory(SIM_LAYOUT);
    const slots = SIM_LAYOUT.frontSlots + SIM_LAYOUT.peerSlots + SIM_LAYOUT.engineSlots;
    const stamps = this.#pool.ints(`${leg}.stamps`, slots * SLOT_SECTORS);
    const made = new SimLeg(
      leg,
      at,
      volume.name,
      this.host(node),
      disk,
      kernel,
      this.#packets,
      this.#watch,
      this.#memories[leg] as DataMemory,
      stamps,
      new Zeroes(this.#histories[at] ?? null, spoils),
    );
    made.semiSync = volume.mode === 'semi-sync';
    legs.push(made);
    return made;
  }

  /** Every two replicas of a volume are connected. */
  #connect(connections: Connection[], legs: readonly SimLeg[]): void {
    for (const [side, leg] of legs.entries()) {
      leg.side = side;
      for (const other of legs.slice(0, side)) {
        const index = connections.length;
        const ends = [other, leg] as const;
        const stream = Stream.connection + index;
        const { kernel } = this;
        const timing = DEFAULT_STREAM_TIMING;
        const made = new Connection(index, ends, kernel, this.#packets, timing, stream);
        connections.push(made);
        for (const [end, each] of ends.entries()) each.wires.all.push({ connection: made, end });
      }
    }
  }

  #history(index: number): History {
    this.#histories[index] ??= new History();
    const history = this.#histories[index] as History;
    history.reset();
    return history;
  }

  #client(
    setup: RunSetup,
    index: number,
    volume: VolumeConfig,
    pair: readonly SimLeg[],
    history: History,
    oracles: VolumeOracles,
    group: number,
  ): Client {
    return new Client(
      this.kernel,
      index,
      pair,
      (leg) => this.#watch.shownBy(leg.index) / SECTOR_BYTES,
      volume.logicalBlock,
      setup.workload,
      history,
      {
        invoked: (op) => {
          oracles.invoked(op);
          if (history.kind[op] === Request.Write) this.#driver.moment('write');
        },
        dropped: (op) => oracles.dropped(op),
        succeeded: (op, leg, base) => {
          const replica = oracles.truth.replicas[leg.side] as ReplicaTruth;
          oracles.succeeded(op, replica, leg.stamps, base);
        },
      },
      (leg) => this.#watch.welcomes(leg.index, group),
      partSpans(volume).map(({ end }) => end),
    );
  }

  #wire(setup: RunSetup, host: SimHost, legs: readonly SimLeg[]): void {
    const { canaries } = setup;
    const { kernel } = this;
    const configs = this.#configs as HostConfigs;
    const own = legs.filter((leg) => leg.node === host.node);
    plant(own, canaries);
    const reached = (mark: string): void => this.#watch.reached(mark);
    const { node } = host;
    const ground = () => ({
      config: configs.of(host.store.document).config,
      node,
      canaries,
      reached,
    });
    host.obstacle = (version, changes) => configs.obstacle(host, version, changes, own);
    host.wire(own, {
      control: () =>
        this.#actors.control({
          ...ground(),
          rng: kernel.rng(Stream.control + node * 64 + (host.starts & 63)),
        }),
      startLegs: (session, boot) => {
        for (const leg of own) {
          if (!host.coreAlive()) return;
          const rng = kernel.rng(Stream.data + leg.index * 64 + (host.starts & 63));
          const { document } = host.store;
          const volume = configs.ready(leg, configs.of(document), document, this.#changes(leg));
          if (volume === 'cut') {
            host.killCore();
            return;
          }
          if (volume === null) continue;
          this.#watch.begins(leg.index, servedOf(volume));
          host.input({ kind: 'data-started', volume: volume.name });
          leg.start((memory, mailboxes) =>
            this.#actors.data({ ...ground(), rng, volume, memory, mailboxes, boot, session }),
          );
        }
      },
    });
  }

  // --- running -----------------------------------------------------------------------------------

  #loop(setup: RunSetup): void {
    const { kernel } = this;
    const { queue } = kernel;
    const legs = this.#legs;
    let still = 0;
    while (queue.size > 0) {
      const time = queue.nextTime;
      if (time > setup.endAt) break;
      still = time === kernel.now ? still + 1 : 0;
      if (still > LIVELOCK) {
        const kind = queue.kind[queue.next] as number;
        this.#watch.verdict.find('LAW-no-panic', 0, 'panic.livelock', { kind });
        return;
      }
      kernel.now = time;
      const entry = queue.pop();
      if (this.#dispatch(entry)) queue.release(entry);
      // Everything of one microsecond reaches a data actor as one batch.
      if (queue.size > 0 && queue.nextTime === time) continue;
      for (let i = 0; i < legs.length; i += 1) {
        const leg = legs[i] as SimLeg;
        if (leg.waiting > 0) leg.run();
      }
      if (setup.stopAtFirst && this.#watch.broken) return;
    }
    kernel.now = setup.endAt;
  }

  /** Carries out one entry; false when it was kept for later. */
  #dispatch(entry: number): boolean {
    const { queue } = this.kernel;
    const target = queue.target[entry] as number;
    const guard = queue.guard[entry] as number;
    const a = queue.a[entry] as number;
    switch (queue.kind[entry]) {
      case Kind.Disk: {
        const leg = this.#legs[target] as SimLeg;
        if (leg.disk.life === guard) leg.diskDone(a);
        return true;
      }
      case Kind.Packet:
        (this.connections[target] as Connection).arrive(a, queue.b[entry] as number);
        return true;
      case Kind.Client:
        (this.clients[target] as Client).tick();
        return true;
      case Kind.Record:
      case Kind.Command:
      case Kind.DataTimer:
        return this.#forLeg(entry, this.#legs[target] as SimLeg, guard);
      case Kind.Report:
      case Kind.Wake:
      case Kind.Application:
      case Kind.Stored:
      case Kind.Operator:
        return this.#forCore(entry, this.host(target), guard);
      case Kind.Datagram:
        if (guard === 0) this.datagrams.arrived(a, target, queue.b[entry] as number);
        // Once arrived it only waits for its process.
        queue.guard[entry] = 1;
        return this.host(target).datagram(entry);
      case Kind.MonitorOrder:
      case Kind.MonitorTimer:
        return this.#forMonitor(entry, this.host(target), guard);
      case Kind.CoreStart:
        this.host(target).startCore(guard, a);
        return true;
      case Kind.MonitorStart:
        this.host(target).startMonitor(guard, a);
        return true;
      case Kind.Watchdog:
        this.#watchdog(this.host(target), guard);
        return true;
      case Kind.Boot:
        this.host(target).powerOn();
        return true;
      case Kind.Connect:
        (this.connections[target] as Connection).connect();
        return true;
      case Kind.Detect:
        (this.connections[target] as Connection).detect(a, queue.b[entry] as number);
        return true;
      case Kind.Fault:
        this.#driver.entry(target, a);
        return true;
      case Kind.Heal:
        this.#driver.heal();
        return true;
      default:
        for (const client of this.clients) client.stop();
        return true;
    }
  }

  #forLeg(entry: number, leg: SimLeg, guard: number): boolean {
    const host = this.host(leg.node);
    if (host.coreLife !== guard || !host.coreAlive()) return true;
    if (!host.coreRunning()) {
      host.park(entry);
      return false;
    }
    const { queue } = this.kernel;
    const kind = queue.kind[entry];
    if (kind === Kind.Record) leg.resume(entry);
    else if (kind === Kind.DataTimer) leg.timer();
    else leg.command(queue.objects[entry] as DataCommand);
    return true;
  }

  #forCore(entry: number, host: SimHost, guard: number): boolean {
    const { queue } = this.kernel;
    const kind = queue.kind[entry];
    const a = queue.a[entry] as number;
    // The document is durable whoever lives to hear of it; a parked entry has landed already.
    if (kind === Kind.Stored && queue.b[entry] === 0) {
      host.store.land();
      queue.b[entry] = 1;
    }
    if (!host.coreAlive() || (kind !== Kind.Operator && host.coreLife !== guard)) return true;
    if (!host.coreRunning()) {
      host.park(entry);
      return false;
    }
    switch (kind) {
      case Kind.Stored:
        host.input({ kind: 'persisted', token: a });
        break;
      case Kind.Report:
        host.input({ kind: 'data', report: queue.objects[entry] as DataReport });
        break;
      case Kind.Application:
        host.input(queue.objects[entry] as MonitorWord);
        break;
      case Kind.Operator:
        this.#order(host, entry);
        break;
      default:
        host.wake();
    }
    return true;
  }

  /** A person asks something of the host. */
  #order(host: SimHost, entry: number): void {
    const { a, b, c } = this.kernel.queue;
    const now = host.clock.at(this.kernel.now);
    this.#operators.order(b[entry] as number, host, a[entry] as number, c[entry] as number, now);
  }

  #forMonitor(entry: number, host: SimHost, guard: number): boolean {
    const { queue } = this.kernel;
    if (host.frozen) {
      host.parkGuest(entry);
      return false;
    }
    if (queue.kind[entry] === Kind.MonitorTimer) {
      const [a, b, c] = [queue.a[entry], queue.b[entry], queue.c[entry]];
      host.applications.timer(a as number, b as number, c as number);
    } else if (host.monitorAlive() && host.monitorLife === guard) {
      host.applications.order(queue.objects[entry] as MonitorOrder);
    }
    return true;
  }

  #watchdog(host: SimHost, guard: number): void {
    if (!host.guardian.look(guard)) return;
    const { kernel } = this;
    kernel.worldEvent(host.node, 'watchdog.reset', {});
    this.#watch.watchdogs += 1;
    host.powerOff('random');
    kernel.queue.push(kernel.now + 3_000_000, Kind.Boot, host.node, 0);
  }

  // --- judging -----------------------------------------------------------------------------------

  #judgeEnd(setup: RunSetup): void {
    const { verdict } = this.#watch;
    // Half of the time to heal for that, the other half to show it.
    const healed = (setup.healAt + setup.calmAt) / 2;
    for (const oracles of this.#oracles) {
      const { truth } = oracles;
      const client = this.clients[truth.index] as Client;
      if (client.inFlight > 0) {
        verdict.find('LAW-heals', 0, 'heals.request-stuck', {
          volume: truth.config.name,
          requests: client.inFlight,
        });
      }
      oracles.quiet();
      const group = setup.config.groups.find(({ volume }) => volume === truth.config.name);
      const blocked = group === undefined ? [] : this.#blocked(group.name);
      oracles.blocked = blocked.length > 0;
      const running = this.#watch.serving(truth.index);
      // A group that nobody configured has no state that anybody is told.
      const state = group === undefined ? 'online' : this.#stateOf(group.name, running[0] ?? 0);
      const name = group?.name ?? truth.config.name;
      const logLost = this.#driver.facts.wiped.size * 2 >= setup.config.nodes.length;
      const status = (host: SimHost) => host.control?.status(host.clock.at(this.kernel.now));
      const behind = nodesBehind(this.hosts.map((h) => ({ node: h.node, ...status(h)?.config })));
      const healthy = { name, volume: truth.index, running, state, blocked, logLost, behind };
      if (checkHealed(truth, healthy, verdict) || client.doneAt >= healed) continue;
      verdict.find('LAW-heals', 0, 'heals.not-served', { volume: truth.config.name });
    }
  }

  #blocked(group: string): readonly string[] {
    return this.hosts.flatMap((host) => {
      const reason = this.#statusOf(group, host)?.blocked?.reason;
      return reason === undefined ? [] : [reason];
    });
  }

  #stateOf(group: string, node: number): string {
    const host = this.#byNode[node];
    return (host === undefined ? undefined : this.#statusOf(group, host)?.state) ?? '';
  }

  #statusOf(group: string, host: SimHost): ClusterStatus['groups'][number] | undefined {
    const status = host.control?.status(host.clock.at(this.kernel.now));
    return status?.groups.find((each) => each.group === group);
  }
}
