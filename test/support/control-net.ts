/**
 * A small network of control actors for tests: virtual time, hosts that lose power or only their
 * core, links that lose, delay and double messages, data actors that obey records, and monitors
 * that stop an application when its lease ends. It keeps its own books, apart from the engine:
 * `violations` names every law that was broken.
 */
import { Control } from '../../engine/cluster/control.ts';
import type {
  ControlDecision,
  ControlInput,
  Durable,
  OperatorAnswer,
  OperatorCommand,
} from '../../engine/cluster/interface.ts';
import { parseControlMessage } from '../../engine/cluster/message-parser.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { DEFAULT_TIMING } from '../../engine/core/config.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { DataCommand, DataReport, VolumeRecord } from '../../engine/data/messages.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';

export const VOLUME = 'data';
export const GROUP = 'shop';
export const MS = 1000;
export const S = 1_000_000;
/** More jobs than this at one instant are a loop. */
const TURNS_MAX = 20_000;

/** Two hosts and a witness, one group of one volume and one application. */
export function testConfig(change: Partial<ClusterConfig> = {}): ClusterConfig {
  const node = (id: number, name: string, witness: boolean) => ({
    id,
    name,
    witness,
    control: [`10.0.0.${id}:7400`, `10.0.1.${id}:7400`],
    replication: witness ? '' : `10.0.0.${id}:7401`,
    watchdog: witness ? 'none' : '/dev/watchdog',
  });
  return {
    name: 'test',
    nodes: [node(1, 'a', false), node(2, 'b', false), node(3, 'w', true)],
    volumes: [
      {
        name: VOLUME,
        uuid: '0123456789abcdef0123456789abcdef',
        sizeBytes: 16 * 1024 * 1024,
        logicalBlock: 4096,
        replicas: [
          { node: 1, path: '/a', meta: '' },
          { node: 2, path: '/b', meta: '' },
        ],
        nbd: [],
        activityLogExtents: 64,
      },
    ],
    groups: [
      {
        name: GROUP,
        volume: VOLUME,
        application: {
          start: 'start',
          stop: 'stop',
          check: 'check',
          checkEvery: S,
          startTimeout: 10 * S,
          stopTimeout: 10 * S,
        },
        nodes: [1, 2],
      },
    ],
    timing: DEFAULT_TIMING,
    ...change,
  };
}

/** A replica's disk and what its data actor has written there; `cached` is lost with the power. */
interface Disk {
  seen: number;
  generation: number;
  state: 'UpToDate' | 'Outdated' | 'Inconsistent';
  cached: number;
  flushed: number;
  wasPrimary: boolean;
}

interface Data {
  alive: boolean;
  record: VolumeRecord | null;
  until: number;
  primary: boolean;
  activeIn: number;
  /** Epoch in which it asked to let the peer in. */
  addingIn: number;
  demotedIn: number;
  wanted: string;
  syncedSince: number;
  /** Boot of the peer whose copy is being made. */
  syncedBoot: number;
}

interface App {
  state: 'stopped' | 'starting' | 'running' | 'stopping' | 'failed' | 'stop-failed';
  epoch: number;
  until: number;
  job: number;
}

export class Host {
  readonly node: number;
  powered = false;
  boot = 0;
  bootedAt = 0;
  offset = 0;
  ppm = 0;
  core: Control | null = null;
  coreLife = 0;
  session = 0;
  durable: Durable | null = null;
  queue: ControlInput[] = [];
  pausedUntil = -1;
  wake = 0;
  readonly disk: Disk = {
    seen: 0,
    generation: 7,
    state: 'UpToDate',
    cached: 0,
    flushed: 0,
    wasPrimary: false,
  };
  data: Data = newData();
  app: App = { state: 'stopped', epoch: 0, until: -1, job: 0 };
  /** How the application behaves here. */
  startFails = false;
  stopFails = false;
  guardian = { armed: false, until: -1 };

  constructor(node: number) {
    this.node = node;
  }
}

function newData(): Data {
  return {
    alive: false,
    record: null,
    until: -1,
    primary: false,
    activeIn: 0,
    addingIn: 0,
    demotedIn: 0,
    wanted: '',
    syncedSince: -1,
    syncedBoot: 0,
  };
}

interface Job {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export interface NetOptions {
  readonly seed: number;
  readonly config?: ClusterConfig;
  readonly canaries?: readonly string[];
  /** In a million, per message and link. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Most delay of a message, µs. */
  readonly delay?: number;
  readonly ppm?: readonly number[];
  /** Messages pass through JSON and the parser, as in production. */
  readonly wire?: boolean;
}

export class ControlNet {
  readonly config: ClusterConfig;
  readonly hosts: readonly Host[];
  readonly events: TimelineEvent[] = [];
  readonly violations: string[] = [];
  readonly marks = new Map<string, number>();
  readonly answers = new Map<number, OperatorAnswer>();
  now = 0;
  messages = 0;
  readonly #options: NetOptions;
  readonly #rng: Rng;
  #heap: Job[] = [];
  #order = 0;
  #turns = 0;
  /** "from to link" of directions that are cut. */
  #cuts = new Set<string>();
  #dataCut = false;
  #writes = 0;
  #acked = 0;
  #flushed = 0;
  /** Who has the last acknowledged write. */
  #holding: readonly number[] = [];
  #lostPower = new Set<number>();
  #leaders = new Map<number, number>();
  #committed = new Map<number, string>();

  constructor(options: NetOptions) {
    this.#options = options;
    this.config = options.config ?? testConfig();
    this.#rng = new Rng(options.seed, 999);
    this.hosts = this.config.nodes.map((node) => new Host(node.id));
    this.hosts.forEach((host, i) => {
      host.ppm = options.ppm?.[i] ?? 0;
    });
    for (const host of this.hosts) this.powerOn(host.node);
    this.#every(20 * MS, () => this.#dataTick());
  }

  host(node: number): Host {
    const host = this.hosts.find((h) => h.node === node);
    if (host === undefined) throw new Error(`no host ${node}`);
    return host;
  }

  // --- faults -------------------------------------------------------------------------------

  powerOn(node: number, blank: 'keep' | 'blank' = 'keep'): void {
    const host = this.host(node);
    if (host.powered) return;
    host.powered = true;
    host.boot = this.#rng.id52();
    host.bootedAt = this.now;
    host.offset = this.#rng.below(5 * S);
    host.app = { state: 'stopped', epoch: 0, until: -1, job: host.app.job + 1 };
    if (blank === 'blank') {
      host.durable = null;
      host.session = 0;
    }
    this.startCore(node);
  }

  powerOff(node: number): void {
    const host = this.host(node);
    if (!host.powered) return;
    this.killCore(node);
    host.powered = false;
    host.app = { state: 'stopped', epoch: 0, until: -1, job: host.app.job + 1 };
    host.disk.cached = host.disk.flushed;
    this.#lostPower.add(node);
  }

  killCore(node: number): void {
    const host = this.host(node);
    host.core = null;
    host.coreLife += 1;
    host.queue = [];
    host.data = newData();
    host.pausedUntil = -1;
  }

  startCore(node: number, blank: 'keep' | 'blank' = 'keep'): void {
    const host = this.host(node);
    if (!host.powered || host.core !== null) return;
    if (blank === 'blank') {
      host.durable = null;
      host.session = 0;
    }
    host.session += 1;
    host.coreLife += 1;
    const { config, node: id } = { config: this.config, node: host.node };
    host.core = new Control({
      config,
      node: id,
      rng: new Rng(this.#options.seed, id * 1000),
      canaries: new Set(this.#options.canaries ?? []),
      reached: (mark) => this.marks.set(mark, (this.marks.get(mark) ?? 0) + 1),
    });
    const { boot, session, durable } = host;
    this.#give(host, { kind: 'start', boot, session, durable });
    if (this.#isReplica(node)) {
      this.#later(host, 10 * MS, () => {
        host.data.alive = true;
        this.#give(host, { kind: 'data-started', volume: VOLUME });
        const { disk } = host;
        const hot = disk.wasPrimary;
        const { state, generation, seen } = disk;
        const facts = { disk: state, generation, epoch: seen, hot } as const;
        this.#report(host, { kind: 'attached', volume: VOLUME, ...facts });
        this.#tellApp(host);
      });
    }
  }

  /** Core and data actor stand still; monitor and applications go on. */
  pauseCore(node: number, time: number): void {
    const host = this.host(node);
    if (host.core === null) return;
    host.pausedUntil = this.now + time;
    this.#later(host, time, () => {
      host.pausedUntil = -1;
      const queued = host.queue;
      host.queue = [];
      for (const input of queued) this.#give(host, input);
    });
  }

  /** Cuts one direction of one link, or of all. */
  cut(from: number, to: number, link: number | 'all' = 'all'): void {
    for (const l of link === 'all' ? [0, 1] : [link]) this.#cuts.add(`${from} ${to} ${l}`);
  }

  cutBoth(a: number, b: number, link: number | 'all' = 'all'): void {
    this.cut(a, b, link);
    this.cut(b, a, link);
  }

  isolate(node: number): void {
    for (const host of this.hosts) if (host.node !== node) this.cutBoth(node, host.node);
    this.cutData();
  }

  cutData(): void {
    this.#dataCut = true;
  }

  heal(): void {
    this.#cuts.clear();
    this.#dataCut = false;
  }

  failApp(node: number): void {
    const host = this.host(node);
    if (host.app.state !== 'running') return;
    host.app.state = 'failed';
    this.#tellApp(host);
  }

  command(node: number, id: number, command: OperatorCommand): void {
    this.#give(this.host(node), { kind: 'operator', id, command });
  }

  // --- running ------------------------------------------------------------------------------

  /** Runs until virtual time `until`. */
  run(until: number): void {
    for (;;) {
      const job = this.#heap[0];
      if (job === undefined || job.at > until) break;
      this.#pop();
      this.#turns = job.at === this.now ? this.#turns + 1 : 0;
      if (this.#turns > TURNS_MAX) throw new Error(`time stands still at ${this.now}`);
      this.now = job.at;
      job.run();
    }
    this.now = until;
  }

  /** Runs for `time` more. */
  pass(time: number): void {
    this.run(this.now + time);
  }

  /** Runs until `done` or `limit` more has passed; true when done. */
  await(done: () => boolean, limit: number): boolean {
    const until = this.now + limit;
    while (this.now < until) {
      if (done()) return true;
      this.run(Math.min(until, this.now + 10 * MS));
    }
    return done();
  }

  /** Runs `action` at this time. */
  at(time: number, action: () => void): void {
    this.#push(time, action);
  }

  // --- what is so ---------------------------------------------------------------------------

  /** Hosts where the application runs, starting and stopping included. */
  holders(): readonly number[] {
    return this.hosts
      .filter((h) => h.app.state !== 'stopped' && h.app.state !== 'failed')
      .map((h) => h.node);
  }

  runningOn(): number {
    return this.hosts.find((h) => h.app.state === 'running')?.node ?? 0;
  }

  leader(): number {
    const counts = new Map<number, number>();
    for (const host of this.hosts) {
      const leader = host.core?.status(this.#clock(host)).leader ?? 0;
      counts.set(leader, (counts.get(leader) ?? 0) + 1);
    }
    for (const [leader, count] of counts) if (leader !== 0 && count >= 2) return leader;
    return 0;
  }

  status(node: number) {
    const host = this.host(node);
    if (host.core === null) throw new Error('no core');
    return host.core.status(this.#clock(host));
  }

  record(node: number): VolumeRecord | null {
    return this.status(node).volumes.find((v) => v.volume === VOLUME) ?? null;
  }

  /** Served by one node, mirrored on both. */
  whole(): boolean {
    if (this.runningOn() === 0) return false;
    return this.hosts.every((host) => {
      if (host.core === null) return false;
      const record = this.record(host.node);
      return record !== null && record.members.length === 2;
    });
  }

  ofKind(kind: string): readonly TimelineEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }

  // --- inside -------------------------------------------------------------------------------

  #isReplica(node: number): boolean {
    return this.config.volumes.some((v) => v.replicas.some((r) => r.node === node));
  }

  #clock(host: Host): number {
    const lived = this.now - host.bootedAt;
    return host.offset + Math.floor((lived * (1_000_000 + host.ppm)) / 1_000_000);
  }

  #unclock(host: Host, at: number): number {
    const lived = Math.ceil(((at - host.offset) * 1_000_000) / (1_000_000 + host.ppm));
    return Math.max(this.now, host.bootedAt + lived);
  }

  #violate(law: string): void {
    if (!this.violations.includes(law)) this.violations.push(law);
  }

  #give(host: Host, input: ControlInput): void {
    if (host.core === null) return;
    if (host.pausedUntil >= 0) {
      host.queue.push(input);
      return;
    }
    let decisions: readonly ControlDecision[];
    try {
      decisions = host.core.step([input], this.#clock(host));
    } catch (error) {
      this.#violate(`invariant: ${error instanceof Error ? error.message : String(error)}`);
      this.killCore(host.node);
      return;
    }
    for (const decision of decisions) this.#carryOut(host, decision);
  }

  #carryOut(host: Host, decision: ControlDecision): void {
    switch (decision.kind) {
      case 'send': {
        const links = decision.link === 'all' ? [0, 1] : [decision.link];
        for (const link of links) this.#send(host.node, decision.to, link, decision.message);
        return;
      }
      case 'persist': {
        const { token, durable } = decision;
        this.#later(host, 1 * MS + this.#rng.below(8 * MS), () => {
          host.durable = JSON.parse(JSON.stringify(durable));
          this.#checkLog(durable);
          this.#give(host, { kind: 'persisted', token });
        });
        return;
      }
      case 'wake-at': {
        host.wake += 1;
        const { wake } = host;
        const life = host.coreLife;
        this.#push(this.#unclock(host, decision.at), () => {
          if (host.wake === wake && host.coreLife === life) this.#give(host, { kind: 'wake' });
        });
        return;
      }
      case 'guardian':
        host.guardian = { armed: decision.armed, until: decision.until };
        return;
      case 'to-data': {
        const { command } = decision;
        this.#later(host, 1 + this.#rng.below(200), () => this.#command(host, command));
        return;
      }
      case 'application': {
        const { action, epoch, until } = decision;
        this.#application(host, action, epoch, until);
        return;
      }
      case 'event': {
        const { event } = decision;
        this.events.push(event);
        if (event.kind === 'log.leader') {
          const term = Number(event.d['term']);
          const other = this.#leaders.get(term);
          if (other !== undefined && other !== event.node) this.#violate('two-leaders');
          this.#leaders.set(term, event.node);
        }
        return;
      }
      case 'answer':
        this.answers.set(decision.id, decision.answer);
        return;
    }
  }

  #send(from: number, to: number, link: number, message: ControlMessage): void {
    const { loss = 0, duplicate = 0, delay = 2 * MS } = this.#options;
    this.messages += 1;
    let sent: ControlMessage | null = message;
    if (this.#options.wire === true) {
      sent = parseControlMessage(JSON.parse(JSON.stringify(message)));
      if (sent === null) {
        this.#violate(`unparsable ${message.kind}`);
        return;
      }
    }
    const copies = this.#rng.chance(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#rng.chance(loss)) continue;
      const takes = 100 + this.#rng.below(delay);
      this.#push(this.now + takes, () => {
        if (this.#cuts.has(`${from} ${to} ${link}`)) return;
        const host = this.host(to);
        if (host.powered) this.#give(host, { kind: 'message', from, link, message: sent });
      });
    }
  }

  /** Log matching and leader completeness, on what is durable. */
  #checkLog(durable: Durable): void {
    const { raft } = durable as unknown as {
      raft: {
        snapIndex: number;
        commit: number;
        entries: readonly { term: number; entry: unknown }[];
      };
    };
    raft.entries.forEach((entry, i) => {
      const index = raft.snapIndex + 1 + i;
      if (index > raft.commit) return;
      const text = JSON.stringify(entry);
      const before = this.#committed.get(index);
      if (before === undefined) this.#committed.set(index, text);
      else if (before !== text) this.#violate('committed-entry-changed');
    });
  }

  // --- application --------------------------------------------------------------------------

  #tellApp(host: Host): void {
    const { state, epoch } = host.app;
    const told = state === 'stopped' ? 0 : epoch;
    this.#give(host, { kind: 'application', group: GROUP, epoch: told, state });
    if (this.holders().length > 1) this.#violate('two-holders');
  }

  #application(host: Host, action: 'start' | 'stop' | 'renew', epoch: number, until: number): void {
    const { app } = host;
    const clock = this.#clock(host);
    if (action === 'renew') {
      if (app.epoch === epoch && until > app.until) {
        app.until = until;
        this.#watch(host);
      }
      return;
    }
    if (action === 'stop') {
      this.#stopApp(host);
      return;
    }
    if (clock >= until) return;
    app.until = Math.max(until, app.until);
    if (app.state === 'running' || app.state === 'starting') {
      if (app.epoch === epoch) return;
      app.epoch = epoch;
      this.#tellApp(host);
      this.#watch(host);
      return;
    }
    if (app.state === 'stopping') return;
    app.until = until;
    app.epoch = epoch;
    app.state = 'starting';
    app.job += 1;
    const { job } = app;
    this.#tellApp(host);
    this.#push(this.now + 50 * MS, () => {
      if (host.app.job !== job) return;
      host.app.state = host.startFails ? 'failed' : 'running';
      this.#tellApp(host);
    });
    this.#watch(host);
  }

  #stopApp(host: Host): void {
    const { app } = host;
    if (app.state === 'stopped') {
      this.#tellApp(host);
      return;
    }
    if (app.state === 'stopping') return;
    app.state = 'stopping';
    app.job += 1;
    const { job } = app;
    this.#push(this.now + 30 * MS, () => {
      if (host.app.job !== job) return;
      host.app.state = host.stopFails ? 'stop-failed' : 'stopped';
      this.#tellApp(host);
    });
  }

  #watch(host: Host): void {
    const { job } = host.app;
    const boot = host.boot;
    this.#push(this.#unclock(host, host.app.until), () => {
      if (host.boot !== boot || host.app.job !== job) return;
      if (this.#clock(host) >= host.app.until) this.#stopApp(host);
    });
  }

  // --- data ---------------------------------------------------------------------------------

  #report(host: Host, report: DataReport): void {
    this.#give(host, { kind: 'data', report });
  }

  #command(host: Host, command: DataCommand): void {
    const { data, disk } = host;
    if (!data.alive) return;
    switch (command.kind) {
      case 'grant':
        data.until = Math.max(data.until, command.until);
        return;
      case 'record': {
        const { record } = command;
        if (record.epoch < disk.seen) return;
        disk.seen = record.epoch;
        data.record = record;
        data.primary = record.primary === host.node && data.demotedIn < record.epoch;
        disk.wasPrimary = data.primary;
        const member = record.members.some((m) => m.node === host.node && m.boot === host.boot);
        if (member) {
          disk.state = 'UpToDate';
          disk.generation = record.generation;
        } else if (record.primary !== host.node && record.primary !== 0) disk.state = 'Outdated';
        this.#tellState(host);
        return;
      }
      case 'demote': {
        if (data.record?.epoch !== command.epoch) return;
        data.primary = false;
        data.demotedIn = command.epoch;
        disk.wasPrimary = false;
        disk.flushed = disk.cached;
        const peer = this.#dataPeer(host);
        if (peer !== null && data.record.members.some((m) => m.node === peer.node)) {
          peer.disk.flushed = peer.disk.cached;
        }
        const { epoch } = command;
        this.#report(host, { kind: 'stopped', volume: VOLUME, epoch, cause: '' });
        return;
      }
    }
  }

  #tellState(host: Host): void {
    this.#report(host, {
      kind: 'state',
      volume: VOLUME,
      disk: host.disk.state,
      role: host.data.primary ? 'Primary' : 'Secondary',
      epoch: host.disk.seen,
      link: 'Connected',
      dirty: 0,
      pending: 0,
    });
  }

  /** The other replica, when it can be talked to. */
  #dataPeer(host: Host): Host | null {
    const peer = this.hosts.find((h) => h.node !== host.node && this.#isReplica(h.node));
    if (peer === undefined || this.#dataCut) return null;
    if (!peer.data.alive || peer.pausedUntil >= 0 || peer.core === null) return null;
    return peer;
  }

  #dataTick(): void {
    for (const host of this.hosts) {
      const { data, disk } = host;
      const { record } = data;
      if (!data.alive || host.pausedUntil >= 0 || record === null) continue;
      if (!data.primary) {
        // RULE-11 again: whoever may be promoted alone has flushed what it acknowledged.
        if (this.#dataPeer(host)?.data.primary !== true) disk.flushed = disk.cached;
        continue;
      }
      if (data.activeIn < record.epoch) {
        this.#activate(host);
        data.activeIn = record.epoch;
        this.#report(host, { kind: 'active', volume: VOLUME, epoch: record.epoch, cause: '' });
      }
      if (this.#clock(host) >= data.until) continue;
      const peer = this.#dataPeer(host);
      const members = record.members.map((m) => m.node);
      const named = record.members.find((m) => m.node === peer?.node);
      // A member in another life is none: it is left out before anything is acknowledged.
      const same = named === undefined || named.boot === peer?.boot;
      const takes = peer !== null && peer.disk.seen <= record.epoch && !peer.data.primary && same;
      // A peer that was asked to be let in again has every write from then on: the record that
      // lets it in may come at any time.
      const adding = data.addingIn === record.epoch;
      const inSync = peer !== null && (adding || members.includes(peer.node));
      this.#writes += 1;
      disk.cached = this.#writes;
      if (takes && inSync) {
        peer.disk.cached = this.#writes;
        peer.disk.seen = record.epoch;
      }
      const both = takes && inSync;
      const acked = (both || !adding) && members.every((m) => m === host.node || both);
      if (acked) this.#ack(host, takes && inSync ? peer : null, record.epoch);
      if (!takes && (adding || members.length > 1)) {
        // RULE-11: what was acknowledged by both must be stable here before the other is removed.
        disk.flushed = disk.cached;
        this.#want(host, [host.node], 'peer-lost');
      }
      if (takes && !inSync) this.#resync(host, peer);
      if (!takes) data.syncedSince = -1;
    }
  }

  #ack(host: Host, peer: Host | null, epoch: number): void {
    if (this.#writes <= this.#acked) return;
    const other = this.hosts.find((h) => h !== host && h.disk.seen > epoch && h.data.primary);
    const right = other === undefined ? -1 : other.data.until - this.#clock(other);
    if (right > 0 && host.data.primary) this.#violate('two-writers');
    this.#acked = this.#writes;
    this.#lostPower.clear();
    this.#holding = peer === null ? [host.node] : [host.node, peer.node];
    if (this.#writes % 10 !== 0) return;
    host.disk.flushed = host.disk.cached;
    if (peer !== null) peer.disk.flushed = peer.disk.cached;
    this.#flushed = this.#writes;
  }

  #activate(host: Host): void {
    host.disk.flushed = host.disk.cached;
    const { cached } = host.disk;
    if (cached < this.#flushed) this.#violate('flushed-write-lost');
    // When all that had it lost their power, only what was flushed is promised.
    const kept = this.#holding.some((node) => !this.#lostPower.has(node));
    if (cached < this.#acked && kept) this.#violate('acknowledged-write-lost');
    if (cached < this.#acked) this.#acked = cached;
  }

  #want(host: Host, members: readonly number[], reason: 'peer-lost' | 'resync-done'): void {
    const epoch = host.data.record?.epoch ?? 0;
    const key = `${epoch} ${members.join()} ${reason}`;
    if (host.data.wanted === key) return;
    host.data.wanted = key;
    // No hello is modelled here: control falls back to the boot that it hears.
    const wish = { volume: VOLUME, epoch, members, peerBoot: 0, reason, cause: '' } as const;
    this.#report(host, { kind: 'want', ...wish });
  }

  #resync(host: Host, peer: Host): void {
    const { data } = host;
    if (data.syncedSince < 0 || data.syncedBoot !== peer.coreLife) {
      data.syncedSince = this.now;
      data.syncedBoot = peer.coreLife;
      peer.disk.state = 'Inconsistent';
      this.#tellState(peer);
      data.wanted = '';
      return;
    }
    if (this.now - data.syncedSince < 300 * MS) return;
    peer.disk.cached = host.disk.cached;
    peer.disk.flushed = peer.disk.cached;
    host.disk.flushed = host.disk.cached;
    const nodes = [host.node, peer.node].sort((a, b) => a - b);
    data.addingIn = data.record?.epoch ?? 0;
    this.#want(host, nodes, 'resync-done');
  }

  // --- time ---------------------------------------------------------------------------------

  #later(host: Host, delay: number, run: () => void): void {
    const life = host.coreLife;
    this.#push(this.now + delay, () => {
      if (host.coreLife === life) run();
    });
  }

  #every(interval: number, run: () => void): void {
    this.#push(this.now + interval, () => {
      run();
      this.#every(interval, run);
    });
  }

  #push(at: number, run: () => void): void {
    if (!Number.isSafeInteger(at)) throw new Error(`a job at no time: ${at}`);
    this.#order += 1;
    const heap = this.#heap;
    heap.push({ at, order: this.#order, run });
    let i = heap.length - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(heap[i], heap[up])) break;
      swap(heap, i, up);
      i = up;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (before(heap[left], heap[least])) least = left;
      if (before(heap[right], heap[least])) least = right;
      if (least === i) return;
      swap(heap, i, least);
      i = least;
    }
  }
}

function before(a: Job | undefined, b: Job | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function swap(heap: Job[], i: number, j: number): void {
  const a = heap[i];
  const b = heap[j];
  if (a === undefined || b === undefined) return;
  heap[i] = b;
  heap[j] = a;
}
