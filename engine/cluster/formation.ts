/**
 * The first log. Only when all configured voters are blank and hear one another does the lowest
 * node offer a genesis, and only when all have durably accepted that very offer does it count.
 * A voter never forms a cluster with a part of the others: it could be a second one.
 */
import type { NodeId } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { GenesisEntry, Voter } from './entries.ts';
import type { Links } from './heartbeat.ts';
import type {
  FactsMessage,
  GenesisAcceptMessage,
  GenesisCommitMessage,
  GenesisOfferMessage,
} from './messages.ts';
import type { Durability } from './persist.ts';

export interface FormationDurable {
  readonly accepted: GenesisEntry | null;
  /** Proposers whose disk was lost: their offers are void. */
  readonly dead: readonly number[];
}

export class Formation {
  readonly #context: Context;
  readonly #links: Links;
  readonly #durability: Durability;
  /** Installs the agreed genesis. */
  readonly #found: (genesis: GenesisEntry, first: boolean) => void;
  #accepted: GenesisEntry | null = null;
  #dead: readonly number[] = [];
  #accepts = new Map<NodeId, number>();

  constructor(
    context: Context,
    links: Links,
    durability: Durability,
    found: (genesis: GenesisEntry, first: boolean) => void,
  ) {
    this.#context = context;
    this.#links = links;
    this.#durability = durability;
    this.#found = found;
  }

  restore(durable: FormationDurable): void {
    this.#accepted = durable.accepted;
    this.#dead = durable.dead;
  }

  durable(): FormationDurable {
    return { accepted: this.#accepted, dead: this.#dead };
  }

  /** Called while this voter is not formed. */
  tick(own: FactsMessage): void {
    const { config, node, identity } = this.#context;
    const lowest = config.nodes.reduce((low, n) => Math.min(low, n.id), node);
    if (lowest !== node) return;
    const all: FactsMessage[] = [own];
    for (const peer of this.#links.peers) {
      if (!peer.up || peer.facts === null || peer.facts.formed) return;
      all.push(peer.facts);
    }
    for (const volume of config.volumes) {
      for (const replica of volume.replicas) {
        const facts = this.#factsOf(replica.node, own);
        const known = facts?.volumes.find((v) => v.volume === volume.name);
        if (known === undefined || !known.attached) return;
      }
    }
    const mine = this.#accepted?.proposer === identity ? this.#accepted : null;
    if (mine === null || !this.#current(mine, own)) {
      if (this.#accepted !== null) this.#context.reached('genesis-replaced');
      this.#accepts.clear();
      this.#accepted = this.#compose(own, (mine?.ballot ?? 0) + 1);
      this.#durability.mark();
    }
    const entry = this.#accepted;
    if (entry === null) return;
    const { boot, life } = this.#context;
    const message: GenesisOfferMessage = {
      kind: 'genesis-offer',
      boot,
      life,
      event: entry.event,
      entry,
    };
    this.#durability.after(() => this.#links.broadcast(message));
  }

  onOffer(from: NodeId, message: GenesisOfferMessage): void {
    const { identity, boot, life, node } = this.#context;
    const { entry } = message;
    const peer = this.#links.peer(from);
    if (peer === null || peer.identity !== entry.proposer) return;
    if (this.#dead.includes(entry.proposer)) return;
    if (!entry.voters.some((v) => v.node === node && v.identity === identity)) return;
    const before = this.#accepted;
    if (before !== null && before.proposer === entry.proposer && entry.ballot < before.ballot) {
      return;
    }
    if (before === null || before.proposer !== entry.proposer || before.ballot !== entry.ballot) {
      if (before !== null && before.proposer !== entry.proposer) {
        this.#dead = [...this.#dead, before.proposer];
        this.#context.reached('genesis-replaced');
      }
      this.#accepted = entry;
      this.#durability.mark();
    }
    const { proposer, ballot } = entry;
    const { event } = entry;
    this.#durability.after(() => {
      this.#links.send(from, {
        kind: 'genesis-accept',
        boot,
        life,
        event,
        proposer,
        ballot,
        identity,
      });
    });
  }

  onAccept(from: NodeId, message: GenesisAcceptMessage): void {
    const entry = this.#accepted;
    if (entry === null || entry.proposer !== this.#context.identity) return;
    if (message.proposer !== entry.proposer || message.ballot !== entry.ballot) return;
    if (!entry.voters.some((v) => v.node === from && v.identity === message.identity)) return;
    this.#accepts.set(from, message.identity);
    if (this.#accepts.size < this.#links.peers.length) return;
    // Ours is durable: the offers left only after it was.
    this.#found(entry, true);
    this.#durability.after(() => this.tell());
  }

  /**
   * A formed voter tells those that are not: all have accepted, so all may go on. Again and again,
   * because without them there may be no majority to elect a leader that would tell.
   */
  tell(): void {
    const entry = this.#accepted;
    if (entry === null) return;
    const { boot, life } = this.#context;
    const { proposer, ballot, event } = entry;
    for (const peer of this.#links.peers) {
      if (peer.facts === null || peer.facts.formed) continue;
      const kind = 'genesis-commit';
      this.#links.send(peer.node, { kind, boot, life, event, proposer, ballot });
    }
  }

  onCommit(message: GenesisCommitMessage): void {
    const entry = this.#accepted;
    if (entry === null) return;
    if (entry.proposer !== message.proposer || entry.ballot !== message.ballot) return;
    this.#durability.after(() => this.#found(entry, false));
  }

  #factsOf(node: NodeId, own: FactsMessage): FactsMessage | null {
    if (node === this.#context.node) return own;
    return this.#links.peer(node)?.facts ?? null;
  }

  /** Whether the offer still names the voters that are there. */
  #current(entry: GenesisEntry, own: FactsMessage): boolean {
    return entry.voters.every((v) => this.#factsOf(v.node, own)?.identity === v.identity);
  }

  #compose(own: FactsMessage, ballot: number): GenesisEntry {
    const { config, identity } = this.#context;
    const voters: Voter[] = config.nodes.map((n) => {
      return { node: n.id, identity: this.#factsOf(n.id, own)?.identity ?? 0, past: [] };
    });
    const boots = config.nodes.map((n) => {
      return { node: n.id, boot: this.#factsOf(n.id, own)?.boot ?? 0 };
    });
    const volumes: VolumeRecord[] = config.volumes.map((volume) => {
      const good = volume.replicas.flatMap((replica) => {
        const facts = this.#factsOf(replica.node, own);
        const known = facts?.volumes.find((v) => v.volume === volume.name);
        if (facts === null || known === undefined) return [];
        // An asynchronous replica is in no set: it has what it has.
        if (replica.mode === 'async') return [];
        // Whole, and nobody has confirmed yet that it is current: that is what genesis does.
        if (known.disk !== 'UpToDate' && known.disk !== 'Consistent') return [];
        return [{ node: replica.node, boot: facts.boot, generation: known.generation }];
      });
      const generation = good[0]?.generation ?? 0;
      // Two lineages that both call themselves up to date are for a person to judge.
      const agreed = good.every((member) => member.generation === generation) ? good : [];
      const members = agreed
        .map((member) => ({ node: member.node, boot: member.boot }))
        .sort((a, b) => a.node - b.node);
      return { volume: volume.name, epoch: 1, primary: 0, members, generation };
    });
    const event = this.#context.event('log.formed', { voters: voters.length });
    return { kind: 'genesis', event, proposer: identity, ballot, voters, volumes, boots };
  }
}
