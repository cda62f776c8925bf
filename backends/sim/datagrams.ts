/**
 * Control datagrams between hosts: several links for each pair, each way on its own. A datagram may
 * be delayed, lost or sent twice; the links of one pair overtake one another.
 */
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import type { Rng } from '../../engine/core/rng.ts';
import { type Kernel, Kind, Stream } from './kernel.ts';

/** Latency in microseconds, chances in parts per million. */
export interface DatagramTiming {
  readonly fixed: number;
  readonly mean: number;
  readonly loss: number;
  readonly duplicate: number;
}

export const DEFAULT_DATAGRAM_TIMING: DatagramTiming = {
  fixed: 80,
  mean: 60,
  loss: 200,
  duplicate: 500,
};

/** One way of one link between two hosts. */
class Path {
  cuts = 0;
  /** Reasons to hold datagrams back; they are let go together when the last one ends. */
  clogs = 0;
  /** Additional losses, in parts per million. */
  loss = 0;
  readonly held: number[] = [];
  /** Datagrams under way. */
  flying = 0;
  readonly rng: Rng;
  readonly faultRng: Rng;
  constructor(rng: Rng, faultRng: Rng) {
    this.rng = rng;
    this.faultRng = faultRng;
  }
}

/** A clogged path keeps this many datagrams and drops the rest. */
const HELD_MAX = 64;
/**
 * No sound engine has so many under way on one path: somebody answers himself for ever. What two
 * clogged links held (2 × 64) may all be answered at one instant, each with a few datagrams
 * (docs/decisions/0009).
 */
const FLYING_MAX = 1024;

/** All control links of a world. */
export class Datagrams {
  readonly #kernel: Kernel;
  readonly #timing: DatagramTiming;
  readonly #paths: (Path | undefined)[];
  readonly #hosts: number;
  readonly links: number;
  /** Told when a path has more under way than a sound engine sends. */
  storm: (from: number, kind: string) => void = () => {};

  /** `hosts` is the highest node number plus one. */
  constructor(kernel: Kernel, hosts: number, links: number, timing: DatagramTiming) {
    this.#kernel = kernel;
    this.#timing = timing;
    this.#hosts = hosts;
    this.links = links;
    this.#paths = [];
  }

  /**
   * Sends one datagram on `link`, or on all links when it is negative. `number` is what the trace
   * hash calls it.
   */
  send(from: number, to: number, link: number, message: ControlMessage, number: number): void {
    if (link >= 0) {
      this.#sendOn(from, to, link, message, number);
      return;
    }
    for (let each = 0; each < this.links; each += 1) this.#sendOn(from, to, each, message, number);
  }

  /** A datagram has arrived. */
  arrived(from: number, to: number, link: number): void {
    this.#path(from, to, link).flying -= 1;
  }

  /** Adds or removes a cut of one way of one link. */
  cut(from: number, to: number, link: number, on: boolean): void {
    this.#path(from, to, link).cuts += on ? 1 : -1;
  }

  clog(from: number, to: number, link: number, on: boolean): void {
    const path = this.#path(from, to, link);
    path.clogs += on ? 1 : -1;
    if (path.clogs > 0) return;
    for (const entry of path.held) this.#kernel.queue.requeue(this.#kernel.now, entry);
    path.held.length = 0;
  }

  /** Loses `ppm` more of what passes (negative to take it back). */
  lose(from: number, to: number, link: number, ppm: number): void {
    this.#path(from, to, link).loss += ppm;
  }

  #sendOn(from: number, to: number, link: number, message: ControlMessage, number: number): void {
    const path = this.#path(from, to, link);
    const { fixed, mean, loss, duplicate } = this.#timing;
    // Latency and the ordinary chances are drawn whether or not a fault swallows the datagram:
    // taking one fault out of a schedule must not deal everybody else new dice.
    const delay = fixed + path.rng.exponential(mean);
    const chance = path.rng.below(1_000_000);
    if (path.cuts > 0 || chance < loss) return;
    if (path.loss > 0 && path.faultRng.chance(path.loss)) return;
    this.#post(path, from, to, link, message, number, delay);
    if (chance >= 1_000_000 - duplicate) {
      this.#post(path, from, to, link, message, number, delay + 500);
    }
  }

  #post(
    path: Path,
    from: number,
    to: number,
    link: number,
    message: ControlMessage,
    number: number,
    delay: number,
  ): void {
    const queue = this.#kernel.queue;
    if (path.clogs > 0 && path.held.length >= HELD_MAX) return;
    if (path.flying >= FLYING_MAX) {
      this.storm(from, message.kind);
      return;
    }
    path.flying += 1;
    const entry = queue.take(Kind.Datagram, to, 0);
    queue.a[entry] = from;
    queue.b[entry] = link;
    queue.c[entry] = number;
    queue.objects[entry] = message;
    if (path.clogs > 0) path.held.push(entry);
    else queue.requeue(this.#kernel.now + delay, entry);
  }

  #path(from: number, to: number, link: number): Path {
    const index = (from * this.#hosts + to) * this.links + link;
    const known = this.#paths[index];
    if (known !== undefined) return known;
    const entity = Stream.datagram + index * 2;
    const made = new Path(this.#kernel.rng(entity), this.#kernel.rng(entity + 1));
    this.#paths[index] = made;
    return made;
  }
}
