/**
 * What the client of the pair harness did to every sector, and what a read may therefore show:
 * strict linearizability, and what a flush or a going alone promised.
 */
/** What one write of the client did to one sector, as the history keeps it. */
export interface Write {
  readonly stamp: number;
  readonly invoked: number;
  /** When it was acknowledged, Infinity while it is not known. */
  acked: number;
  /** Its host died or was fenced: it took effect before the take-over, or never. */
  dead: boolean;
  flushed: boolean;
  /** A read showed this one instead: it may show itself only if that one is lost. */
  goneBy: Write | null;
}

export class SectorHistory {
  readonly sectors = new Map<number, Write[]>();
  readonly #violations: string[];
  #nextStamp = 1;

  constructor(violations: string[]) {
    this.#violations = violations;
  }

  /** The stamp of the next write. */
  get next(): number {
    return this.#nextStamp;
  }

  /** A write of `count` sectors begins; returns its stamp and what it does to each sector. */
  begin(first: number, count: number, now: number): { stamp: number; writes: Write[] } {
    const stamp = this.#nextStamp;
    this.#nextStamp += 1;
    const writes: Write[] = [];
    for (let s = first; s < first + count; s += 1) {
      const acked = Number.POSITIVE_INFINITY;
      const w = { stamp, invoked: now, acked, dead: false, flushed: false, goneBy: null };
      writes.push(w);
      const list = this.sectors.get(s);
      if (list) list.push(w);
      else this.sectors.set(s, [w]);
    }
    return { stamp, writes };
  }

  /** A flush that began at `invoked` ended. */
  flushed(invoked: number): void {
    for (const list of this.sectors.values()) {
      for (const w of list) if (w.acked < invoked) w.flushed = true;
    }
  }

  /** A replica goes on alone since `at`: what was acknowledged before is stable (RULE-11). */
  alone(at: number): void {
    this.flushed(at);
  }

  /** What a completed flush covers is stable on every member. */
  checkStable(node: number, stable: Uint32Array, invoked: number): void {
    for (const [s, list] of this.sectors) {
      const v = stable[s] as number;
      const known = list.find((w) => w.stamp === v);
      // A value of which nothing is known yet: it may be newer than everything acknowledged.
      if (known === undefined ? v !== 0 : known.acked === Number.POSITIVE_INFINITY) continue;
      const end = known?.acked ?? -1;
      const lost = list.find(
        (w) => w.acked < invoked && !w.dead && w.stamp !== v && w.invoked > end,
      );
      if (lost === undefined) continue;
      this.#violations.push(
        `LAW-flushed: host ${node} sector ${s} is stable at ${v}, flush covers ${lost.stamp}`,
      );
      return;
    }
  }

  /** Strict linearizability of one sector: what a read that began at `invoked` may return. */
  checkRead(sector: number, value: number, invoked: number, now: number, activeAt: number): void {
    const list = this.sectors.get(sector);
    if (!list) {
      if (value !== 0) this.#violations.push(`sector ${sector} has ${value}, never written`);
      return;
    }
    const w = value === 0 ? null : list.find((x) => x.stamp === value);
    if (w === undefined || w?.goneBy) {
      this.#violations.push(`LAW-register: sector ${sector} shows ${value}, gone for good`);
      return;
    }
    const end = w === null ? -1 : w.acked;
    const lost = list.find((x) => x !== w && x.acked < invoked && x.invoked > end);
    if (lost) {
      this.#violations.push(
        `LAW-acknowledged: sector ${sector} shows ${value}, but ${lost.stamp} was acknowledged`,
      );
    }
    if (w === null) return;
    // From now on it is known to have taken effect; what is older, or dead and unseen, is gone.
    if (w.acked > now) w.acked = now;
    for (const x of list) {
      if (x === w || x.goneBy) continue;
      if ((x.dead && x.invoked < activeAt) || x.acked < w.invoked) x.goneBy = w;
    }
    if (w.flushed)
      this.sectors.set(
        sector,
        list.filter((x) => x.goneBy !== w),
      );
  }

  /** Every member lost power: only what was flushed must survive. */
  forgetUnflushed(): void {
    for (const list of this.sectors.values()) {
      for (const w of list) {
        if (w.goneBy && !w.goneBy.flushed) w.goneBy = null;
        if (w.flushed) continue;
        w.acked = Number.POSITIVE_INFINITY;
        w.dead = true;
      }
    }
  }
}
