/** One voter of the log alone, whose messages a test delivers by hand, in any order. */
import { flagsOf } from '../../engine/cluster/canaries.ts';
import { Context } from '../../engine/cluster/context.ts';
import { Links } from '../../engine/cluster/heartbeat.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import { Durability } from '../../engine/cluster/persist.ts';
import { Raft, type RaftDurable } from '../../engine/cluster/raft.ts';
import { EMPTY_STATE } from '../../engine/cluster/state.ts';
import { Rng } from '../../engine/core/rng.ts';
import { STILL } from './control-fixtures.ts';
import { testConfig } from './control-host.ts';

/** A message on its way. */
export interface Letter {
  readonly from: number;
  readonly to: number;
  readonly message: ControlMessage;
}

const VOTERS = [1, 2, 3].map((node) => ({ node, identity: 1000 + node, past: [] }));
const STATE = { ...EMPTY_STATE, voters: VOTERS };
const FOUNDED: RaftDurable = {
  term: 1,
  votedFor: 0,
  snapIndex: 1,
  snapTerm: 1,
  snapState: STATE,
  entries: [],
  commit: 1,
};

export class Voter {
  readonly raft: Raft;
  /** What it has sent and nobody delivered yet. */
  sent: Letter[] = [];
  /** Events of the entries that it applied. */
  readonly applied: string[] = [];
  /** Last index of the log that is durable. */
  durableLast = 0;
  readonly #node: number;
  readonly #context: Context;
  readonly #durability: Durability;

  constructor(node: number) {
    this.#node = node;
    this.#context = new Context(testConfig(), node, new Rng(1, node), flagsOf(new Set()), () => {});
    this.#context.identity = 1000 + node;
    this.#context.life = node;
    this.#context.now = 1_000_000;
    this.#durability = new Durability(this.#context);
    this.raft = new Raft(this.#context, this.#durability, new Links(this.#context, () => STILL), {
      state: STATE,
      apply: (entry) => this.applied.push(entry.event),
      install: () => {},
      leaderChanged: () => {},
    });
    this.raft.start(FOUNDED);
    this.#settle();
  }

  /** Stands for election, `later` µs from now. */
  campaign(later: number): void {
    this.#context.now += later;
    this.raft.tick();
    this.#settle();
  }

  /** Hears of another life of `node`; when it would then stand for election, in µs from now. */
  meetReborn(node: number): number {
    this.raft.reborn(node);
    return this.raft.electionDue - this.#context.now;
  }

  /** Asks for votes whenever its time has come, up to `span` µs from now. */
  wait(span: number): void {
    const end = this.#context.now + span;
    this.#context.now = Math.max(this.#context.now, Math.min(end, this.raft.electionDue));
    this.raft.tick();
    this.#context.now = end;
    this.#settle();
  }

  propose(...events: readonly string[]): void {
    for (const event of events) this.raft.propose({ kind: 'noop', event });
    this.#settle();
  }

  receive({ from, message }: Letter): void {
    // As over a wire: nothing is shared with the sender.
    const m = JSON.parse(JSON.stringify(message));
    if (m.kind === 'vote') this.raft.onVote(from, m);
    else if (m.kind === 'vote-ack') this.raft.onVoteAck(from, m);
    else if (m.kind === 'append') this.raft.onAppend(from, m);
    else if (m.kind === 'append-ack') this.raft.onAppendAck(from, m);
    else if (m.kind === 'snapshot') this.raft.onSnapshot(from, m);
    this.#settle();
  }

  /** Takes the newest undelivered message of `kind` to `to`; the rest is lost. */
  take(kind: string, to: number): Letter {
    const letter = this.sent.filter((l) => l.to === to && l.message.kind === kind).pop();
    if (letter === undefined) throw new Error(`no ${kind} to ${to} was sent`);
    return letter;
  }

  /** The disk is fast here: everything is durable at once. */
  #settle(): void {
    for (let again = true; again; ) {
      again = false;
      this.#durability.flush(() => ({ raft: this.raft.durable() }));
      for (const decision of this.#context.take()) {
        if (decision.kind === 'send') {
          this.sent.push({ from: this.#node, to: decision.to, message: decision.message });
        }
        if (decision.kind !== 'persist') continue;
        const { snapIndex, entries } = decision.durable['raft'] as RaftDurable;
        this.durableLast = snapIndex + entries.length;
        this.#durability.persisted(decision.token);
        this.raft.persisted();
        again = true;
      }
    }
  }
}

/** Delivers everything between `voters` until nobody has anything to say. */
export function deliverAll(voters: readonly Voter[], nodes: readonly number[]): void {
  for (let round = 0; round < 60; round += 1) {
    const letters = voters.flatMap((voter) => voter.sent.splice(0));
    if (letters.length === 0) return;
    for (const letter of letters) voters[nodes.indexOf(letter.to)]?.receive(letter);
  }
}
