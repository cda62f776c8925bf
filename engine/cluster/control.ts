/**
 * One host's control actor: routes inputs to the parts, applies what the log commits, and at the
 * end of each step lets planner and executor look at what has changed. The rules are in the
 * parts; the order in which they see things is here.
 */
import type { ClusterConfig } from '../core/config.ts';
import { invariant } from '../core/invariant.ts';
import type { Rng } from '../core/rng.ts';
import type { BootId, Micros, NodeId } from '../core/units.ts';
import { startOf } from '../timeline/event.ts';
import { flagsOf } from './canaries.ts';
import { Context } from './context.ts';
import { Detector } from './detector.ts';
import { type Document, documentOf, documentVersion } from './document.ts';
import type { Entry } from './entries.ts';
import { Errands, isErrand } from './errands.ts';
import { Executor } from './executor.ts';
import { factsOf, saysNothingNew } from './facts.ts';
import { Formation } from './formation.ts';
import { type Beat, Links, type Peer } from './heartbeat.ts';
import type {
  ClusterStatus,
  ControlActor,
  ControlDecision,
  ControlInput,
  Durable,
} from './interface.ts';
import { LeaseHolder, LeaseVoter } from './lease.ts';
import { LostPath } from './lost-path.ts';
import type { ControlMessage, DirectMessage, FactsMessage, Heartbeat } from './messages.ts';
import { Operator } from './operator.ts';
import { Durability } from './persist.ts';
import { Planner } from './planner.ts';
import { Proposals } from './proposals.ts';
import { Raft } from './raft.ts';
import { Reconfigure } from './reconfigure.ts';
import { Resolution } from './resolution.ts';
import { Right } from './right.ts';
import {
  applyEntry,
  type ClusterState,
  EMPTY_STATE,
  identityOf,
  leaseEpochOf,
  majorityOf,
  recordOf,
  stateBugs,
} from './state.ts';
import { statusOf } from './status.ts';
import { Upkeep } from './upkeep.ts';
import { Views } from './views.ts';
import { Volumes } from './volumes.ts';

export interface ControlOptions {
  readonly config: ClusterConfig;
  readonly node: NodeId;
  /** This entity's stream; better another one for each life of the core. */
  readonly rng: Rng;
  /** Planted bugs that are on; empty in production. */
  readonly canaries: ReadonlySet<string>;
  /** Called at rare branches (CLUSTER_MARKS). */
  readonly reached: (mark: string) => void;
  /** Entries that the log keeps before it folds them; a simulation has fewer, to meet that end. */
  readonly compactAt?: number;
}

const WAKE_MIN = 1000;
/** Ticks between two looks at facts that only time changes. */
const FACTS_EVERY = 16;

export class Control implements ControlActor {
  readonly #context: Context;
  readonly #durability: Durability;
  readonly #links: Links;
  readonly #raft: Raft;
  readonly #formation: Formation;
  readonly #voter = new LeaseVoter();
  readonly #holder = new LeaseHolder();
  readonly #right: Right;
  readonly #detector: Detector;
  readonly #volumes: Volumes;
  readonly #executor: Executor;
  readonly #lostPath: LostPath;
  readonly #proposals: Proposals;
  readonly #planner: Planner;
  readonly #operator: Operator;
  readonly #resolution: Resolution;
  readonly #errands: Errands;
  readonly #reconfigure: Reconfigure;
  #state: ClusterState = EMPTY_STATE;
  #started = false;
  #lastStep: Micros = 0;
  #beatDue: Micros = 0;
  #ticks = 0;
  #wakeAt: Micros = -1;
  #planDue = false;
  #executeDue = false;
  #factsDue = true;
  #facts: FactsMessage;
  #factsTold = false;

  constructor(options: ControlOptions) {
    const { config, node, rng, canaries, reached, compactAt } = options;
    const context = new Context(config, node, rng, flagsOf(canaries), reached);
    const state = (): ClusterState => this.#state;
    this.#context = context;
    this.#durability = new Durability(context);
    this.#links = new Links(context, () => this.#beat());
    this.#right = new Right(context, this.#links, this.#holder, (lapse) => {
      if (lapse !== '') this.#executor.lapsed(lapse);
      this.#factsDue = true;
      this.#local();
    });
    const order = (volume: string) => recordOf(this.#state, volume)?.discard;
    this.#volumes = new Volumes(context, () => this.#durability.mark(), order);
    this.#volumes.held = () => this.#right.held;
    const machine = {
      get state(): ClusterState {
        return state();
      },
      apply: (entry: Entry): void => this.#apply(entry),
      install: (installed: ClusterState): void => this.#install(installed),
      leaderChanged: (): void => {
        this.#proposals.reset();
        this.#planner.reset();
        this.#operator.reset();
        this.#planDue = true;
      },
    };
    const own = { durability: this.#durability, links: this.#links, volumes: this.#volumes };
    const reconfigure = new Reconfigure(context, own, state, () => this.#local());
    this.#reconfigure = reconfigure;
    this.#raft = new Raft(context, this.#durability, this.#links, machine, compactAt);
    this.#formation = new Formation(context, this.#links, this.#durability, (genesis, first) => {
      if (this.#state.voters.length === 0) this.#raft.found(genesis, first);
    });
    this.#detector = new Detector(context, this.#links, this.#durability, this.#voter, state);
    this.#executor = new Executor(context, this.#durability, this.#holder, this.#volumes, state);
    this.#facts = this.#composeFacts(0);
    const { applications } = this.#executor;
    const heard = (): boolean => this.#links.peers.every(({ up }) => up);
    const { all } = this.#volumes;
    this.#lostPath = new LostPath(context, this.#durability, all, applications, heard);
    const facts = (): FactsMessage => this.#facts;
    const views = new Views(context, this.#links, state, facts);
    this.#proposals = new Proposals(this.#raft);
    const upkeep = new Upkeep(context, this.#links, views, this.#proposals, state);
    const { proposals, links, raft, detector } = {
      proposals: this.#proposals,
      links: this.#links,
      raft: this.#raft,
      detector: this.#detector,
    };
    const resolution = new Resolution(context, views, this.#proposals, state);
    this.#resolution = resolution;
    const parts = { links, raft, detector, views, proposals, upkeep, resolution };
    this.#planner = new Planner(context, parts, state);
    const status = (): ClusterStatus => this.status(context.now);
    const leading = { planner: this.#planner, proposals: this.#proposals };
    const staff = { links, raft, views, resolution, reconfigure, ...leading };
    this.#operator = new Operator(context, staff, state, status);
    this.#errands = new Errands(context, this.#volumes, state);
  }

  step(inputs: readonly ControlInput[], now: Micros): readonly ControlDecision[] {
    const context = this.#context;
    invariant(now >= context.now, 'the monotonic clock never runs backwards');
    context.now = now;
    context.cause = '';
    if (this.#started && now - this.#lastStep > context.timing.suspect) {
      this.#detector.awakeSince = now;
    }
    this.#lastStep = now;
    // Before anything else is believed: does our right still stand?
    this.#right.judge();
    for (const input of inputs) {
      if (!this.#started && input.kind !== 'start') continue;
      this.#take(input);
      context.cause = '';
    }
    if (this.#started) this.#finish();
    return context.take();
  }

  status(now: Micros): ClusterStatus {
    const own = { links: this.#links, volumes: this.#volumes, state: this.#state };
    const parts = { ...own, resolution: this.#resolution, reconfigure: this.#reconfigure };
    const { leader, term, commit } = this.#raft;
    const lease = { until: this.#holder.until, held: this.#holder.held(now) };
    return statusOf(this.#context, parts, { leader, term, committed: commit, lease });
  }

  #take(input: ControlInput): void {
    switch (input.kind) {
      case 'start':
        this.#start(input.boot, input.session, input.durable);
        return;
      case 'message': {
        const peer = this.#links.peer(input.from);
        if (peer !== null) this.#receive(peer, input.link, input.message);
        return;
      }
      case 'wake':
        this.#wakeAt = -1;
        return;
      case 'persisted':
        if (this.#durability.persisted(input.token)) this.#raft.persisted();
        return;
      case 'data': {
        const { report } = input;
        const record = 'volume' in report ? recordOf(this.#state, report.volume) : null;
        this.#volumes.report(report, (node) => this.#bootHeard(node), record);
        if (report.kind !== 'event' && report.kind !== 'meters') this.#local();
        return;
      }
      case 'data-started':
        this.#volumes.started(input.volume);
        this.#local();
        return;
      case 'application':
        this.#executor.applications.report(input.group, input.epoch, input.state);
        this.#local();
        return;
      case 'prepared':
        if (this.#reconfigure.prepared(input.version, input.reason)) this.#local();
        return;
      case 'operator':
        if (isErrand(input.command)) this.#errands.take(input.id, input.command);
        else this.#operator.take(input.id, input.command);
        this.#planDue = true;
        return;
    }
  }

  #local(): void {
    this.#executeDue = true;
    this.#factsDue = true;
  }

  #bootHeard(node: NodeId): BootId {
    return node === this.#context.node ? this.#context.boot : (this.#links.peer(node)?.boot ?? 0);
  }

  #start(boot: BootId, session: number, durable: Durable | null): void {
    invariant(!this.#started, 'a control actor starts once');
    const context = this.#context;
    this.#started = true;
    context.boot = boot;
    context.session = session;
    context.startedAt = context.now;
    this.#detector.awakeSince = context.now;
    context.life = context.draw();
    const document = documentOf(durable);
    context.started = context.event('core.start', { boot, session, blank: document === null }, '');
    invariant(context.started === startOf(context.node, session), 'its start is its first event');
    context.cause = context.started;
    if (document === null) {
      context.identity = context.draw();
      this.#durability.mark();
      this.#executor.restore(null);
    } else {
      context.identity = document.identity;
      this.#formation.restore(document.formation);
      this.#voter.restore(document.attested);
      this.#executor.restore(document.running);
      this.#volumes.restore(document.doubted ?? [], document.verify ?? []);
      this.#lostPath.restore(document.paths);
      this.#reconfigure.restore(document.taken);
    }
    this.#raft.start(document?.raft ?? null);
    this.#facts = this.#composeFacts(0);
    this.#beatDue = context.now;
    this.#local();
  }

  #receive(peer: Peer, link: number, message: ControlMessage): void {
    const before = peer.life;
    const admitted = this.#links.admit(peer, message);
    const isNew = peer.life !== before;
    if (message.kind === 'heartbeat' && (!admitted || isNew)) {
      this.#links.answer(peer, link, message, isNew);
      // It has no facts of ours, and needs them before it can decide anything about us.
      if (isNew) this.#links.send(peer.node, this.#facts);
    }
    if (isNew && before !== 0) this.#raft.reborn(peer.node);
    if (!admitted) return;
    this.#context.cause = message.event;
    if (message.kind === 'heartbeat') {
      this.#heartbeat(peer, link, message);
      return;
    }
    if (message.kind !== 'relay') {
      this.#direct(peer, message);
      return;
    }
    if (message.to === this.#context.node) {
      const origin = this.#links.peer(message.from);
      if (origin === null || message.inner.kind === 'heartbeat') return;
      if (!this.#links.admit(origin, message.inner, 'vouched')) return;
      this.#context.cause = message.inner.event;
      this.#direct(origin, message.inner);
      return;
    }
    if (message.from !== peer.node || this.#links.peer(message.to)?.up !== true) return;
    const { boot, life } = this.#context;
    this.#context.decide({
      kind: 'send',
      to: message.to,
      link: 'all',
      message: { ...message, boot, life },
    });
  }

  #heartbeat(peer: Peer, link: number, beat: Heartbeat): void {
    this.#links.onHeartbeat(peer, link, beat);
    this.#raft.onHeartbeat(peer, beat);
    if (beat.lease === 0 || beat.sent < (peer.links[link]?.theirs ?? 0)) return;
    if (!this.#detector.renew(peer.node, beat)) return;
    const { boot, life, identity } = this.#context;
    this.#context.decide({
      kind: 'send',
      to: peer.node,
      link: 'all',
      message: {
        kind: 'lease-ack',
        boot,
        life,
        event: beat.event,
        of: beat.life,
        sent: beat.sent,
        identity,
      },
    });
  }

  #direct(peer: Peer, message: DirectMessage): void {
    const from = peer.node;
    switch (message.kind) {
      case 'heartbeat':
        return;
      case 'vote':
        this.#raft.onVote(from, message);
        return;
      case 'vote-ack':
        this.#raft.onVoteAck(from, message);
        return;
      case 'append':
        this.#raft.onAppend(from, message);
        return;
      case 'append-ack':
        this.#raft.onAppendAck(from, message);
        return;
      case 'snapshot':
      case 'agreed-snapshot':
        this.#raft.onSnapshot(from, message);
        return;
      case 'lease-ack':
        if (message.of !== this.#context.life) return;
        if (identityOf(this.#state, from) !== message.identity) return;
        this.#acknowledged(from, message.sent);
        return;
      case 'attest-request':
        this.#detector.onRequest(from, message);
        return;
      case 'attest':
        this.#detector.onAttest(from, message);
        this.#planDue = true;
        return;
      case 'facts':
        if (peer.facts === null || message.version > peer.facts.version) {
          peer.facts = message;
          this.#errands.heard(message);
          this.#planDue = true;
        }
        return;
      case 'genesis-offer':
        if (this.#state.voters.length === 0) this.#formation.onOffer(from, message);
        return;
      case 'genesis-accept':
        if (this.#state.voters.length === 0) this.#formation.onAccept(from, message);
        return;
      case 'genesis-commit':
        if (this.#state.voters.length === 0) this.#formation.onCommit(message);
        return;
      case 'command':
        this.#operator.onCommand(from, message);
        return;
      case 'command-refused':
        this.#operator.onRefused(message);
        return;
    }
  }

  /** A voter promised us the renewal sent at `sent`. */
  #acknowledged(voter: NodeId, sent: Micros): void {
    const majority = majorityOf(this.#state.voters.length);
    if (this.#right.acknowledged(voter, sent, majority)) this.#executor.extend();
  }

  /** The log committed an entry. */
  #apply(entry: Entry): void {
    const { flags, config } = this.#context;
    const before = this.#state;
    const needed = flags['single-attestation'] ? 1 : majorityOf(Math.max(1, before.voters.length));
    this.#state = applyEntry(before, entry, config, needed, stateBugs(flags));
    this.#compare(before, entry.event);
    if (!this.#started) return;
    this.#proposals.applied(entry);
    this.#operator.applied(entry, this.#state !== before);
    if (this.#state === before && entry.kind !== 'noop') {
      this.#context.reached('committed-entry-lost-race');
    }
  }

  #install(state: ClusterState): void {
    const before = this.#state;
    this.#state = state;
    this.#compare(before, this.#context.cause);
  }

  /** Tells timeline and parts what is different now. */
  #compare(before: ClusterState, cause: string): void {
    const state = this.#state;
    if (state === before) return;
    const context = this.#context;
    for (const { node, epoch } of state.leases) {
      if (this.#voter.settle(node, epoch)) this.#durability.mark();
      if (node === context.node && epoch !== leaseEpochOf(before, node)) this.#holder.reset();
    }
    this.#planDue = true;
    this.#local();
    if (state.agreed !== before.agreed) context.tells('config', cause);
    for (const group of state.groups) {
      if (before.groups.includes(group)) continue;
      const { owner, epoch, phase } = group;
      const d = { group: group.group, owner, epoch, phase };
      const event = context.event('group.owner', d, cause);
      context.tells(`group ${group.group}`, event);
      this.#executor.note(group.group, event);
    }
    for (const record of state.volumes) {
      if (before.volumes.includes(record)) continue;
      const { volume, epoch, primary, generation } = record;
      const members = record.members.map((m) => m.node).join(',');
      const d = { volume, epoch, primary, members, generation };
      const event = context.event('volume.record', d, cause);
      context.tells(`volume ${volume}`, event);
      const unit = context.units.find((u) => u.volume.name === volume);
      if (unit !== undefined) this.#executor.note(unit.group.name, event);
    }
  }

  /** End of a step: what is due is done, then what changed is told and written. */
  #finish(): void {
    const context = this.#context;
    if (context.now >= this.#beatDue) this.#tick();
    const election = this.#raft.electionDue;
    if (election >= 0 && context.now >= election) this.#raft.tick();
    const due = this.#detector.due;
    if (due >= 0 && context.now >= due) this.#detector.tick();
    if (this.#links.changed) {
      this.#links.changed = false;
      this.#planDue = true;
    }
    if (this.#voter.attested !== this.#facts.attested) this.#factsDue = true;
    // The log may move while we plan; twice is enough, the tick does the rest.
    for (let pass = 0; pass < 2 && (this.#executeDue || this.#factsDue || this.#planDue); pass++) {
      if (this.#executeDue) {
        this.#executeDue = false;
        const before = context.decided;
        this.#executor.run();
        this.#reconfigure.run();
        if (context.decided !== before) this.#factsDue = true;
      }
      if (this.#factsDue) this.#tellFacts();
      if (this.#planDue) {
        this.#planDue = false;
        this.#planner.plan();
        if (this.#raft.governs) this.#reconfigure.lead(this.#proposals);
      }
    }
    if (this.#durability.due) this.#durability.flush(() => this.#document());
    this.#sleep();
  }

  #tick(): void {
    const context = this.#context;
    const { timing, flags } = context;
    this.#beatDue = context.now + timing.heartbeat;
    this.#links.tick();
    this.#links.beat();
    const own = identityOf(this.#state, context.node) === context.identity;
    if (own && this.#leaseAsked() !== 0) this.#acknowledged(context.node, context.now);
    this.#raft.tick();
    this.#raft.keepAlive();
    this.#detector.tick();
    for (const peer of this.#links.peers) {
      if (peer.factsEcho < this.#facts.version) this.#links.send(peer.node, this.#facts);
    }
    if (this.#state.voters.length === 0) this.#formation.tick(this.#facts);
    else this.#formation.tell();
    this.#operator.tick();
    this.#errands.tick();
    this.#lostPath.tick();
    if (flags['RULE-01']) this.#actAlone();
    this.#planDue = true;
    this.#executeDue = true;
    // What time alone changes may be told a little later.
    this.#ticks += 1;
    if (this.#ticks % FACTS_EVERY === 0) this.#factsDue = true;
  }

  /** The lease epoch in which this node renews; a witness needs no lease. */
  #leaseAsked(): number {
    return this.#volumes.all.length > 0 ? leaseEpochOf(this.#state, this.#context.node) : 0;
  }

  #beat(): Beat {
    const { term, leader, commit, acknowledged: matched, led } = this.#raft;
    const { version: facts } = this.#facts;
    const event = led === '' ? this.#context.started : led;
    return { term, leader, commit, matched, facts, lease: this.#leaseAsked(), event };
  }

  /** RULE-01 planted. */
  #actAlone(): void {
    const entry = this.#planner.alone();
    if (entry !== null) {
      this.#apply(entry);
      this.#holder.seize();
    }
    this.#holder.prolong(this.#context.now + this.#context.timing.pet);
    this.#right.judge();
    if (this.#right.held) this.#executor.extend();
  }

  #tellFacts(): void {
    this.#factsDue = false;
    const next = this.#composeFacts(this.#facts.version + 1);
    if (this.#factsTold && saysNothingNew(next, this.#facts)) return;
    this.#factsTold = true;
    this.#facts = next;
    this.#planDue = true;
    this.#links.broadcast(next);
  }

  #composeFacts(version: number): FactsMessage {
    return factsOf(this.#context, version, {
      started: this.#started,
      formed: this.#state.voters.length > 0,
      voter: this.#voter,
      volumes: this.#volumes,
      executor: this.#executor,
      config: this.#reconfigure.version,
      ready: this.#reconfigure.ready,
    });
  }

  #document(): Durable {
    const { looks } = this.#lostPath;
    const { taken } = this.#reconfigure;
    const document: Document = {
      version: documentVersion(this.#state, taken),
      identity: this.#context.identity,
      raft: this.#raft.durable(),
      formation: this.#formation.durable(),
      attested: this.#context.flags['attest-not-persisted'] ? [] : this.#voter.attested,
      running: this.#executor.running,
      doubted: this.#volumes.doubted,
      verify: this.#volumes.notes,
      ...(looks === undefined ? {} : { paths: looks }),
      ...(taken === undefined ? {} : { taken }),
    };
    return document as unknown as Durable;
  }

  #sleep(): void {
    const { now } = this.#context;
    let at = this.#beatDue;
    const election = this.#raft.electionDue;
    if (election >= 0 && election < at) at = election;
    const due = this.#detector.due;
    if (due >= 0 && due < at) at = due;
    if (this.#right.held && this.#holder.until < at) at = this.#holder.until;
    if (at <= now) at = now + WAKE_MIN;
    if (at === this.#wakeAt) return;
    this.#wakeAt = at;
    this.#context.decide({ kind: 'wake-at', at });
  }
}
