/**
 * The control network port: one UDP socket per configured address, link n being address n here and
 * there. Messages may be lost, delayed and duplicated on the way; what is handed on is authentic,
 * meant for this session, and new. Everything else is dropped and counted, and never answered with
 * more bytes than came in.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import type { NodeConfig } from '../../engine/core/config.ts';
import type { NodeId } from '../../engine/core/units.ts';
import { type Address, parseAddress } from './address.ts';
import { controlKey, type Envelope, openDatagram, sealDatagram } from './control-frame.ts';
import { HostError, systemCode } from './failure.ts';
import type { Log } from './log.ts';
import { PeerSession } from './peer-session.ts';

/** A hello, or an answer to one, goes out at most this often per peer and link. */
const HELLO_GAP_MS = 100;
/** An address that cannot be bound yet (its interface is down) is tried again this often. */
const BIND_RETRY_MS = 1000;
/**
 * What is said before both ends know each other's session waits this long for it: the first
 * heartbeat of a core that came back asks for its lease, and the next one is half a second away.
 */
const WAITING_MS = 500;
const WAITING_MAX = 8;
const ASKERS_MAX = 8;

/** What was sent, taken and dropped, since this core started. */
export type ControlCounters = Readonly<Record<keyof typeof NO_COUNTS, number>>;

const NO_COUNTS = {
  sent: 0,
  /** Not sent: longer than a datagram may be. */
  tooLong: 0,
  /** Not sent: the peer did not show its session, or ask for ours, in time. */
  noSession: 0,
  sendErrors: 0,
  received: 0,
  accepted: 0,
  badLength: 0,
  badMagic: 0,
  badAuthentication: 0,
  badEnvelope: 0,
  /** Authentic, but of another cluster or not for this node. */
  notForUs: 0,
  staleSession: 0,
  unknownSession: 0,
  replayed: 0,
  /** From a peer that runs another configuration. */
  otherConfig: 0,
  /** Authentic, and refused by the engine's parser. */
  badMessage: 0,
};

export interface UdpControlOptions {
  readonly cluster: string;
  readonly self: NodeConfig;
  readonly nodes: readonly NodeConfig[];
  readonly clusterKey: Uint8Array;
  /**
   * What a peer must show before it is heard, see config-hash.ts: the hash of what runs here, last,
   * and those of what the log led from to it. One in common is enough.
   */
  readonly configHashes: () => readonly string[];
  readonly log: Log;
  /** The engine's parser; null refuses. */
  readonly parse: (value: unknown) => ControlMessage | null;
  readonly onMessage: (from: NodeId, link: number, message: ControlMessage) => void;
}

interface Peer {
  readonly addresses: readonly Address[];
  readonly session: PeerSession;
  /** Sessions that asked for ours, newest last: one that has our answer takes what we say. */
  askedBy: readonly string[];
  /** Said before its session was known, oldest first. */
  waiting: { readonly link: number; readonly message: ControlMessage; readonly at: number }[];
  /** When the last hello or welcome went out, by link. */
  readonly greeted: Map<string, number>;
  /** It showed another configuration than ours when it was last asked. */
  differs: boolean;
}

/** All links of one host. */
export class UdpControl {
  /** This core's session; datagrams for an earlier one are not for us. */
  readonly session: string = randomBytes(12).toString('base64url');
  readonly counters = { ...NO_COUNTS };
  #options: UdpControlOptions;
  #key: Uint8Array;
  #peers = new Map<NodeId, Peer>();
  #sockets: (Socket | null)[] = [];
  #closed = false;

  constructor(options: UdpControlOptions) {
    this.#options = options;
    this.#key = controlKey(options.clusterKey, options.cluster);
    for (const node of options.nodes) {
      if (node.id === options.self.id) continue;
      this.#peers.set(node.id, {
        addresses: node.control.map(parseAddress),
        session: new PeerSession(),
        askedBy: [],
        waiting: [],
        greeted: new Map(),
        differs: false,
      });
    }
  }

  /**
   * Binds every address and greets every peer. An address that is missing on this host is tried
   * again and again, because a broken network card must not keep a host down; one that is taken is
   * a mistake. Throws HostError.
   */
  async open(): Promise<void> {
    const { control } = this.#options.self;
    this.#sockets = control.map(() => null);
    for (const link of control.keys()) await this.#bind(link);
    for (const id of this.#peers.keys()) {
      for (const link of control.keys()) this.#greet(id, link);
    }
  }

  /** Sends one message on `link`, or on every link. */
  send(to: NodeId, link: number | 'all', message: ControlMessage): void {
    const peer = this.#peers.get(to);
    if (peer === undefined) return;
    const links = link === 'all' ? [...this.#sockets.keys()] : [link];
    for (const each of links) {
      if (peer.session.session === '') {
        this.#keep(peer, each, message);
        this.#greet(to, each);
        continue;
      }
      this.#sealMessage(to, peer, each, message);
    }
  }

  /** Peers that are not heard, because they run another configuration. */
  get differing(): NodeId[] {
    return [...this.#peers].filter(([, { differs }]) => differs).map(([id]) => id);
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket?.close();
    this.#sockets = [];
  }

  #keep(peer: Peer, link: number, message: ControlMessage): void {
    peer.waiting.push({ link, message, at: performance.now() });
    if (peer.waiting.length <= WAITING_MAX) return;
    peer.waiting.shift();
    this.counters.noSession += 1;
  }

  /**
   * Once both know each other, what waited for it goes out in order, unless it is too old. Only
   * that waits: a recorded hello of an earlier session must not be able to silence us.
   */
  #release(to: NodeId, peer: Peer): void {
    if (!peer.askedBy.includes(peer.session.session)) return;
    const { waiting } = peer;
    peer.waiting = [];
    const oldest = performance.now() - WAITING_MS;
    for (const { link, message, at } of waiting) {
      if (at >= oldest) this.#sealMessage(to, peer, link, message);
      else this.counters.noSession += 1;
    }
  }

  async #bind(link: number): Promise<void> {
    const text = this.#options.self.control[link] as string;
    const { host, port, family } = parseAddress(text);
    const socket = createSocket({ type: family, lookup: cachedLookup() });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ address: host, port, exclusive: true }, () => {
          socket.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      socket.close();
      if (systemCode(error) === 'EADDRINUSE') {
        throw new HostError(
          `the control address ${text} is in use on this machine`,
          'stop the other program, or give this node an address of its own',
        );
      }
      this.#options.log('warn', 'control-address-missing', { link, address: text });
      setTimeout(() => this.#rebind(link), BIND_RETRY_MS).unref();
      return;
    }
    socket.on('error', (error) => {
      this.#options.log('warn', 'control-socket', { link, reason: systemCode(error) });
    });
    socket.on('message', (datagram) => this.#receive(datagram));
    this.#sockets[link] = socket;
  }

  #rebind(link: number): void {
    if (this.#closed) return;
    this.#bind(link).catch((error: Error) => {
      this.#options.log('error', 'control-address-taken', { link, reason: error.message });
      setTimeout(() => this.#rebind(link), BIND_RETRY_MS).unref();
    });
  }

  #receive(datagram: Buffer): void {
    this.counters.received += 1;
    const envelope = openDatagram(datagram, this.#key);
    if (typeof envelope === 'string') {
      this.counters[envelope] += 1;
      return;
    }
    const { cluster, self } = this.#options;
    const peer = this.#peers.get(envelope.from);
    if (envelope.cluster !== cluster || envelope.to !== self.id || peer === undefined) {
      this.counters.notForUs += 1;
      return;
    }
    if (envelope.hello !== undefined) this.#answerHello(peer, envelope, envelope.hello);
    else if (envelope.welcome !== undefined) this.#takeWelcome(peer, envelope, envelope.welcome);
    else this.#takeMessage(peer, envelope);
  }

  #answerHello(peer: Peer, envelope: Envelope, nonce: string): void {
    const { from, link, session } = envelope;
    // Always: one short datagram for one. Were it limited, a recorded hello, sent again and again,
    // would use up the answers that the one who asks now needs.
    this.#seal(from, link, {
      toSession: session,
      seq: 0,
      ...this.#shown,
      welcome: nonce,
    });
    // Several: a recorded hello must not make us forget who asks now.
    if (!peer.askedBy.includes(session)) {
      peer.askedBy = [...peer.askedBy, session].slice(-ASKERS_MAX);
    }
    this.#release(from, peer);
    // Perhaps the peer has restarted; only an answer to a question of ours proves it.
    if (session !== peer.session.session) this.#greet(from, link);
  }

  #takeWelcome(peer: Peer, envelope: Envelope, nonce: string): void {
    if (envelope.toSession !== this.session) {
      this.counters.staleSession += 1;
      return;
    }
    // Only the answer to a question of ours tells what the peer runs now.
    if (!peer.session.isAsked(nonce)) return;
    const theirs = [...(envelope.since ?? []), envelope.config ?? ''];
    const own = this.#options.configHashes();
    if (!theirs.some((hash) => own.includes(hash))) {
      this.#refuse(peer, envelope);
      return;
    }
    peer.differs = false;
    if (!peer.session.learn(envelope.session, nonce)) return;
    this.#options.log('info', 'peer-session', { peer: envelope.from, link: envelope.link });
    this.#release(envelope.from, peer);
  }

  /** Two that reckon differently must not build on each other's promises. */
  #refuse(peer: Peer, { from, config = '' }: Envelope): void {
    this.counters.otherConfig += 1;
    if (peer.differs) return;
    peer.differs = true;
    this.#options.log('error', 'peer-configuration', {
      peer: from,
      ours: this.#shown.config.slice(0, 16),
      theirs: config.slice(0, 16),
      remedy: 'give every node the same configuration file, and restart those that had another',
    });
  }

  #takeMessage(peer: Peer, envelope: Envelope): void {
    const fault = peer.session.judge(envelope, this.session);
    if (fault !== null) {
      this.counters[fault] += 1;
      if (fault !== 'replayed') this.#greet(envelope.from, envelope.link);
      return;
    }
    const message = this.#options.parse(envelope.message);
    if (message === null) {
      this.counters.badMessage += 1;
      return;
    }
    this.counters.accepted += 1;
    this.#options.onMessage(envelope.from, envelope.link, message);
  }

  /** What this node shows of its configuration. */
  get #shown(): { readonly config: string; readonly since?: readonly string[] } {
    const hashes = this.#options.configHashes();
    const since = hashes.slice(0, -1);
    const config = hashes.at(-1) ?? '';
    return since.length === 0 ? { config } : { config, since };
  }

  /** Asks a peer for its session, unless it was asked a moment ago. */
  #greet(to: NodeId, link: number): void {
    const peer = this.#peers.get(to);
    if (peer === undefined || !this.#mayGreet(peer, `hello ${link}`)) return;
    const hello = peer.session.ask(() => randomBytes(12).toString('base64url'));
    this.#seal(to, link, { toSession: '', seq: 0, ...this.#shown, hello });
  }

  #mayGreet(peer: Peer, what: string): boolean {
    const now = performance.now();
    const last = peer.greeted.get(what) ?? -HELLO_GAP_MS;
    if (now - last < HELLO_GAP_MS) return false;
    // A name that is not a link of ours would let an authentic but broken peer fill the map.
    if (peer.greeted.size < 64) peer.greeted.set(what, now);
    return true;
  }

  #sealMessage(to: NodeId, peer: Peer, link: number, message: ControlMessage): void {
    const seq = peer.session.nextSequence(link);
    this.#seal(to, link, { toSession: peer.session.session, seq, message });
  }

  #seal(
    to: NodeId,
    link: number,
    content: Pick<Envelope, 'toSession' | 'seq'> & Partial<Envelope>,
  ): void {
    const socket = this.#sockets[link];
    const address = this.#peers.get(to)?.addresses[link];
    if (socket === null || socket === undefined || address === undefined) return;
    const { cluster, self } = this.#options;
    const head = { cluster, from: self.id, to, link, session: this.session };
    const datagram = sealDatagram({ ...head, ...content }, this.#key);
    if (datagram === null) {
      this.counters.tooLong += 1;
      this.#options.log('error', 'control-message-too-long', { to, link });
      return;
    }
    this.counters.sent += 1;
    socket.send(datagram, address.port, address.host, (error) => {
      if (error !== null) this.counters.sendErrors += 1;
    });
  }
}

/** Host names are resolved at most twice a minute; a slow resolver must not slow heartbeats. */
const LOOKUP_LIFE_MS = 30_000;

type Lookup = typeof lookup;

function cachedLookup(): Lookup {
  const known = new Map<string, { at: number; address: string; family: number }>();
  const cached = (
    host: string,
    options: object,
    done: (error: Error | null, address: string, family: number) => void,
  ): void => {
    const hit = known.get(host);
    if (hit !== undefined && performance.now() - hit.at < LOOKUP_LIFE_MS) {
      done(null, hit.address, hit.family);
      return;
    }
    lookup(host, options as { all: false }, (error, address, family) => {
      if (error === null) known.set(host, { at: performance.now(), address, family });
      done(error, address, family);
    });
  };
  return cached as unknown as Lookup;
}
