/**
 * One voter of the replicated log: Raft with pre-vote and check-quorum, after the published
 * algorithm. What is its own: heartbeats carry the keep-alive and the acknowledgement, and a
 * voter whose disk was lost neither votes nor counts until the others readmit its new identity.
 * Promises (votes, agreement) leave only when they are durable.
 */
import { invariant } from '../core/invariant.ts';
import type { Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { Entry } from './entries.ts';
import type { Links, Peer } from './heartbeat.ts';
import type {
  AppendAckMessage,
  AppendMessage,
  Heartbeat,
  SnapshotMessage,
  VoteAckMessage,
  VoteMessage,
} from './messages.ts';
import type { Durability } from './persist.ts';
import { type LogEntry, RaftLog } from './raft-log.ts';
import { Replication } from './replication.ts';
import { type ClusterState, EMPTY_STATE, identityOf, majorityOf } from './state.ts';

/** Committed entries beyond the snapshot at which they are folded into a new one. */
const COMPACT_AT = 96;

/** What of the log the next life of the core begins with. */
export interface RaftDurable {
  readonly term: number;
  readonly votedFor: NodeId;
  readonly snapIndex: number;
  readonly snapTerm: number;
  readonly snapState: ClusterState;
  readonly entries: readonly LogEntry[];
  readonly commit: number;
}

/** The state machine behind the log. */
export interface Machine {
  readonly state: ClusterState;
  /** Applies the committed entry at `index`. */
  apply(entry: Entry, index: number): void;
  /** Takes over a snapshot. */
  install(state: ClusterState): void;
  /** This node began or ceased to lead, or follows another leader. */
  leaderChanged(): void;
}

export class Raft {
  readonly #context: Context;
  readonly #durability: Durability;
  readonly #links: Links;
  readonly #machine: Machine;
  readonly #compactAt: number;
  #log = new RaftLog(0, 0, []);
  #snapState: ClusterState = EMPTY_STATE;
  #role: 'follower' | 'pre' | 'candidate' | 'leader' = 'follower';
  #term = 0;
  #votedFor: NodeId = 0;
  #leader: NodeId = 0;
  #commit = 0;
  /** Agreement with the leader of this term, and the part of it that is durable. */
  #matched = 0;
  #durableMatched = 0;
  #writing: { readonly term: number; readonly matched: number } | null = null;
  #electionDue: Micros = 0;
  #leaderHeard: Micros = -1;
  #ledSince: Micros = 0;
  #firstOwn = 0;
  /** Why it campaigns, '' for silence that nobody told of; and the event in which it did. */
  #why = '';
  #campaigned = '';
  /** The event in which it began to lead, '' while it does not. */
  #led = '';
  #votes = new Set<NodeId>();
  readonly #replication: Replication;

  constructor(
    context: Context,
    durability: Durability,
    links: Links,
    machine: Machine,
    compactAt: number = COMPACT_AT,
  ) {
    this.#compactAt = compactAt;
    this.#context = context;
    this.#durability = durability;
    this.#links = links;
    this.#machine = machine;
    this.#replication = new Replication(context, links, machine);
  }

  get term(): number {
    return this.#term;
  }

  get leader(): NodeId {
    return this.#leader;
  }

  get commit(): number {
    return this.#commit;
  }

  /** What heartbeats acknowledge. */
  get acknowledged(): number {
    return this.#durableMatched;
  }

  /** The event in which it began to lead, '' while it does not. */
  get led(): string {
    return this.#led;
  }

  get leads(): boolean {
    return this.#role === 'leader';
  }

  /** Leads, and has applied everything committed before: may plan. */
  get governs(): boolean {
    return this.#role === 'leader' && this.#commit >= this.#firstOwn;
  }

  get electionDue(): Micros {
    return this.#role !== 'leader' && this.#admitted() ? this.#electionDue : -1;
  }

  start(durable: RaftDurable | null): void {
    if (durable !== null) {
      this.#term = durable.term;
      this.#votedFor = durable.votedFor;
      this.#log = new RaftLog(durable.snapIndex, durable.snapTerm, durable.entries);
      this.#snapState = durable.snapState;
      this.#machine.install(durable.snapState);
      this.#commit = durable.snapIndex;
      this.#commitTo(durable.commit);
    }
    this.#resetElection();
  }

  durable(): RaftDurable {
    this.#writing = { term: this.#term, matched: this.#matched };
    return {
      term: this.#term,
      votedFor: this.#context.flags['vote-not-persisted'] ? 0 : this.#votedFor,
      snapIndex: this.#log.snapIndex,
      snapTerm: this.#log.snapTerm,
      snapState: this.#snapState,
      entries: this.#log.copy(),
      commit: this.#commit,
    };
  }

  /** The document handed out last is durable: agreement may be told. */
  persisted(): void {
    const writing = this.#writing;
    this.#writing = null;
    if (writing === null || writing.term !== this.#term) return;
    if (writing.matched <= this.#durableMatched) return;
    this.#durableMatched = writing.matched;
    if (this.#role === 'leader') this.#advance();
    else if (this.#leader !== 0) this.#acknowledge(this.#leader, true, 0, this.#durableMatched);
  }

  /** The first log: genesis, agreed by all voters before anyone may lead. */
  found(genesis: Entry, first: boolean): void {
    invariant(this.#log.last === 0, 'genesis is the first entry');
    this.#log.append({ term: 1, entry: genesis });
    this.#term = Math.max(this.#term, 1);
    this.#durability.mark();
    this.#commitTo(1);
    this.#resetElection();
    this.#why = genesis.event;
    if (first) this.#electionDue = this.#context.now;
  }

  tick(): void {
    const { now, timing } = this.#context;
    if (this.#role === 'leader') {
      let heard = 1;
      const silent: string[] = [];
      for (const voter of this.#machine.state.voters) {
        const peer = this.#links.peer(voter.node);
        if (peer === null) continue;
        if (now - peer.heardAt <= 2 * timing.election) heard += 1;
        else if (peer.suspectEvent !== '') silent.push(peer.suspectEvent);
      }
      const quorum = heard >= majorityOf(this.#machine.state.voters.length);
      if (!quorum && now - this.#ledSince >= 2 * timing.election) {
        if (this.#context.flags['stale-leader-commits']) return;
        this.#context.reached('leader-resigned');
        const d = { term: this.#term, reason: 'no-quorum' };
        const [cause = '', ...reads] = silent;
        this.#why = this.#context.event('log.resigned', d, cause, reads);
        this.#follow(this.#term, 0);
      }
      return;
    }
    if (now >= this.#electionDue && this.#admitted()) this.#campaign(true);
  }

  /** Leader's keep-alive for peers that hear it only through a relay, and retries for all. */
  keepAlive(): void {
    if (this.#role !== 'leader') return;
    for (const peer of this.#links.peers) {
      const behind = this.#replication.matched(peer.node) < this.#log.last;
      if (!peer.up || behind) this.#replicate(peer.node);
    }
  }

  /** Appends an entry as leader. */
  propose(entry: Entry): void {
    invariant(this.#role === 'leader', 'only a leader appends');
    this.#log.append({ term: this.#term, entry });
    this.#matched = this.#log.last;
    this.#durability.mark();
    for (const peer of this.#links.peers) this.#replicate(peer.node);
  }

  onHeartbeat(peer: Peer, beat: Heartbeat): void {
    if (beat.term > this.#term) this.#follow(beat.term, beat.leader === peer.node ? peer.node : 0);
    if (beat.term < this.#term) return;
    if (beat.leader === peer.node) {
      this.#hearLeader(peer.node);
      this.#commitTo(Math.min(beat.commit, this.#matched));
      return;
    }
    if (this.#role !== 'leader') return;
    // A peer that does not follow yet, or lost its place by a restart, is shown where we are.
    if (beat.leader === this.#context.node) this.#noteMatch(peer.node, beat.matched, beat.identity);
    if (beat.leader !== this.#context.node || beat.matched < this.#log.last) {
      if (this.#replication.fresh(peer.node, beat.sent)) this.#replicate(peer.node);
    }
  }

  /**
   * A node came back in another life. Who led in the one before leads no more: nobody need wait for
   * its silence, and the votes are drawn apart as ever.
   */
  reborn(node: NodeId): void {
    if (this.#role !== 'follower' || this.#leader !== node) return;
    const { now, rng, timing } = this.#context;
    this.#follow(this.#term, 0);
    this.#why = this.#links.peer(node)?.lifeEvent ?? '';
    this.#leaderHeard = -1;
    const soon = now + rng.below(Math.max(1, Math.floor(timing.heartbeat / 5)));
    this.#electionDue = Math.min(this.#electionDue, soon);
  }

  onVote(from: NodeId, message: VoteMessage): void {
    if (!this.#admitted()) return;
    const { now, timing } = this.#context;
    // A voter that hears its leader helps nobody to depose it.
    const follows =
      this.#role === 'leader' ||
      (this.#leader !== 0 && this.#leaderHeard >= 0 && now - this.#leaderHeard < timing.election);
    const newer =
      message.lastTerm > this.#log.lastTerm ||
      (message.lastTerm === this.#log.lastTerm && message.last >= this.#log.last);
    if (follows) {
      this.#context.reached('prevote-refused');
      return;
    }
    if (message.pre) {
      this.#answerVote(from, message, newer && message.term > this.#term);
      return;
    }
    if (message.term > this.#term) this.#follow(message.term, 0);
    if (message.term < this.#term) return;
    const free = this.#votedFor === 0 || this.#votedFor === from;
    if (!newer || !free) {
      this.#answerVote(from, message, false);
      return;
    }
    if (this.#votedFor !== from) {
      this.#votedFor = from;
      this.#durability.mark();
    }
    this.#resetElection();
    this.#durability.after(() => this.#answerVote(from, message, true));
  }

  onVoteAck(from: NodeId, message: VoteAckMessage): void {
    if (!message.granted) {
      if (message.term > this.#term) this.#follow(message.term, 0);
      return;
    }
    if (!this.#known(from, message.identity)) return;
    const asked = this.#role === 'pre' ? this.#term + 1 : this.#term;
    if (message.term !== asked || message.pre !== (this.#role === 'pre')) return;
    if (this.#role !== 'pre' && this.#role !== 'candidate') return;
    this.#votes.add(from);
    this.#countVotes();
  }

  onAppend(from: NodeId, message: AppendMessage): void {
    if (message.term < this.#term) {
      this.#acknowledge(from, false, message.previous, 0);
      return;
    }
    const { flags } = this.#context;
    const rival = this.#role === 'leader' && message.term === this.#term;
    invariant(!rival || flags['vote-not-persisted'], 'a term has one leader');
    if (message.term > this.#term || this.#leader !== from) this.#follow(message.term, from);
    this.#hearLeader(from);
    const log = this.#log;
    let previous = message.previous;
    let entries = message.entries;
    if (previous < log.snapIndex) {
      entries = entries.slice(log.snapIndex - previous);
      previous = Math.min(log.snapIndex, message.previous + message.entries.length);
    } else if (log.termAt(previous) !== message.previousTerm) {
      const hint = previous > log.last ? log.last : Math.max(this.#commit, previous - 1);
      this.#acknowledge(from, false, message.previous, hint);
      return;
    }
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      if (entry === undefined) break;
      const index = previous + 1 + i;
      if (index <= log.last) {
        if (log.termAt(index) === entry.term) continue;
        invariant(index > this.#commit, 'a committed entry is never overwritten');
        this.#context.reached('log-truncated');
        log.truncate(index);
      }
      log.append(entry);
      this.#durability.mark();
    }
    const matched = previous + entries.length;
    if (matched > this.#matched) {
      this.#matched = matched;
      this.#durability.mark();
    }
    this.#commitTo(Math.min(message.commit, this.#matched));
    // Otherwise the answer follows when it is durable.
    if (this.#durableMatched >= matched) this.#acknowledge(from, true, 0, this.#durableMatched);
  }

  onAppendAck(from: NodeId, message: AppendAckMessage): void {
    if (message.term > this.#term) this.#follow(message.term, 0);
    if (this.#role !== 'leader' || message.term !== this.#term) return;
    if (message.ok) {
      this.#noteMatch(from, message.matched, message.identity);
      return;
    }
    const { previous, matched, identity } = message;
    if (this.#replication.refused(from, previous, matched, identity)) this.#replicate(from);
  }

  onSnapshot(from: NodeId, message: SnapshotMessage): void {
    if (message.term < this.#term) return;
    if (message.term > this.#term || this.#leader !== from) this.#follow(message.term, from);
    this.#hearLeader(from);
    const { index, indexTerm } = message;
    if (index > this.#commit && this.#log.termAt(index) !== indexTerm) {
      this.#context.reached('log-snapshot-installed');
      this.#context.cause = this.#context.event('log.snapshot', { index });
      this.#log.reset(index, indexTerm);
      this.#snapState = message.state;
      this.#commit = index;
      this.#machine.install(message.state);
      this.#matched = index;
      this.#durableMatched = Math.min(this.#durableMatched, index);
      this.#durability.mark();
      return;
    }
    // A late snapshot of what the log has: what follows in the log may be acknowledged already, and
    // committed by that, so it stays.
    if (index > this.#matched) {
      this.#matched = index;
      this.#durability.mark();
    }
    this.#commitTo(index);
    this.#acknowledge(from, true, 0, this.#durableMatched);
  }

  /** The newest identity of a voter in the log, committed or not: whose vote a candidate counts. */
  #known(node: NodeId, identity: number): boolean {
    if (this.#context.flags['blank-voter-votes']) return true;
    let newest = identityOf(this.#machine.state, node);
    for (const { entry } of this.#log.from(this.#commit + 1, this.#log.last - this.#commit)) {
      if (entry.kind === 'readmit' && entry.node === node) newest = entry.identity;
    }
    return newest === identity && identity !== 0;
  }

  #admitted(): boolean {
    const { flags, node, identity } = this.#context;
    if (flags['blank-voter-votes']) return true;
    return identity !== 0 && identityOf(this.#machine.state, node) === identity;
  }

  #campaign(pre: boolean): void {
    const { node } = this.#context;
    this.#resetElection();
    this.#votes.clear();
    const silent = this.#links.peer(this.#leader)?.suspectEvent ?? '';
    if (silent !== '') this.#why = silent;
    this.#leader = 0;
    if (pre) {
      this.#role = 'pre';
    } else {
      this.#role = 'candidate';
      this.#setTerm(this.#term + 1);
      this.#votedFor = node;
      this.#campaigned = this.#context.event('log.campaign', { term: this.#term }, this.#why);
    }
    const term = pre ? this.#term + 1 : this.#term;
    this.#durability.after(() => {
      if (this.#role !== (pre ? 'pre' : 'candidate')) return;
      if (term !== (pre ? this.#term + 1 : this.#term)) return;
      this.#votes.add(node);
      const { boot, life } = this.#context;
      const last = this.#log.last;
      const lastTerm = this.#log.lastTerm;
      const event = pre ? this.#why || this.#context.started : this.#campaigned;
      this.#links.broadcast({ kind: 'vote', boot, life, event, term, pre, last, lastTerm });
    });
  }

  #countVotes(): void {
    // Before genesis nobody is admitted, so there is nothing to count.
    const voters = this.#machine.state.voters.length;
    if (voters === 0 || this.#votes.size < majorityOf(voters)) return;
    if (this.#role === 'pre') {
      this.#campaign(false);
      return;
    }
    this.#role = 'leader';
    this.#leader = this.#context.node;
    this.#ledSince = this.#context.now;
    this.#firstOwn = this.#log.last + 1;
    const event = this.#context.event('log.leader', { term: this.#term }, this.#campaigned);
    this.#led = event;
    this.#replication.begin(this.#log.last, event);
    this.#machine.leaderChanged();
    this.propose({ kind: 'noop', event });
  }

  #follow(term: number, leader: NodeId): void {
    const changed = leader !== 0 && leader !== this.#leader;
    const led = this.#role === 'leader';
    if (term > this.#term) this.#setTerm(term);
    else if (changed) this.#durableMatched = 0;
    if (changed) this.#matched = 0;
    this.#role = 'follower';
    this.#led = '';
    if (leader !== 0) this.#why = '';
    this.#leader = leader;
    if (leader !== 0 || led) this.#resetElection();
    if (changed) this.#context.event('log.following', { leader, term });
    if (changed || led) this.#machine.leaderChanged();
  }

  #setTerm(term: number): void {
    this.#term = term;
    this.#votedFor = 0;
    this.#matched = 0;
    this.#durableMatched = 0;
    this.#leaderHeard = -1;
    this.#durability.mark();
  }

  #hearLeader(leader: NodeId): void {
    if (this.#leader !== leader) this.#follow(this.#term, leader);
    this.#leaderHeard = this.#context.now;
    this.#resetElection();
  }

  #resetElection(): void {
    const { now, rng, timing } = this.#context;
    this.#electionDue = now + timing.election + rng.below(timing.election);
  }

  #answerVote(to: NodeId, asked: VoteMessage, granted: boolean): void {
    const { boot, life, identity } = this.#context;
    const { pre } = asked;
    // A refusal carries our own term, so that a candidate behind it catches up.
    const term = granted ? asked.term : this.#term;
    const event = this.#context.said;
    this.#links.send(to, { kind: 'vote-ack', boot, life, event, term, pre, granted, identity });
  }

  #acknowledge(to: NodeId, ok: boolean, previous: number, matched: number): void {
    const { boot, life, identity } = this.#context;
    const term = this.#term;
    const event = this.#context.said;
    this.#links.send(to, {
      kind: 'append-ack',
      boot,
      life,
      event,
      term,
      ok,
      previous,
      matched,
      identity,
    });
  }

  #replicate(to: NodeId): void {
    this.#replication.send(to, this.#log, this.#term, this.#commit, this.#snapState);
  }

  #noteMatch(from: NodeId, matched: number, identity: number): void {
    invariant(matched <= this.#log.last, 'nobody agrees with what the leader does not have');
    if (!this.#replication.note(from, matched, identity)) return;
    this.#advance();
    if (matched < this.#log.last) this.#replicate(from);
  }

  #advance(): void {
    const own = this.#admitted() ? this.#durableMatched : 0;
    const planted = this.#context.flags['stale-leader-commits'];
    const index = planted ? this.#durableMatched : this.#replication.agreed(own);
    // Only entries of the own term are committed by counting (the published figure 8).
    if (index <= this.#commit || this.#log.termAt(index) !== this.#term) return;
    this.#commitTo(index);
    // Told at once: an owner must not wait for the next heartbeat.
    for (const peer of this.#links.peers) this.#replicate(peer.node);
  }

  #commitTo(index: number): void {
    const target = Math.min(index, this.#log.last);
    while (this.#commit < target) {
      this.#commit += 1;
      this.#machine.apply(this.#log.at(this.#commit).entry, this.#commit);
    }
    if (this.#commit - this.#log.snapIndex < this.#compactAt) return;
    this.#context.reached('log-compacted');
    this.#compact();
  }

  #compact(): void {
    // The snapshot's state is the applied one, so that a compaction folds no entry twice.
    this.#log.compact(this.#commit);
    this.#snapState = this.#machine.state;
    this.#durability.mark();
  }
}
