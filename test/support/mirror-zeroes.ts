/**
 * Zeroes in the pair harness, whose sectors hold stamps. A request for zeroes has no payload: its
 * slot holds hollow stamps, and only an operation with Flag.Zero makes of them what a disk may
 * hold.
 */
const HOLLOW = 0x40000000;

export class PairZeroes {
  readonly #stamps = new Set<number>([0]);

  /** The payload of a request for zeroes that leaves `stamp` in its sectors. */
  hollow(stamp: number): number {
    this.#stamps.add(stamp);
    return stamp | HOLLOW;
  }

  /** Whether everything in `data` is zero. */
  all(data: Uint32Array): boolean {
    return data.every((stamp) => this.#stamps.has(stamp));
  }

  /** What a frame of `count` sectors without payload tells; past the slot, the last again. */
  sent(data: Uint32Array, count: number): Uint32Array {
    return Uint32Array.from({ length: count }, (_, i) => {
      const stamp = data[Math.min(i, data.length - 1)] as number;
      if (stamp >= HOLLOW) return stamp;
      return this.#stamps.has(stamp) ? stamp | HOLLOW : HOLLOW;
    });
  }

  /** What a disk holds that was told to write zeroes. */
  landed(data: Uint32Array, count: number): Uint32Array {
    return this.sent(data, count).map((stamp) => stamp & ~HOLLOW);
  }
}
