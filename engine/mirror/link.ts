/**
 * The replication link to one peer, as one incarnation after another: handshake, what it carries
 * now, and its loss. The primary leads every handshake. A failed incarnation never carries state
 * again.
 */
import { Decision, Flag, PAGE_BYTES, Status } from '../data/abi.ts';
import type { LinkState, VolumeRecord } from '../data/messages.ts';
import { lossOf } from './branch.ts';
import { type Comparison, compareReplicas, decisionHash, type ReplicaView } from './compare.ts';
import { NO_DISK } from './generation.ts';
import type { DiskOf, PeerMessage } from './messages.ts';
import { decodePeerMessage, encodePeerMessage, Feature, Outcome } from './messages.ts';
import { linkStateOf, Mode } from './mode.ts';
import { outcomeOf } from './outcome.ts';
import { Owed } from './owed.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { PeerFlushes } from './peer-flush.ts';
import { Kind, Peer, Phase } from './request.ts';
import { Stream } from './stream.ts';
import { watchOf } from './turn.ts';
import { helloOf, misfitOf, viewFor } from './view.ts';

export class Link {
  readonly #p: Parts;
  readonly #partner: Partner;
  /** What the peer owes. */
  readonly owed: Owed;
  readonly #page = new Uint8Array(PAGE_BYTES);
  /** The present incarnation, 0 for none. */
  id = 0;
  mode: number = Mode.None;
  /** From its hello: the peer's host life, and whether it says digests when it is copied to. */
  peerBoot = 0;
  comparesCopies = false;
  /** Its disk, as it says in this incarnation: {@link diskTag}. */
  peerDisk: number = NO_DISK;
  /** Which disks others have, as the primary at the other end said it last. */
  disks: readonly DiskOf[] = [];
  readonly stream: Stream = new Stream();
  #round = 0;
  /** Views frozen for the running round. */
  #self: ReplicaView | null = null;
  #peer: ReplicaView | null = null;
  #comparison: Comparison | null = null;
  #outcome = 0;
  #refused = false;
  /** A primary's hello that waits for an answer. */
  #waiting: { round: number; view: ReplicaView; record: VolumeRecord } | null = null;
  /** What the peer asked to be flushed. */
  readonly flushes: PeerFlushes;
  /** As a follower: up to which write everything is stable on every member. */
  stable = 0;
  /** Whether the peer said hello on this incarnation. */
  #heard = false;
  /** Id of the event in which it came up, and that in which the last one was given up here. */
  #upBy = '';
  #droppedBy = '';

  constructor(parts: Parts, partner: Partner) {
    this.#p = parts;
    this.#partner = partner;
    const { turn, slots, config } = parts;
    this.flushes = new PeerFlushes(parts, this);
    this.owed = new Owed(turn, {
      deadline: watchOf(partner.index),
      timeout: config.peerTimeout,
      // What a disk here is granted, one there is as well.
      patience: config.diskTimeout,
      slots: slots.count,
    });
  }

  /** Whether each write of a client is sent there, and completes when it is answered. */
  get mirrored(): boolean {
    if (this.mode === Mode.Copy) return !this.#partner.asynchronous;
    return this.mode === Mode.Sync || this.mode === Mode.Adding;
  }

  /** Whether the peer's writes are taken. */
  get following(): boolean {
    return this.mode === Mode.Follow || this.mode === Mode.Target || this.mode === Mode.Take;
  }

  get state(): LinkState {
    return this.#refused ? 'Refused' : linkStateOf(this.mode);
  }

  /** A new incarnation is up. */
  up(id: number): void {
    if (this.id !== 0) this.drop('replaced');
    this.id = id;
    this.stream.reset();
    this.#partner.told = true;
    this.#round = 0;
    this.#refused = false;
    this.#waiting = this.#self = null;
    this.owed.forget();
    this.flushes.forget();
    this.stable = 0;
    const { turn } = this.#p;
    // The backend makes another one for each that was given up here.
    turn.cause = this.#droppedBy;
    this.#droppedBy = '';
    this.#upBy = turn.cause = turn.event('mirror.link', { state: 'up', link: id });
    this.#heard = false;
    this.peerDisk = NO_DISK;
    this.disks = [];
    if (this.#p.state.attached) this.hello();
  }

  /** The present incarnation is down for good. */
  down(id: number): void {
    const { turn } = this.#p;
    turn.under(turn.event('mirror.link', { state: 'down', link: id }), () => this.#lost());
  }

  /** Gives the incarnation up and closes it. */
  drop(reason: string): void {
    if (this.id === 0) return;
    const { turn } = this.#p;
    this.#droppedBy = turn.event('mirror.link.drop', { reason, link: this.id });
    turn.emit(Decision.LinkClose, 0, this.id, 0, 0, 0, 0);
    turn.under(this.#droppedBy, () => this.#lost());
  }

  /**
   * A hand-over. The incarnation lives on without its old use where nothing on it can still be
   * unstable: a follower's, or one in step whose primary gave up its role. Any other is lost, so
   * that what the peer has only in its cache, copies of a resync too, becomes dirty again.
   */
  handOver(): void {
    const { state, barrier, peers } = this.#p;
    const clean = this.mode === Mode.Sync && state.demoted && !barrier.unstable;
    // Where another than this peer leads now, what still waits here must not come after its copies.
    const late = this.#p.partners.several && peers.isBusyWith(this.id);
    // The image of a replica that takes writes in their order ends with their link.
    const stays = clean || this.mode === Mode.None || (this.following && this.mode !== Mode.Take);
    if (!stays || late) {
      this.drop('record');
      return;
    }
    if (this.following) this.#p.follower.ended(this.#partner);
    // A copy that was about to be finished here is none any more.
    this.#p.target.linkLost(this.#partner);
    this.mode = Mode.None;
    this.#self = null;
    this.#refused = false;
    this.owed.forget();
  }

  /** Tells the peer what this replica is, when the link comes up or the replica attaches. */
  hello(): void {
    if (this.id !== 0) this.#sendHello(0, false, this.#view());
  }

  /** The primary opens a handshake, where one is due. */
  begin(): void {
    const { state, role } = this.#p;
    if (this.id === 0 || !this.#heard || this.mode !== Mode.None || this.#self !== null) return;
    if (this.#partner.leaving) return;
    if (!state.attached || state.record?.primary !== state.node || role.busy) return;
    if (state.demoting || state.demoted || state.fencing || !role.mayLeadLink()) return;
    if (this.#partner.branch.ahead) {
      // The peer follows no record of ours, so that it would never answer.
      this.#refuse('common-ancestor');
      return;
    }
    this.#refused = false;
    this.#round += 1;
    this.#self = this.#view();
    this.#comparison = null;
    this.#sendHello(this.#round, false, this.#self);
    this.owed.expect();
  }

  /** What stood in the way of a handshake may be gone. */
  again(): void {
    if (this.mode !== Mode.None || this.#refused) return;
    this.#self = null;
    this.begin();
  }

  /** A record was applied: a handshake that failed before may succeed now. */
  recordApplied(): void {
    if (this.mode === Mode.None && !this.#p.canary.relationKept) {
      this.#self = null;
      this.#refused = false;
      this.#p.source.abort(this.#partner);
    }
    this.begin();
    this.answerHello();
  }

  /** The secondary answers the primary's hello as soon as it may. */
  answerHello(): void {
    const w = this.#waiting;
    const { state, role, store, canary } = this.#p;
    if (w === null || this.id === 0 || !state.attached || role.busy || state.record === null)
      return;
    if (state.record.epoch > w.record.epoch) {
      this.#waiting = null;
      this.hello();
      return;
    }
    // A failed disk makes no epoch durable; its answer only says that there is no disk.
    const late = store.durableEpoch < w.record.epoch && state.disk !== 'Failed';
    if (state.record.epoch < w.record.epoch || late) return;
    if (state.record.primary !== this.#partner.node || state.fencing) return;
    this.#waiting = null;
    this.mode = Mode.None;
    this.#outcome = 0;
    this.#refused = false;
    this.#self = this.#view();
    this.#peer = w.view;
    this.#round = w.round;
    this.#comparison = compareReplicas(this.#self, w.view, canary, state.record.discard);
    this.#sendHello(w.round, true, this.#self);
    const hash = decisionHash(this.#self, w.view, this.#comparison, w.round);
    this.send({ kind: 'decision', round: w.round, hash, outcome: Outcome.Reply });
  }

  /** Sends a front-end write of `slot`, the `number`th by {@link nextNumber}. */
  sendFront(slot: number, offset: number, length: number, flags: number, number: number): void {
    const { write, sentOn, sequence } = this.#partner;
    write[slot] = Peer.Sent;
    sentOn[slot] = this.id;
    sequence[slot] = number;
    // Only a member's receipt counts for anything.
    const receipt = this.mode === Mode.Sync ? this.#p.proxy.receipt : 0;
    this.#sendWrite(slot, offset, length, flags | receipt, number);
  }

  /** Sends what this engine itself writes at the peer, for no client, from `slot`. */
  sendOwn(slot: number, offset: number, length: number, flags: number): void {
    const { slots } = this.#p;
    slots.peer[slot] = Peer.Sent;
    slots.link[slot] = this.id;
    const number = this.nextNumber;
    slots.sequence[slot] = number;
    this.#sendWrite(slot, offset, length, flags, number);
  }

  /**
   * The number of the next write. A slot has one header, whoever it is sent to: among several the
   * links count together, and the writes of one have gaps.
   */
  get nextNumber(): number {
    return this.#p.partners.several ? this.#p.partners.count() : this.stream.sent + 1;
  }

  #sendWrite(slot: number, offset: number, length: number, flags: number, number: number): void {
    const { turn, state, store, meters } = this.#p;
    this.stream.sends(number);
    if ((flags & Flag.Zero) === 0) meters.sent(length);
    // The request id is our slot: the peer's acknowledgement names it.
    turn.memory.headers.put(slot, state.epoch, number, store.block.generation, slot + 1);
    turn.emit(Decision.PeerWrite, slot, this.id, flags, offset, length, 0);
    this.owed.sent(slot);
  }

  /** A write of the peer must follow the one before it. */
  received(sequence: number): boolean {
    return this.stream.takes(sequence, this.#p.partners.several);
  }

  /** The peer answered the write of `slot`. */
  acked(id: number, slot: number, sequence: number, status: number): void {
    const { slots, turn, role, canary } = this.#p;
    const late = canary.lateWriteAnswer && id !== this.id;
    if (id !== this.id && !late) return;
    if (!this.#partner.isSent(slot, sequence, late ? 0 : id)) {
      if (late) return;
      if (canary.ackEarly) this.owed.got();
      else this.drop('garbage');
      return;
    }
    this.owed.answered(slot);
    if (status !== Status.Ok) {
      turn.reached('mirror.peer.refused-write');
      turn.cause = turn.event('mirror.peer.refused', { status });
      this.drop('refused-write');
      role.peerFailed(this.#partner);
      return;
    }
    if (slots.kind[slot] === Kind.Copy) this.#p.source.copied(slot);
    else if (slots.kind[slot] === Kind.Verify) this.#p.verify.chunk.acked(slot);
    else if (slots.phase[slot] === Phase.Flying) this.#p.writes.peerAcked(this.#partner, slot);
  }

  sendFlush(token: number): void {
    this.send({ kind: 'flush', token });
    this.owed.flushSent();
  }

  /** The primary tells the peer of a new epoch before the first write in it. */
  announce(record: VolumeRecord): void {
    const { partners, canary } = this.#p;
    const answers = partners.several || this.#p.proxy.active;
    this.#partner.told = !answers || canary.rule18;
    this.send({ kind: 'announce', record, disks: this.#p.partners.disks });
    if (answers) this.owed.expect();
  }

  /** Sends `message`, with the event being handled as its cause. */
  send(message: PeerMessage): void {
    if (this.id === 0) return;
    const length = encodePeerMessage(message, this.#p.turn.cause, this.#page);
    this.#p.turn.emitPage(Decision.PeerMessage, this.id, 0, length, this.#page);
  }

  /** Sends a message that the peer must answer. */
  ask(message: PeerMessage): void {
    this.send(message);
    this.owed.expect();
  }

  /** A peer's message arrived. */
  message(id: number, bytes: Uint8Array): void {
    if (id !== this.id) return;
    if (!this.#p.state.attached) {
      // The peer's hello came first: what it says will be asked for again.
      this.#heard = true;
      return;
    }
    const envelope = decodePeerMessage(bytes, this.#p.config.volume);
    if (envelope === null) {
      this.#p.turn.reached('mirror.link.garbage');
      this.drop('garbage');
      return;
    }
    if (envelope.cause !== '') this.#p.turn.cause = envelope.cause;
    this.#handle(envelope.message);
  }

  /** A peer that owes an answer is looked at. */
  watch(): void {
    const late = this.id === 0 ? '' : this.owed.look(this.#p.canary.owedForEver);
    if (late === '') return;
    this.#p.turn.reached(`mirror.link.${late}`);
    this.drop(late);
  }

  #handle(m: PeerMessage): void {
    const { barrier, flushes, source, target, role } = this.#p;
    if ('disks' in m) this.disks = m.disks;
    switch (m.kind) {
      case 'hello':
        this.#hello(m);
        return;
      case 'decision':
        this.#decision(m.round, m.hash, m.outcome);
        return;
      case 'announce':
        if (this.following) role.announced(m.record);
        return;
      case 'flush':
        if (this.following) this.flushes.ask(m.token);
        return;
      case 'flush-ack':
        this.owed.flushAnswered();
        this.#partner.moved = m.moved;
        if (m.status !== 0) this.drop('peer-flush');
        else if (!flushes.peerFlushed(this.#partner, m.token)) {
          barrier.peerFlushed(this.#partner, m.token);
        }
        return;
      case 'sync-held':
      case 'sync-ready':
      case 'map':
      case 'finished':
        this.owed.got();
        this.#refuse(source.message(m, this.#partner));
        return;
      case 'told':
        this.owed.got();
        if (m.epoch === this.#p.state.epoch) role.told(this.#partner);
        return;
      case 'stable':
        if (!this.following) return;
        this.stable = m.sequence;
        this.#p.writes.roomChanged();
        return;
      case 'covered':
        if (this.following && !this.#p.partners.told(m.node, m.sequence)) this.drop('garbage');
        return;
      case 'received':
      case 'point':
        this.#partner.shipping.message(m.kind, m.sequence);
        return;
      case 'sync-start':
      case 'map-request':
      case 'finish':
        target.message(m, this.#partner);
        return;
      case 'facts-ask':
      case 'facts':
        if (m.kind === 'facts') this.owed.got();
        this.#p.verify.quick.message(m, this);
        return;
    }
  }

  #hello(m: PeerMessage & { kind: 'hello' }): void {
    const { state, role } = this.#p;
    if (m.answer) this.owed.got();
    const misfit = misfitOf(m, this.#partner, this.#p);
    // One that waits for another layout is not given up for that: whoever leads waits as well.
    if (misfit === 'wire-version') this.#refuse(misfit);
    else if (misfit !== '') this.drop(misfit);
    if (misfit !== '') return;
    [this.peerBoot, this.peerDisk] = [m.view.boot, m.view.device ?? 0];
    this.comparesCopies = ((m.features ?? 0) & Feature.ComparesCopies) !== 0;
    const seen = compareReplicas(this.#view(), m.view, undefined, lossOf(state.record, m.record));
    if (seen.reason.startsWith('other-')) {
      this.#refuse(seen.reason);
      return;
    }
    this.#partner.branch.met(m.view, seen);
    const id = this.id;
    this.#heard = true;
    if (!m.answer && m.round > 0 && this.following) {
      // The primary begins anew: its old writes are all before this, so the record need not wait
      // to be announced.
      this.#p.follower.ended(this.#partner);
      this.mode = Mode.None;
      this.#p.target.linkLost(this.#partner);
    }
    // That this host is to lead it may hear from its own control only: the record may be of an
    // earlier life of this host, and control knows whether its copy may still lead.
    const { canary, turn } = this.#p;
    const hearsay = m.record?.primary === state.node && !canary.ledByHearsay;
    if (m.record !== null && !hearsay) role.onRecord(m.record, turn.cause);
    // The record may have ended this incarnation.
    if (this.id !== id) return;
    if (m.answer) this.#answered(m.round, m.view);
    else if (m.round > 0 && m.record !== null) {
      this.#waiting = { round: m.round, view: m.view, record: m.record };
      this.answerHello();
    } else this.#greeted();
  }

  /** The peer told what it is: a round that it could not answer begins anew. */
  #greeted(): void {
    if (this.mode === Mode.None && this.#self !== null && this.#comparison === null) {
      this.#self = null;
      this.owed.got();
    }
    this.begin();
  }

  #answered(round: number, view: ReplicaView): void {
    if (round !== this.#round || this.#self === null || this.mode !== Mode.None) return;
    this.#peer = view;
    const { canary, state } = this.#p;
    this.#comparison = compareReplicas(this.#self, view, canary, state.record?.discard);
    this.owed.expect();
  }

  #decision(round: number, hash: number, outcome: number): void {
    const { turn } = this.#p;
    const c = this.#comparison;
    if (outcome === Outcome.Reply) this.owed.got();
    if (c === null || this.#self === null || this.#peer === null || round !== this.#round) return;
    if (decisionHash(this.#self, this.#peer, c, round) !== hash) {
      turn.reached('mirror.link.disagree');
      this.#report('disagree');
      this.drop('disagree');
      return;
    }
    if (outcome === Outcome.Reply) this.#decide(c, hash);
    else this.#agree(c, outcome);
  }

  /** The primary: what the comparison means under the committed record. */
  #decide(c: Comparison, hash: number): void {
    const { state, role, source, turn, canary } = this.#p;
    const record = state.record;
    if (record === null || record.primary !== state.node || role.busy) {
      this.#self = null;
      return;
    }
    const { verdict, reason } = c;
    turn.cause = turn.event('mirror.handshake', { verdict, reason, epoch: record.epoch });
    if (canary.equalClears && c.reason.startsWith('equal')) this.#partner.map.clearAll();
    const outcome = outcomeOf(c, this.#partner, this.#p);
    this.send({ kind: 'decision', round: this.#round, hash, outcome });
    if (outcome === Outcome.Sync) {
      this.mode = Mode.Sync;
      this.#partner.told = true;
      this.#equal();
      turn.cause = turn.event('mirror.link.sync', { link: this.id, epoch: record.epoch });
      role.connected(this.#partner);
    } else if (outcome === Outcome.Copy) source.begin(this.#partner);
    else if (outcome === Outcome.Refused) this.#refuse(c.reason);
    else {
      turn.reached('mirror.handshake.wait');
      role.notEqual(this.#partner);
    }
  }

  /** The secondary: whether the primary's outcome agrees with what it sees itself. */
  #agree(c: Comparison, outcome: number): void {
    const { state, turn, store } = this.#p;
    this.#outcome = outcome;
    const { record } = state;
    if (outcome === Outcome.Sync) {
      const member = record !== null && state.isMember(record, false);
      if (c.verdict !== 'none' || !member) this.#refuse('disagree');
      else {
        this.mode = Mode.Follow;
        this.#p.follower.begun();
        this.#equal();
        store.proved();
        this.#p.unproved.proved();
        turn.event('mirror.link.follow', { link: this.id, epoch: state.epoch });
      }
    } else if (outcome === Outcome.Copy) {
      if (c.verdict !== 'target' && c.verdict !== 'none') this.#refuse('disagree');
    } else if (outcome === Outcome.Refused) this.#refuse(c.reason);
  }

  /** Both replicas have the same: a map that begins now begins with this generation. */
  #equal(): void {
    this.#partner.isNow(this.#p.store.block.generation);
  }

  /** Whether this replica's map names everything that the peer of this handshake lacks. */
  get mapFits(): boolean {
    return this.#peer === null || this.#partner.fits(this.#peer);
  }

  /** Whether the primary has announced that it will copy to this replica. */
  get copyAgreed(): boolean {
    return this.#outcome === Outcome.Copy && this.#self !== null && !this.#refused;
  }

  /** Whether the target's branch is given up by order, so that no map tells what differs. */
  get byOrder(): boolean {
    return this.#comparison?.reason === 'resolved';
  }

  #refuse(reason: string): void {
    if (this.#refused || reason === '') return;
    this.#refused = true;
    const { turn, role } = this.#p;
    turn.reached('mirror.link.refused');
    const event = turn.event('mirror.link.refused', { reason, peer: this.#partner.node });
    turn.under(event, () => {
      this.#report(reason);
      role.peerFailed(this.#partner);
    });
  }

  #report(reason: string): void {
    const { turn, config } = this.#p;
    const { node } = this.#partner;
    turn.report({ kind: 'refused', volume: config.volume, peer: node, reason, cause: turn.cause });
  }

  #sendHello(round: number, answer: boolean, view: ReplicaView): void {
    const { turn } = this.#p;
    const hello = helloOf(this.#p, { round, answer, view });
    // Where nothing that is handled has an event, it is that there is a link at all.
    turn.under(turn.cause || this.#upBy, () => this.send(hello));
  }

  #view(): ReplicaView {
    return viewFor(this.#partner, this.#p);
  }

  #lost(): void {
    const { writes, barrier, peers, reads, repair, verify, source, target, role } = this.#p;
    const { flushes, follower } = this.#p;
    const { id, mode, mirrored, following } = this;
    this.id = 0;
    this.mode = Mode.None;
    this.#self = this.#comparison = this.#waiting = null;
    this.#outcome = 0;
    this.owed.forget();
    this.flushes.forget();
    if (following) follower.ended(this.#partner);
    if (mode === Mode.Ship) this.#partner.shipping.lost();
    if (mirrored) {
      writes.linkLost(this.#partner, id);
      barrier.lost(this.#partner);
    }
    source.linkLost(this.#partner, id);
    target.linkLost(this.#partner);
    peers.linkLost(id);
    reads.linkLost(id);
    repair.linkLost(id);
    verify.chunk.linkLost(this.#partner, id);
    verify.quick.linkLost(this);
    flushes.lost(this.#partner);
    this.#partner.branch.lost();
    role.linkLost(this.#partner, mode);
  }
}
