/**
 * Carries out a schedule of faults on a world: resolves roles when a fault fires, undoes it when it
 * ends, and undoes everything that is left when the world is to heal.
 */
import type { NodeId } from '../../engine/core/units.ts';
import type { Connection } from './connection.ts';
import type { Datagrams } from './datagrams.ts';
import { DiskFaults } from './disk-faults.ts';
import {
  BY_CHANCE,
  type Fault,
  type FaultKind,
  INSTANT,
  type Links,
  type Moment,
  type Role,
} from './fault.ts';
import type { SimHost } from './host.ts';
import { type Kernel, Kind } from './kernel.ts';
import { Order } from './operators.ts';
import { ReadFaults } from './read-faults.ts';

/** What the driver needs of the world. */
export interface FaultWorld {
  readonly kernel: Kernel;
  readonly hosts: readonly SimHost[];
  readonly connections: readonly Connection[];
  readonly datagrams: Datagrams;
  host(node: NodeId): SimHost;
  /** Whether the replica says that its disk has failed, or its data do not fit its peer's. */
  ailment(leg: number): 'none' | 'failed' | 'refused';
  /** Whether the replica is well, and has what the volume has: an outdated one is no copy. */
  isCopy(leg: number): boolean;
  /** Whether the replica stays refused, and the log does without it: its disk may be taken out. */
  isSpare(leg: number): boolean;
  /** The replica's disk, whose host is off, is replaced by an empty one. */
  replaceDisk(leg: number): void;
  /** Whether the replica's host leads its volume. */
  leads(leg: number): boolean;
  /** The host that runs the first group now, or ran it last; 0 before the first start. */
  primary(): NodeId;
}

/** A whole guest stood still, in world time. */
export interface Freeze {
  readonly node: NodeId;
  readonly from: number;
  /** Infinity while it lasts. */
  until: number;
  readonly clockStops: boolean;
}

/** Facts about the faults so far, for the table of laws. */
export interface FaultFacts {
  readonly freezes: Freeze[];
  /** Largest clock rate error so far. */
  ppm: number;
  /** Voters that lost their durable state. */
  readonly wiped: Set<NodeId>;
}

interface Active {
  readonly fault: Fault;
  readonly nodes: readonly NodeId[];
  readonly peers: readonly NodeId[];
  since: number;
  /** How often the disk was struck before the fault; -1 when it has been counted already. */
  before: number;
}

/** What a fault that waits for its moment fires within, or not at all. */
const PATIENCE = 15_000_000;
/** A fault on a moment strikes within this: at once, or in what follows. */
const AIM = 1_500;
const AIM_LATE = 80_000;
/** One on a write strikes while it is under way. */
const AIM_WRITE = 350;

/** How often a person looks at the status of every host when all faults are over, and when. */
const LOOKS = 7;
const LOOK_EVERY = 2_000_000;

/** What is ordered of whoever leads the log. */
const ORDERS: { readonly [kind in FaultKind]?: number } = {
  resolve: Order.Resolve,
  'take-back': Order.TakeBack,
  'take-over': Order.TakeOver,
  'add-replica': Order.AddReplica,
  'remove-replica': Order.RemoveReplica,
  'replace-replica': Order.ReplaceReplica,
  'grow-volume': Order.GrowVolume,
};

export class FaultDriver {
  /** How often each kind of fault struck something. */
  readonly fired = new Map<string, number>();
  readonly facts: FaultFacts = { freezes: [], ppm: 0, wiped: new Set() };
  readonly #world: FaultWorld;
  readonly #faults: readonly Fault[];
  readonly #active: (Active | null)[];
  readonly #waiting: { fault: number; until: number; left: number }[] = [];
  readonly #rng;
  readonly #reads = new ReadFaults();
  readonly #disks: DiskFaults;
  #over = false;

  constructor(world: FaultWorld, faults: readonly Fault[]) {
    this.#world = world;
    this.#faults = faults;
    this.#active = faults.map(() => null);
    this.#rng = world.kernel.rng(77);
    this.#disks = new DiskFaults(world);
  }

  /** Queues the schedule. */
  start(): void {
    const { queue } = this.#world.kernel;
    for (const [index, fault] of this.#faults.entries()) {
      queue.push(fault.at, Kind.Fault, index, 0);
      if (fault.kind !== 'old-disk') continue;
      queue.a[queue.push(Math.max(0, fault.at - fault.age), Kind.Fault, index, 0)] = 3;
    }
  }

  /**
   * Carries out a Fault entry: 0 its time has come, 1 it ends, 2 its moment has come, 3 a disk is
   * as it will come back, 4 a person looks after the hosts when all is over, 5 and at what their
   * status says that it waits for.
   */
  entry(index: number, phase: number): void {
    if (phase === 4) this.#disks.mend();
    if (phase === 5) for (const host of this.#world.hosts) this.#order(Order.DropBranch, host);
    if (this.#over) return;
    if (phase === 3) {
      this.#disks.remember(index);
      return;
    }
    const fault = this.#faults[index] as Fault;
    if (phase === 1) this.#end(index);
    else if (phase === 0 && fault.when !== 'at-once') {
      const until = this.#world.kernel.now + PATIENCE;
      this.#waiting.push({ fault: index, until, left: fault.nth });
    } else this.#begin(index, fault);
  }

  /** Something that faults wait for happens now; on `node`, where it is that node's own. */
  moment(moment: Moment, node: NodeId = 0): void {
    if (this.#waiting.length === 0) return;
    const { queue, now } = this.#world.kernel;
    for (let i = this.#waiting.length - 1; i >= 0; i -= 1) {
      const waiting = this.#waiting[i] as { fault: number; until: number; left: number };
      const { fault, until } = waiting;
      const waits = this.#faults[fault] as Fault;
      if (waits.when !== moment || (node !== 0 && this.#resolve(waits.target) !== node)) continue;
      waiting.left -= 1;
      if (waiting.left > 0 && until >= now) continue;
      this.#waiting.splice(i, 1);
      if (until < now) continue;
      // The operation of a disk that is about to end is struck before it does.
      if (waits.after === 0 && moment === 'meta-write') {
        this.#begin(fault, waits);
        continue;
      }
      if (waits.after !== BY_CHANCE) {
        queue.a[queue.push(now + waits.after, Kind.Fault, fault, 0)] = 2;
        continue;
      }
      const aim = moment === 'write' ? AIM_WRITE : this.#rng.chance(500_000) ? AIM : AIM_LATE;
      const entry = queue.push(now + this.#rng.below(aim), Kind.Fault, fault, 0);
      queue.a[entry] = 2;
    }
  }

  /** Ends every fault; none comes after. */
  heal(): void {
    for (let i = 0; i < this.#active.length; i += 1) this.#end(i);
    this.#over = true;
    for (const host of this.#world.hosts) host.powerOn();
    this.#disks.healed();
    this.#willLook();
    this.#world.kernel.worldEvent(0, 'fault.healed', {});
  }

  /** A branch that holds a copy up is a person's to drop (docs/decisions/0036). */
  #willLook(): void {
    const { kernel, hosts } = this.#world;
    if (!hosts.some(({ legs }) => legs.some(({ disk }) => disk.side.media.length > 0))) return;
    for (let look = 1; look <= LOOKS; look += 1) {
      kernel.queue.a[kernel.queue.push(kernel.now + look * LOOK_EVERY, Kind.Fault, 0, 0)] = 5;
    }
  }

  #begin(index: number, fault: Fault): void {
    if (this.#active[index] !== null) return;
    const nodes = this.#nodes(fault);
    if (nodes.length === 0) return;
    // Nobody takes the only copy away.
    if (fault.kind === 'new-disk' && !this.#isSpare(nodes[0] as NodeId)) return;
    const peers = this.#peers(fault, nodes[0] as NodeId);
    const { kernel } = this.#world;
    const active = { fault, nodes, peers, since: kernel.now, before: -1 };
    // One that finds nothing to strike, a kill of what is dead, has tested nothing.
    const strikes = nodes.some((node) => this.#strikes(fault, this.#world.host(node)));
    const before = this.#disks.struck(fault, nodes);
    this.#apply(active, true);
    if (before < 0 ? strikes : this.#disks.struck(fault, nodes) > before) this.#count(fault);
    else active.before = before;
    kernel.worldEvent(nodes.length === 1 ? (nodes[0] as NodeId) : 0, `fault.${fault.kind}`, {
      fault: index,
      for: fault.for,
      peer: peers.length === 1 ? (peers[0] as NodeId) : 0,
      links: fault.links,
      ways: fault.ways,
      cache: fault.cache,
      ppm: fault.ppm,
      area: fault.area,
      age: fault.age,
      ...(fault.part === undefined ? {} : { part: fault.part }),
    });
    if (INSTANT.has(fault.kind)) return;
    this.#active[index] = active;
    if (fault.for === 0) return;
    const entry = kernel.queue.push(kernel.now + fault.for, Kind.Fault, index, 0);
    kernel.queue.a[entry] = 1;
  }

  #end(index: number): void {
    const active = this.#active[index];
    if (active === null || active === undefined) return;
    this.#active[index] = null;
    this.#apply(active, false);
    const { fault, nodes, before } = active;
    if (before >= 0 && this.#disks.struck(fault, nodes) > before) this.#count(fault);
    const { kernel } = this.#world;
    kernel.worldEvent(active.nodes.length === 1 ? (active.nodes[0] as NodeId) : 0, 'fault.over', {
      fault: index,
      kind: active.fault.kind,
    });
  }

  #apply(active: Active, on: boolean): void {
    const { fault, nodes, peers } = active;
    for (const node of nodes) {
      const host = this.#world.host(node);
      switch (fault.kind) {
        case 'cut':
        case 'clog':
        case 'loss':
          for (const peer of peers) this.#network(fault, node, peer, on);
          break;
        case 'power-off':
        case 'reboot':
        case 'power-off-hosts':
        case 'power-off-all':
          if (on) host.powerOff(fault.cache);
          else host.powerOn();
          break;
        case 'wipe':
          if (on) {
            host.powerOff(fault.cache);
            host.store.wipe();
            this.facts.wiped.add(node);
          } else host.powerOn();
          break;
        case 'lose-folder':
          host.store.wipe();
          this.facts.wiped.add(node);
          host.killCore();
          break;
        case 'kill-core':
          host.killCore();
          break;
        case 'kill-monitor':
          host.killMonitor();
          break;
        case 'pause-core':
          host.pauseCore(on);
          break;
        case 'freeze':
          this.#freeze(active, host, on);
          break;
        case 'clock-rate':
          host.setClockRate(on ? fault.ppm : 0);
          this.facts.ppm = Math.max(this.facts.ppm, Math.abs(fault.ppm));
          break;
        case 'switch':
          this.#switch(host);
          break;
        case 'verify':
          this.#order(Order.Verify, host);
          break;
        case 'quiesce':
          this.#order(on ? Order.Quiesce : Order.Resume, host);
          break;
        case 'return':
          this.#order(Order.Return, host);
          break;
        case 'read-error':
          if (on) this.#reads.begin(fault, host, this.#twin(fault, node));
          // It is found by whoever reads, or by nobody.
          else if (this.#reads.end(fault)) this.#count(fault);
          break;
        case 'old-disk':
          if (on) {
            host.powerOff(fault.cache);
            this.#disks.giveBack(this.#faults.indexOf(fault), fault, host);
          } else host.powerOn();
          break;
        case 'new-disk':
          if (on) {
            host.powerOff(fault.cache);
            for (const { index } of host.legs) this.#world.replaceDisk(index);
          } else host.powerOn();
          break;
        case 'resolve':
        case 'take-back':
        case 'take-over':
        case 'add-replica':
        case 'remove-replica':
        case 'replace-replica':
        case 'grow-volume':
          this.#resolveBy(fault, node);
          break;
        case 'lying-flush':
        case 'lost-write':
        case 'misdirected-write':
        case 'stale-read':
        case 'write-error':
        case 'disk-stall':
        case 'bit-rot':
        case 'path-loss':
          this.#disks.apply(fault, host, on);
          break;
      }
    }
  }

  /** Whether the fault changes anything for the host as it is now. */
  #strikes(fault: Fault, host: SimHost): boolean {
    switch (fault.kind) {
      case 'kill-core':
      case 'lose-folder':
      case 'pause-core':
        return host.coreAlive();
      case 'kill-monitor':
        return host.monitorAlive();
      case 'switch':
      case 'resolve':
      case 'take-back':
      case 'take-over':
      case 'add-replica':
      case 'remove-replica':
      case 'replace-replica':
      case 'grow-volume':
        return this.#leader() !== 0;
      case 'verify':
      case 'quiesce':
        return host.coreAlive() && host.legs.some(({ index }) => this.#world.leads(index));
      case 'return':
        return host.coreAlive() && host.legs.length > 0;
      case 'freeze':
        return host.power && !host.frozen;
      case 'read-error':
        return false;
      default:
        return host.power;
    }
  }

  #isSpare(node: NodeId): boolean {
    return this.#world.host(node).legs.every(({ index }) => this.#world.isSpare(index));
  }

  #count({ kind }: Fault): void {
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1);
  }

  /** The host whose disk suffers in the same places. */
  #twin(fault: Fault, node: NodeId): SimHost | null {
    const peer = fault.peer === 0 ? 0 : this.#resolve(fault.peer);
    return peer === 0 || peer === node ? null : this.#world.host(peer);
  }

  #freeze(active: Active, host: SimHost, on: boolean): void {
    const { now } = this.#world.kernel;
    const { node } = host;
    const { clockStops } = active.fault;
    const { freezes } = this.facts;
    if (!on) {
      host.thaw();
      for (const freeze of freezes) {
        if (freeze.node === node && freeze.until > now) freeze.until = now;
      }
      return;
    }
    if (host.power && !host.frozen) {
      freezes.push({ node, from: now, until: Number.POSITIVE_INFINITY, clockStops });
    }
    host.freeze(clockStops);
  }

  #switch(host: SimHost): void {
    const { queue, now } = this.#world.kernel;
    const leader = this.#leader();
    if (leader === 0) return;
    const entry = queue.push(now, Kind.Operator, leader, 0);
    queue.a[entry] = host.node;
  }

  /** A person asks something of the host. */
  #order(what: number, host: SimHost): void {
    const { queue, now } = this.#world.kernel;
    queue.b[queue.push(now, Kind.Operator, host.node, 0)] = what;
  }

  /**
   * A person orders, of whoever leads the log, that the host's data be kept, or takes it back; or
   * that it lead.
   */
  #resolveBy({ kind, ppm }: Fault, keep: NodeId): void {
    const { queue, now } = this.#world.kernel;
    const leader = this.#leader();
    if (leader === 0) return;
    const entry = queue.push(now, Kind.Operator, leader, 0);
    queue.a[entry] = keep;
    queue.b[entry] = ORDERS[kind] ?? Order.TakeOver;
    queue.c[entry] = ppm;
  }

  #network(fault: Fault, node: NodeId, peer: NodeId, on: boolean): void {
    const out = fault.ways !== 'in';
    const into = fault.ways !== 'out';
    const { datagrams, connections } = this.#world;
    for (let link = 0; link < datagrams.links; link += 1) {
      if (!concerns(fault.links, link)) continue;
      if (out) this.#datagram(fault, node, peer, link, on);
      if (into) this.#datagram(fault, peer, node, link, on);
    }
    if (fault.links !== 'all' && fault.links !== 'replication') return;
    for (const connection of connections) {
      const side = connection.ends.findIndex((end) => end.node === node);
      if (side < 0 || (connection.ends[1 - side] as { node: number }).node !== peer) continue;
      if (out) this.#stream(fault, connection, side, on);
      if (into) this.#stream(fault, connection, 1 - side, on);
    }
  }

  #datagram(fault: Fault, from: NodeId, to: NodeId, link: number, on: boolean): void {
    const { datagrams } = this.#world;
    if (fault.kind === 'cut') datagrams.cut(from, to, link, on);
    else if (fault.kind === 'clog') datagrams.clog(from, to, link, on);
    else datagrams.lose(from, to, link, on ? fault.ppm : -fault.ppm);
  }

  #stream(fault: Fault, connection: Connection, side: number, on: boolean): void {
    if (fault.kind === 'cut') connection.cut(side, on);
    // Losses on a stream are delays: it stands still now and then, until something gets through.
    else connection.clog(side, on);
  }

  #nodes(fault: Fault): NodeId[] {
    const { hosts } = this.#world;
    if (fault.kind === 'power-off-all') return hosts.map(({ node }) => node);
    if (fault.kind === 'power-off-hosts') {
      return hosts.filter(({ config }) => !config.witness).map(({ node }) => node);
    }
    const node = this.#resolve(fault.target);
    return node === 0 ? [] : [node];
  }

  #peers(fault: Fault, node: NodeId): NodeId[] {
    if (fault.peer !== 0) {
      const peer = this.#resolve(fault.peer);
      if (peer !== 0 && peer !== node) return [peer];
    }
    return this.#world.hosts.filter((host) => host.node !== node).map((host) => host.node);
  }

  #resolve(target: NodeId | Role): NodeId {
    if (typeof target === 'number') return target;
    const { hosts } = this.#world;
    switch (target) {
      case 'witness':
        return hosts.find(({ config }) => config.witness)?.node ?? 0;
      case 'leader':
        return this.#leader();
      default: {
        const primary = this.#world.primary();
        if (target === 'primary' && primary !== 0) return primary;
        const other = hosts.find(({ node, config }) => !config.witness && node !== primary);
        return other?.node ?? 0;
      }
    }
  }

  #leader(): NodeId {
    const { hosts, kernel } = this.#world;
    let leader = 0;
    let highest = -1;
    for (const { control, clock } of hosts) {
      const status = control?.status(clock.at(kernel.now));
      if (status === undefined || status.leader === 0 || status.term <= highest) continue;
      highest = status.term;
      leader = status.leader;
    }
    return leader;
  }
}

function concerns(links: Links, link: number): boolean {
  if (links === 'all' || links === 'control') return true;
  return (links === 'control-1' && link === 0) || (links === 'control-2' && link === 1);
}
