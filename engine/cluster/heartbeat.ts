/**
 * Links: every pair of nodes has several, all probed always. A link is up only when it was heard
 * both ways within `suspect`; a peer is suspect when all its links are down. A message to a peer
 * without a link goes through a peer that hears it. This part judges silence and nothing else.
 */
import { invariant } from '../core/invariant.ts';
import type { BootId, Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { ControlMessage, DirectMessage, FactsMessage, Heartbeat } from './messages.ts';

const LIVES_MAX = 16;
const NEVER = -1;

interface Link {
  up: boolean;
  heardAt: Micros;
  /** Newest `sent` of the peer heard here. */
  theirs: Micros;
  /** Newest `sent` of ours that the peer says it heard here. */
  ours: Micros;
}

/** What this node knows of another. */
export interface Peer {
  readonly node: NodeId;
  readonly links: Link[];
  /** Some link is up. */
  up: boolean;
  /** Id of the event that called it suspect, '' while it is up. */
  suspectEvent: string;
  boot: BootId;
  life: number;
  identity: number;
  /** Lives that ended: a message of one is late and is dropped. */
  readonly pastLives: number[];
  /** Anything heard at all, relayed messages included. */
  heardAt: Micros;
  hears: readonly NodeId[];
  facts: FactsMessage | null;
  /** Version of our facts that the peer has. */
  factsEcho: number;
  /** Version of its facts that it announced. */
  factsAnnounced: number;
}

/** The parts of a heartbeat that other modules fill in. */
export interface Beat {
  readonly term: number;
  readonly leader: NodeId;
  readonly commit: number;
  readonly matched: number;
  readonly facts: number;
  readonly lease: number;
}

export class Links {
  readonly #context: Context;
  readonly #peers: Peer[] = [];
  readonly #byNode = new Map<NodeId, Peer>();
  #hears: readonly NodeId[] = [];
  /** A link or a life changed since this was last cleared. */
  changed = false;

  constructor(context: Context) {
    this.#context = context;
    for (const node of context.config.nodes) {
      if (node.id === context.node) continue;
      const count = Math.max(1, Math.min(node.control.length, context.self.control.length));
      const links: Link[] = [];
      for (let i = 0; i < count; i++) {
        links.push({ up: false, heardAt: NEVER, theirs: NEVER, ours: NEVER });
      }
      const peer: Peer = {
        node: node.id,
        links,
        up: false,
        suspectEvent: '',
        boot: 0,
        life: 0,
        identity: 0,
        pastLives: [],
        heardAt: NEVER,
        hears: [],
        facts: null,
        factsEcho: -1,
        factsAnnounced: -1,
      };
      this.#peers.push(peer);
      this.#byNode.set(node.id, peer);
    }
  }

  get peers(): readonly Peer[] {
    return this.#peers;
  }

  peer(node: NodeId): Peer | null {
    return this.#byNode.get(node) ?? null;
  }

  /** Whether a message can reach the node: itself, a link, or a peer that hears it. */
  reachable(node: NodeId): boolean {
    if (node === this.#context.node) return true;
    const peer = this.#byNode.get(node);
    if (peer === undefined) return false;
    return peer.up || this.#relays(node).length > 0;
  }

  /**
   * Notes who speaks. False when the message is late, of a life that ended.
   */
  admit(peer: Peer, message: ControlMessage): boolean {
    if (message.life === peer.life) {
      peer.heardAt = this.#context.now;
      return true;
    }
    if (peer.pastLives.includes(message.life)) return false;
    const rebooted = peer.boot !== 0 && peer.boot !== message.boot;
    if (peer.life !== 0) {
      peer.pastLives.push(peer.life);
      if (peer.pastLives.length > LIVES_MAX) peer.pastLives.shift();
    }
    for (const link of peer.links) link.theirs = NEVER;
    this.changed = true;
    peer.life = message.life;
    peer.boot = message.boot;
    peer.identity = 0;
    peer.facts = null;
    peer.factsEcho = -1;
    peer.factsAnnounced = -1;
    peer.heardAt = this.#context.now;
    this.#context.event('peer.life', { peer: peer.node, boot: message.boot, rebooted });
    return true;
  }

  onHeartbeat(peer: Peer, number: number, beat: Heartbeat): void {
    const context = this.#context;
    const link = peer.links[number];
    if (link === undefined) return;
    link.heardAt = context.now;
    if (beat.sent > link.theirs) link.theirs = beat.sent;
    if (beat.yours === context.life) {
      if (beat.heard > link.ours && beat.heard <= context.now) link.ours = beat.heard;
      if (beat.factsHeard > peer.factsEcho) peer.factsEcho = beat.factsHeard;
    }
    peer.identity = beat.identity;
    peer.hears = beat.hears;
    if (beat.facts > peer.factsAnnounced) peer.factsAnnounced = beat.facts;
    if (!link.up) this.#judge(peer, link, number);
  }

  /** Notices silence. */
  tick(): void {
    for (const peer of this.#peers) {
      for (let i = 0; i < peer.links.length; i++) {
        const link = peer.links[i];
        if (link !== undefined) this.#judge(peer, link, i);
      }
      const { now, startedAt, timing } = this.#context;
      if (!peer.up && peer.suspectEvent === '' && now - startedAt >= timing.suspect) {
        peer.suspectEvent = this.#context.event('peer.suspect', { peer: peer.node }, '');
        this.changed = true;
      }
    }
  }

  /** One heartbeat to every peer on every link. */
  beat(fields: Beat): void {
    const { now, boot, life, identity } = this.#context;
    for (const peer of this.#peers) {
      const factsHeard = peer.facts === null ? -1 : peer.facts.version;
      for (let i = 0; i < peer.links.length; i++) {
        const heard = peer.links[i]?.theirs ?? NEVER;
        this.#context.decide({
          kind: 'send',
          to: peer.node,
          link: i,
          message: {
            kind: 'heartbeat',
            boot,
            life,
            event: '',
            identity,
            sent: now,
            yours: peer.life,
            heard,
            term: fields.term,
            leader: fields.leader,
            commit: fields.commit,
            matched: fields.matched,
            facts: fields.facts,
            factsHeard,
            lease: fields.lease,
            hears: this.#hears,
          },
        });
      }
    }
  }

  /** Sends on all links, and through a relay when none is up. */
  send(to: NodeId, message: DirectMessage): void {
    this.#context.decide({ kind: 'send', to, link: 'all', message });
    const peer = this.#byNode.get(to);
    invariant(peer !== undefined, 'messages go to configured nodes');
    if (peer.up) return;
    const { node, boot, life } = this.#context;
    for (const relay of this.#relays(to)) {
      this.#context.reached('relay-used');
      const wrapped: ControlMessage = {
        kind: 'relay',
        boot,
        life,
        event: '',
        from: node,
        to,
        inner: message,
      };
      this.#context.decide({ kind: 'send', to: relay, link: 'all', message: wrapped });
    }
  }

  broadcast(message: DirectMessage): void {
    for (const peer of this.#peers) this.send(peer.node, message);
  }

  /** Up peers that hear the node: at most two, so that a big cluster does not flood. */
  #relays(to: NodeId): readonly NodeId[] {
    const relays: NodeId[] = [];
    for (const peer of this.#peers) {
      if (peer.node === to || !peer.up || !peer.hears.includes(to)) continue;
      relays.push(peer.node);
      if (relays.length === 2) break;
    }
    return relays;
  }

  #judge(peer: Peer, link: Link, number: number): void {
    const { now, timing } = this.#context;
    const heard = link.heardAt >= 0 && now - link.heardAt <= timing.suspect;
    const echoed = link.ours >= 0 && now - link.ours <= timing.suspect;
    if (heard && !echoed && link.ours >= 0) this.#context.reached('link-one-way');
    const up = heard && echoed;
    if (up === link.up) return;
    link.up = up;
    this.changed = true;
    this.#context.event(up ? 'link.up' : 'link.down', { peer: peer.node, link: number }, '');
    const any = peer.links.some((other) => other.up);
    if (any === peer.up) return;
    peer.up = any;
    if (any) {
      peer.suspectEvent = '';
      this.#context.event('peer.up', { peer: peer.node }, '');
    } else {
      peer.suspectEvent = this.#context.event('peer.suspect', { peer: peer.node }, '');
    }
    this.#hears = this.#peers.filter((other) => other.up).map((other) => other.node);
  }
}
