/**
 * Links: every pair of nodes has several, all probed always. A link is up only when it was heard
 * both ways within `suspect`; a peer is suspect when all its links are down. A message to a peer
 * without a link goes through a peer that hears it. This part judges silence and nothing else.
 */
import { invariant } from '../core/invariant.ts';
import type { BootId, Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { ControlMessage, DirectMessage, FactsMessage, Heartbeat } from './messages.ts';

const NEVER = -1;

interface Link {
  up: boolean;
  heardAt: Micros;
  /** Newest `sent` of the peer heard here. */
  theirs: Micros;
  /** Newest `sent` of ours that the peer says it heard here. */
  ours: Micros;
  /** Id of the event that called it down, '' while it is up and before it ever was. */
  downEvent: string;
  /** The life of the peer in which it was up last. */
  upIn: number;
}

/** What this node knows of another. */
export interface Peer {
  readonly node: NodeId;
  readonly links: Link[];
  /** Some link is up. */
  up: boolean;
  /** Id of the event that called it suspect, '' while it is up. */
  suspectEvent: string;
  /** Of those that told of its present life, and that it was heard again, and when that was. */
  lifeEvent: string;
  upEvent: string;
  upAt: Micros;
  boot: BootId;
  life: number;
  identity: number;
  /**
   * Our clock when the newest heartbeat left that this life of the peer has shown to have heard;
   * -1 before the first. Among several lives the one that was shown to live last is the present.
   */
  shownAt: Micros;
  /** Anything heard at all, relayed messages included. */
  heardAt: Micros;
  hears: readonly NodeId[];
  facts: FactsMessage | null;
  /** Version of our facts that the peer has. */
  factsEcho: number;
}

/** The parts of a heartbeat that other modules fill in. */
export interface Beat {
  readonly term: number;
  readonly leader: NodeId;
  readonly commit: number;
  readonly matched: number;
  readonly facts: number;
  readonly lease: number;
  /** The event by which the node is what this says: that it leads, or else that it lives. */
  readonly event: string;
}

export class Links {
  readonly #context: Context;
  readonly #fields: () => Beat;
  readonly #peers: Peer[] = [];
  readonly #byNode = new Map<NodeId, Peer>();
  #hears: readonly NodeId[] = [];
  /** A link or a life changed since this was last cleared. */
  changed = false;

  constructor(context: Context, fields: () => Beat) {
    this.#context = context;
    this.#fields = fields;
    for (const node of context.config.nodes) {
      if (node.id === context.node) continue;
      const count = Math.max(1, Math.min(node.control.length, context.self.control.length));
      const links: Link[] = [];
      for (let i = 0; i < count; i++) {
        const never = { heardAt: NEVER, theirs: NEVER, ours: NEVER };
        links.push({ up: false, ...never, downEvent: '', upIn: 0 });
      }
      const peer: Peer = {
        node: node.id,
        links,
        up: false,
        suspectEvent: '',
        lifeEvent: '',
        upEvent: '',
        upAt: NEVER,
        boot: 0,
        life: 0,
        identity: 0,
        shownAt: NEVER,
        heardAt: NEVER,
        hears: [],
        facts: null,
        factsEcho: -1,
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
   * Notes who speaks. False when it is another life of the peer than the present one: a late
   * message of a life that ended, or a new life that has not yet shown that it heard us. `vouched`
   * when a peer that we hear says that this is the present one.
   */
  admit(peer: Peer, message: ControlMessage, vouched: 'vouched' | 'direct' = 'direct'): boolean {
    const { now, life } = this.#context;
    const shows = message.kind === 'heartbeat' && message.yours === life && message.heard <= now;
    const shownAt = shows ? message.heard : vouched === 'vouched' && !peer.up ? now : NEVER;
    if (message.life === peer.life) {
      peer.heardAt = now;
      if (shownAt > peer.shownAt) peer.shownAt = shownAt;
      return true;
    }
    if (peer.shownAt !== NEVER && shownAt <= peer.shownAt) return false;
    const rebooted = peer.boot !== 0 && peer.boot !== message.boot;
    for (const link of peer.links) link.theirs = NEVER;
    this.changed = true;
    peer.life = message.life;
    peer.boot = message.boot;
    peer.identity = 0;
    peer.facts = null;
    peer.factsEcho = -1;
    peer.shownAt = shownAt;
    peer.heardAt = now;
    const d = { peer: peer.node, boot: message.boot, rebooted };
    peer.lifeEvent = this.#context.event('peer.life', d, message.event);
    return true;
  }

  /**
   * Shows a life that has not shown to have heard us that we hear it: then it can. And shows it to
   * one that is new to us, which may wait for that before it believes that we are no old life.
   */
  answer(peer: Peer, number: number, beat: Heartbeat, isNew: boolean): void {
    if (beat.yours === this.#context.life && !isNew) return;
    this.#beat(peer, number, this.#fields(), beat.life, beat.sent);
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
        peer.suspectEvent = this.#suspect(peer, this.#context.started);
        this.changed = true;
      }
    }
  }

  /** One heartbeat to every peer on every link. */
  beat(): void {
    const fields = this.#fields();
    for (const peer of this.#peers) {
      for (let i = 0; i < peer.links.length; i++) {
        this.#beat(peer, i, fields, peer.life, peer.links[i]?.theirs ?? NEVER);
      }
    }
  }

  #beat(peer: Peer, number: number, fields: Beat, yours: number, heard: Micros): void {
    const { now, boot, life, identity } = this.#context;
    this.#context.decide({
      kind: 'send',
      to: peer.node,
      link: number,
      message: {
        kind: 'heartbeat',
        boot,
        life,
        event: fields.event,
        identity,
        sent: now,
        yours,
        heard,
        term: fields.term,
        leader: fields.leader,
        commit: fields.commit,
        matched: fields.matched,
        facts: fields.facts,
        // What we have of another life says nothing to this one.
        factsHeard: peer.facts !== null && yours === peer.life ? peer.facts.version : NEVER,
        lease: fields.lease,
        hears: this.#hears,
      },
    });
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
        event: this.#context.said,
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
    let event = '';
    if (up) {
      // The first time it waited for the peer's life; later for the network, which says nothing.
      const cause = link.upIn === peer.life ? '' : peer.lifeEvent;
      event = this.#context.event('link.up', { peer: peer.node, link: number }, cause);
      link.upIn = peer.life;
      link.downEvent = '';
    } else {
      const silent = now - link.heardAt;
      // The peer's echo of us grows old before its own beats do, even when it is gone altogether.
      const reason = silent <= 2 * timing.heartbeat ? 'unheard' : 'silence';
      const d = { peer: peer.node, link: number, reason, silent };
      link.downEvent = this.#context.event('link.down', d, '');
    }
    const any = peer.links.some((other) => other.up);
    if (any === peer.up) return;
    peer.up = any;
    if (any) {
      peer.suspectEvent = '';
      peer.upEvent = this.#context.event('peer.up', { peer: peer.node }, event);
      peer.upAt = now;
    } else {
      peer.suspectEvent = this.#suspect(peer, link.downEvent);
    }
    this.#hears = this.#peers.filter((other) => other.up).map((other) => other.node);
  }

  /** The last link to go down is the cause; the others had gone before, and are read. */
  #suspect(peer: Peer, cause: string): string {
    const { now, startedAt } = this.#context;
    const downs = peer.links.map((link) => link.downEvent);
    const reads = downs.filter((event) => event !== '' && event !== cause);
    const silent = now - Math.max(startedAt, peer.heardAt);
    return this.#context.event('peer.suspect', { peer: peer.node, silent }, cause, reads);
  }
}
