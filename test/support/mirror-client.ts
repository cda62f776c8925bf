/** A client of the hosts of a mirror: reads, writes, zeroes and flushes of a few hot places. */
import { Event, Flag } from '../../engine/data/abi.ts';
import type { Write } from './mirror-history.ts';
import { type Host, INPUT, LAYOUT, SECTOR } from './mirror-hosts.ts';
import { JudgedHosts } from './mirror-judged.ts';

export abstract class ClientHosts extends JudgedHosts {
  loading = false;
  #focus = 64;

  /** Starts or stops the client. */
  load(on: boolean, focus = 64): void {
    this.#focus = focus;
    if (on && !this.loading) this.after(0, () => this.#client());
    this.loading = on;
  }

  #client(): void {
    if (!this.loading) return;
    const r = this.rng;
    // An application runs wherever the host believes that it is primary, and sometimes elsewhere.
    const some = this.host(1 + r.below(this.hosts.length));
    const there = some.role === 'Primary' || r.below(20) === 0;
    const h = there ? some : this.host(this.record.primary || 1);
    const slot = h.busyFront.indexOf(null);
    if (h.actor !== null && slot >= 0) this.#request(h, slot);
    this.after(r.between(50, 1500), () => this.#client());
  }

  #request(h: Host, slot: number): void {
    const r = this.rng;
    const dice = r.below(20);
    // A few hot places, spread over all extents: overlaps, and evictions from the hot set.
    const place = r.below(8) * 1024 * 1024 + r.below(4) * 200 * 1024;
    let first = place / SECTOR + r.below(this.#focus);
    let count = 1 + r.below(r.below(4) === 0 ? 24 : 8);
    const grain = this.config.logicalBlock / SECTOR;
    first -= first % grain;
    count = Math.ceil(count / grain) * grain;
    const { now } = this;
    if (dice === 0) {
      h.busyFront[slot] = { kind: Event.ReqFlush, first: 0, count: 0, invoked: now, writes: [] };
      this.give(h, { ...INPUT, op: Event.ReqFlush, slot });
      return;
    }
    const read = dice < 8;
    const op = read ? Event.ReqRead : Event.ReqWrite;
    let writes: readonly Write[] = [];
    let zero = false;
    if (!read) {
      const { next } = this.history;
      // Where zeroes may be longer than a slot, some are: they begin anywhere, and cross extents.
      if (this.config.zeroBytes > LAYOUT.slotBytes && next % 32 === 0) {
        count = this.config.zeroBytes / SECTOR - (next % 7);
        first = Math.min(first, h.sectors - count);
      }
      const begun = this.history.begin(first, count, now);
      writes = begun.writes;
      zero = begun.stamp % 8 === 0;
      const stamp = zero ? this.zeroes.hollow(begun.stamp) : begun.stamp;
      (h.payload[slot] as Uint32Array).fill(stamp, 0, count);
    }
    h.busyFront[slot] = { kind: op, first, count, invoked: now, writes };
    const flags = (r.below(10) === 0 ? Flag.Fua : 0) | (zero ? Flag.Zero : 0);
    const [offset, length] = [first * SECTOR, count * SECTOR];
    this.give(h, { ...INPUT, op, slot, flags, offset, length });
  }
}
