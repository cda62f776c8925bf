/**
 * The replication link between two hosts for one volume: like TCP with keepalives. What one side
 * sends arrives in order, each once, or the incarnation dies. A cut holds bytes back until it heals
 * or until either side gives up; the two sides give up at different times. Bytes of a dead
 * incarnation never arrive on a new one.
 */
import type { Rng } from '../../engine/core/rng.ts';
import { type Kernel, Kind } from './kernel.ts';
import { Packet, type PacketPool } from './packets.ts';

/** One end: a volume's data actor and the process round it. */
export interface StreamEnd {
  readonly node: number;
  /** Whether the process lives. */
  alive(): boolean;
  /** Whether it runs: neither paused nor frozen. */
  running(): boolean;
  /** A link number that was never used in this host's life or before. */
  nextLink(): number;
  /** Takes one packet of link `number`; false when it has no room now. */
  accept(packet: number, number: number): boolean;
  linkUp(number: number, peer: number): boolean;
  linkDown(number: number): boolean;
}

/** Latency and patience, in microseconds. */
export interface StreamTiming {
  readonly fixed: number;
  readonly mean: number;
  /** Nanoseconds per byte. */
  readonly perByte: number;
  readonly detect: readonly [low: number, high: number];
  readonly retry: readonly [low: number, high: number];
}

export const DEFAULT_STREAM_TIMING: StreamTiming = {
  fixed: 60,
  mean: 40,
  perByte: 1,
  detect: [200_000, 1_500_000],
  retry: [40_000, 160_000],
};

/**
 * A connection that comes and goes. Side 0 is the first of `ends`; direction d begins at side d.
 */
export class Connection {
  readonly index: number;
  readonly ends: readonly [StreamEnd, StreamEnd];
  readonly #kernel: Kernel;
  readonly #packets: PacketPool;
  readonly #timing: StreamTiming;
  readonly #rng: Rng;
  readonly #faultRng: Rng;
  #incarnation = 0;
  readonly #up = [false, false];
  readonly #numbers = [0, 0];
  readonly #cuts = [0, 0];
  readonly #clogs = [0, 0];
  readonly #arrival = [0, 0];
  readonly #backlog: [number[], number[]] = [[], []];
  readonly #draining = [false, false];
  #polling = false;

  constructor(
    index: number,
    ends: readonly [StreamEnd, StreamEnd],
    kernel: Kernel,
    packets: PacketPool,
    timing: StreamTiming,
    entity: number,
  ) {
    this.index = index;
    this.ends = ends;
    this.#kernel = kernel;
    this.#packets = packets;
    this.#timing = timing;
    this.#rng = kernel.rng(entity);
    this.#faultRng = kernel.rng(entity + 500);
  }

  /** The link number that `side` knows the connection by, 0 when it is down there. */
  numberAt(side: number): number {
    return this.#up[side] ? (this.#numbers[side] as number) : 0;
  }

  /** Stands for the key of copies' digests: the same at both ends, another for each incarnation. */
  get key(): number {
    const [one, two] = this.#numbers as [number, number];
    return Math.imul(one, 0x85ebca6b) ^ Math.imul(two, 0xc2b2ae35) ^ (this.index + 1);
  }

  /** A packet for the other side, filled in by the caller and handed to {@link send}. */
  packet(kind: number): number {
    return this.#packets.take(kind, this.#incarnation);
  }

  /** Sends from `side`; `bytes` of payload cost time on the wire. */
  send(side: number, packet: number, bytes: number): void {
    if (!this.#up[side]) {
      this.#packets.release(packet);
      return;
    }
    const { fixed, mean, perByte } = this.#timing;
    const wire = Math.floor((bytes * perByte) / 1000);
    const due = this.#kernel.now + fixed + wire + this.#rng.exponential(mean);
    this.#arrive(side, packet, due);
  }

  /**
   * Carries out a queue entry: a packet arrives at `side`, or (packet < 0) what waited may go on.
   */
  arrive(packet: number, side: number): void {
    if (packet < 0) {
      this.#draining[side] = false;
      this.#drain(side);
      return;
    }
    if (this.#packets.incarnation[packet] !== this.#incarnation || !this.#up[side]) {
      this.#packets.release(packet);
      return;
    }
    const backlog = this.#backlog[side] as number[];
    if (backlog.length > 0 || this.#held(side) || !this.#give(side, packet)) backlog.push(packet);
  }

  /** Lets waiting packets go on, soon: room, a heal or a resumed process may have made way. */
  wake(side: number): void {
    // After each turn of a replica, and nearly always there is nothing.
    if ((this.#backlog[side] as number[]).length === 0 || this.#draining[side]) return;
    this.#draining[side] = true;
    this.#entry(this.#kernel.now, -1, side);
  }

  /** Adds or removes one reason why nothing passes from `side` to the other. */
  cut(side: number, on: boolean): void {
    this.#cuts[side] = (this.#cuts[side] as number) + (on ? 1 : -1);
    if (on) {
      this.suspect(0);
      this.suspect(1);
    } else this.wake(1 - side);
  }

  /** Holds back what `side` sends, without either side noticing, or lets it go. */
  clog(side: number, on: boolean): void {
    this.#clogs[side] = (this.#clogs[side] as number) + (on ? 1 : -1);
    if (!on) this.wake(1 - side);
  }

  /** `side` may have lost its peer: it looks again after its patience has run out. */
  suspect(side: number): void {
    if (!this.#up[side]) return;
    const [low, high] = this.#timing.detect;
    const entry = this.#kernel.queue.push(
      this.#kernel.now + this.#faultRng.between(low, high),
      Kind.Detect,
      this.index,
      0,
    );
    this.#kernel.queue.a[entry] = this.#incarnation;
    this.#kernel.queue.b[entry] = side;
  }

  /** Carries out a Detect entry. */
  detect(incarnation: number, side: number): void {
    if (incarnation !== this.#incarnation || !this.#up[side]) return;
    const silent = !this.#up[1 - side] || !this.#answers(1 - side);
    if (silent || this.#cuts[0] !== 0 || this.#cuts[1] !== 0) this.close(side);
  }

  /** `side` closes: its process hears LinkDown, the other side hears when the news gets there. */
  close(side: number): void {
    if (!this.#up[side]) return;
    this.send(side, this.packet(Packet.Fin), 0);
    this.#down(side, true);
  }

  /** The process at `side` is gone: its kernel says so to the other side. */
  processDied(side: number): void {
    if (!this.#up[side]) return;
    this.send(side, this.packet(Packet.Fin), 0);
    this.#down(side, false);
  }

  /** The host at `side` lost power, or froze: nobody says anything. */
  hostVanished(side: number): void {
    this.#down(side, false);
    this.suspect(1 - side);
  }

  /** Starts trying to connect, if it is not connected and not trying. */
  poll(): void {
    if (this.#polling || (this.#up[0] && this.#up[1])) return;
    this.#polling = true;
    const [low, high] = this.#timing.retry;
    const at = this.#kernel.now + this.#rng.between(low, high);
    this.#kernel.queue.push(at, Kind.Connect, this.index, 0);
  }

  /** Carries out a Connect entry. */
  connect(): void {
    this.#polling = false;
    if (this.#up[0] && this.#up[1]) return;
    const open =
      this.#cuts[0] === 0 &&
      this.#cuts[1] === 0 &&
      this.#clogs[0] === 0 &&
      this.#clogs[1] === 0 &&
      this.#answers(0) &&
      this.#answers(1) &&
      this.#backlog[0].length === 0 &&
      this.#backlog[1].length === 0;
    if (open) {
      if (this.#up[0] || this.#up[1]) {
        // The side that still believes in the old incarnation is told that it is dead.
        this.#down(this.#up[0] ? 0 : 1, true);
      } else this.#establish();
    }
    this.poll();
  }

  #establish(): void {
    this.#incarnation += 1;
    this.#arrival[0] = 0;
    this.#arrival[1] = 0;
    for (let side = 0; side < 2; side += 1) {
      this.#flushBacklog(side);
      this.#up[side] = true;
      this.#numbers[side] = (this.ends[side] as StreamEnd).nextLink();
      const due = this.#kernel.now + this.#timing.fixed + this.#rng.exponential(this.#timing.mean);
      this.#arrive(1 - side, this.packet(Packet.Up), due);
    }
  }

  #answers(side: number): boolean {
    const end = this.ends[side] as StreamEnd;
    return end.alive() && end.running();
  }

  #held(side: number): boolean {
    const from = 1 - side;
    return this.#cuts[from] !== 0 || this.#clogs[from] !== 0 || !this.#runs(side);
  }

  #runs(side: number): boolean {
    return (this.ends[side] as StreamEnd).running();
  }

  #arrive(from: number, packet: number, due: number): void {
    const at = Math.max(due, this.#arrival[from] as number);
    this.#arrival[from] = at;
    this.#entry(at, packet, 1 - from);
  }

  #entry(at: number, packet: number, side: number): void {
    const queue = this.#kernel.queue;
    const entry = queue.push(at, Kind.Packet, this.index, 0);
    queue.a[entry] = packet;
    queue.b[entry] = side;
  }

  #give(side: number, packet: number): boolean {
    const end = this.ends[side] as StreamEnd;
    const number = this.#numbers[side] as number;
    switch (this.#packets.kind[packet]) {
      case Packet.Fin:
        this.#packets.release(packet);
        this.#down(side, true);
        return true;
      case Packet.Up:
        if (!end.linkUp(number, (this.ends[1 - side] as StreamEnd).node)) return false;
        break;
      case Packet.Down:
        if (!end.linkDown(number)) return false;
        break;
      default:
        if (!end.accept(packet, number)) return false;
    }
    this.#packets.release(packet);
    return true;
  }

  #drain(side: number): void {
    const backlog = this.#backlog[side] as number[];
    while (backlog.length > 0 && this.#passes(side, backlog[0] as number)) {
      // Out of the queue first: giving a Fin drops what is left of it.
      const packet = backlog.shift() as number;
      if (this.#give(side, packet)) continue;
      backlog.unshift(packet);
      return;
    }
  }

  /** A Down marker waits only for its own process; everything else also for the wire. */
  #passes(side: number, packet: number): boolean {
    if (!this.#runs(side)) return false;
    if (this.#packets.kind[packet] === Packet.Down) return true;
    return !this.#up[side] || !this.#held(side);
  }

  #down(side: number, tell: boolean): void {
    if (!this.#up[side]) return;
    this.#up[side] = false;
    const end = this.ends[side] as StreamEnd;
    const number = this.#numbers[side] as number;
    const backlog = this.#backlog[side] as number[];
    if (tell && end.alive() && !end.running()) {
      // A paused process finds what its kernel had received, and then the end of the stream.
      this.#dropHeld(side);
      backlog.push(this.#packets.take(Packet.Down, this.#incarnation));
    } else {
      this.#flushBacklog(side);
      if (tell && end.alive() && !end.linkDown(number)) {
        backlog.push(this.#packets.take(Packet.Down, this.#incarnation));
        this.wake(side);
      }
    }
    this.poll();
  }

  /** What a cut held back never arrived; what only waited for the process did. */
  #dropHeld(side: number): void {
    const from = 1 - side;
    if (this.#cuts[from] !== 0 || this.#clogs[from] !== 0) this.#flushBacklog(side);
  }

  #flushBacklog(side: number): void {
    const backlog = this.#backlog[side] as number[];
    for (const packet of backlog) this.#packets.release(packet);
    backlog.length = 0;
  }
}
