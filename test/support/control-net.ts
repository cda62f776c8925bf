/**
 * A small network of control actors for tests: virtual time, hosts that lose power or only their
 * core, links that lose, delay and double messages, data actors that obey records, and monitors
 * that stop an application when its lease ends. It keeps its own books, apart from the engine:
 * `violations` names every law that was broken.
 */
import { Control } from '../../engine/cluster/control.ts';
import type {
  ClusterStatus,
  ControlDecision,
  ControlInput,
  Durable,
  OperatorAnswer,
  OperatorCommand,
} from '../../engine/cluster/interface.ts';
import { parseControlMessage } from '../../engine/cluster/message-parser.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { DataReport, VolumeRecord } from '../../engine/data/messages.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { ControlData } from './control-data.ts';
import { GROUP, Host, MS, newData, S, testConfig, VOLUME } from './control-host.ts';
import { JobQueue } from './control-queue.ts';

export { GROUP, MS, S, testConfig, VOLUME };

/** More jobs than this at one instant are a loop. */
const TURNS_MAX = 20_000;

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
  /** Entries that a log keeps before it folds them. */
  readonly compactAt?: number;
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
  readonly #queue = new JobQueue();
  readonly #data: ControlData;
  #turns = 0;
  /** "from to link" of directions that are cut. */
  #cuts = new Set<string>();
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
    this.#data = new ControlData(this.hosts, {
      config: this.config,
      clock: (host) => this.#clock(host),
      give: (host, input) => this.#give(host, input),
      now: () => this.now,
      violate: (law) => this.#violate(law),
    });
    for (const host of this.hosts) this.powerOn(host.node);
    this.#every(20 * MS, () => this.#data.tick());
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
    this.#data.lostPower(node);
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
      ...(this.#options.compactAt === undefined ? {} : { compactAt: this.#options.compactAt }),
    });
    const { boot, session, durable } = host;
    this.#give(host, { kind: 'start', boot, session, durable });
    if (this.#data.isReplica(node)) {
      this.#later(host, 10 * MS, () => {
        host.data.alive = true;
        this.#give(host, { kind: 'data-started', volume: VOLUME });
        const { disk } = host;
        const hot = disk.wasPrimary;
        const { state, generation, seen } = disk;
        const facts = { disk: state, generation, epoch: seen, hot, doubted: false } as const;
        this.#data.report(host, { kind: 'attached', cause: '', volume: VOLUME, ...facts });
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
    this.#data.cut = true;
  }

  heal(): void {
    this.#cuts.clear();
    this.#data.cut = false;
  }

  /** A data actor says what those here never say by themselves. */
  report(node: number, report: DataReport): void {
    this.#give(this.host(node), { kind: 'data', report });
  }

  /** The monitor dies, or is back and tells how things are. */
  monitor(node: number, away: boolean): void {
    const host = this.host(node);
    host.monitorAway = away;
    if (away) return;
    this.#tellApp(host);
    if (host.app.state === 'running') this.#watch(host);
  }

  failApp(node: number): void {
    const host = this.host(node);
    if (host.app.state !== 'running') return;
    host.app.state = 'failed';
    this.#tellApp(host);
  }

  /** Documents that became durable so far. */
  persists = 0;

  /** Comparisons that data actors were told to make. */
  get verifications(): ControlData['verifications'] {
    return this.#data.verifications;
  }

  command(node: number, id: number, command: OperatorCommand): void {
    this.#give(this.host(node), { kind: 'operator', id, command });
  }

  // --- running ------------------------------------------------------------------------------

  /** Runs until virtual time `until`. */
  run(until: number): void {
    for (;;) {
      const job = this.#queue.first;
      if (job === undefined || job.at > until) break;
      this.#queue.pop();
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
    this.#queue.push(time, action);
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

  status(node: number): ClusterStatus {
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
          this.persists += 1;
          this.#checkLog(durable);
          this.#give(host, { kind: 'persisted', token });
        });
        return;
      }
      case 'wake-at': {
        host.wake += 1;
        const { wake } = host;
        const life = host.coreLife;
        this.#queue.push(this.#unclock(host, decision.at), () => {
          if (host.wake === wake && host.coreLife === life) this.#give(host, { kind: 'wake' });
        });
        return;
      }
      case 'guardian':
        host.guardian = { armed: decision.armed, until: decision.until };
        return;
      case 'to-data': {
        const { command } = decision;
        this.#later(host, 1 + this.#rng.below(200), () => this.#data.command(host, command));
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
      this.#queue.push(this.now + takes, () => {
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
    if (!host.monitorAway) {
      this.#give(host, { kind: 'application', group: GROUP, epoch: told, state });
    }
    if (this.holders().length > 1) this.#violate('two-holders');
  }

  #application(host: Host, action: 'start' | 'stop' | 'renew', epoch: number, until: number): void {
    const { app } = host;
    const clock = this.#clock(host);
    if (host.monitorAway) return;
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
    this.#queue.push(this.now + 50 * MS, () => {
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
    this.#queue.push(this.now + 30 * MS, () => {
      if (host.app.job !== job) return;
      host.app.state = host.stopFails ? 'stop-failed' : 'stopped';
      this.#tellApp(host);
    });
  }

  #watch(host: Host): void {
    const { job } = host.app;
    const boot = host.boot;
    this.#queue.push(this.#unclock(host, host.app.until), () => {
      if (host.boot !== boot || host.app.job !== job || host.monitorAway) return;
      if (this.#clock(host) >= host.app.until) this.#stopApp(host);
    });
  }

  // --- time ---------------------------------------------------------------------------------

  #later(host: Host, delay: number, run: () => void): void {
    const life = host.coreLife;
    this.#queue.push(this.now + delay, () => {
      if (host.coreLife === life) run();
    });
  }

  #every(interval: number, run: () => void): void {
    this.#queue.push(this.now + interval, () => {
      run();
      this.#every(interval, run);
    });
  }
}
