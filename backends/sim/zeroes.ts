/**
 * Zeroes in a world of stamps. A write of zeroes has no payload: its slot, and the frame that
 * brings it to a peer, hold *hollow* stamps, which no disk may be given as they are. Only an
 * operation that says Flag.Zero turns them into what stands for zeroes on a disk: the stamp of the
 * request, so that one request's zeroes can be told from another's. An engine that loses the flag
 * on the way writes hollow stamps, and one that sets it without reason writes zeroes that nobody
 * asked for; both are found by whoever reads them.
 */
import type { History } from './history.ts';
import type { Spoils } from './spoils.ts';

/** Marks a hollow stamp; requests are never so many that it would be one of theirs. */
const HOLLOW = 0x40000000;
/** What a disk holds that was told to write zeroes over something that is none. */
const UNASKED = 0;

/** The payload of a request for zeroes, number `op` of its volume's history. */
export function hollow(op: number): number {
  return op | HOLLOW;
}

/** Knows which stamps of one volume stand for zeroes. */
export class Zeroes {
  readonly #history: History | null;
  readonly #spoils: Spoils | null;

  /** Without a history only a sector never written is zero. */
  constructor(history: History | null = null, spoils: Spoils | null = null) {
    this.#history = history;
    this.#spoils = spoils;
  }

  /** Whether the sector's bytes are all zero, as a backend finds that looks at them. */
  are(stamp: number): boolean {
    const content = stamp < 0 && this.#spoils !== null ? this.#spoils.content(stamp) : stamp;
    if (content <= 0) return content === 0;
    const history = this.#history;
    return history !== null && content <= history.count && history.zero[content] === 1;
  }

  /** Whether all `count` stamps from `at` on are. */
  all(stamps: Int32Array, at: number, count: number): boolean {
    for (let i = at; i < at + count; i += 1) if (!this.are(stamps[i] as number)) return false;
    return true;
  }

  /** What a frame without payload tells of a sector: that it is zero, and whose zeroes they are. */
  sent(stamp: number): number {
    if (stamp >= HOLLOW) return stamp;
    if (!this.are(stamp)) return hollow(UNASKED);
    return stamp < 0 ? stamp : hollow(stamp);
  }

  /** What a disk holds that is told to write zeroes. */
  landed(stamp: number): number {
    const sent = this.sent(stamp);
    return sent < 0 ? sent : sent & ~HOLLOW;
  }
}
