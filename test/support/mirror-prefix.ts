/**
 * What the disk of an asynchronous replica would give, at any time: the image of its last point, to
 * the sector, or where it says so already that of a later one. A point is what had been sent up to
 * one write, and nothing else (LAW-prefix).
 */
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import type { DataReport } from '../../engine/data/messages.ts';
import { DiskFlag, metadataLayout } from '../../engine/mirror/metadata.ts';
import { type Host, type Input, SECTOR } from './mirror-hosts.ts';
import type { JudgedHosts } from './mirror-judged.ts';
import { imageOf, runsOf, superblockOf } from './mirror-undo.ts';

/** A write as it came to the replica. */
interface Arrival {
  readonly number: number;
  readonly first: number;
  readonly stamps: Uint32Array;
}

export class PrefixWatch {
  readonly #hosts: JudgedHosts;
  readonly #h: Host;
  /** What is to be shown or put back; null while the replica says that it has no image. */
  #model: Uint32Array | null;
  /** What came since the copy, and how many of these the image has. */
  #arrived: Arrival[] = [];
  #applied = 0;
  /** A copy has been begun, and the image that it overwrites is no longer the disk. */
  #copying = false;
  #overwritten = false;
  #log = 0;
  /** Points that the replica told of, and how often its disk was looked at. */
  points = 0;
  looks = 0;

  constructor(hosts: JudgedHosts, node: number) {
    const h = hosts.host(node);
    this.#hosts = hosts;
    this.#h = h;
    this.#model = h.stable.slice(0, h.sectors);
    const give = hosts.give.bind(hosts);
    hosts.give = (to, input) => {
      if (to === h) this.#arrives(input);
      give(to, input);
    };
    const report = hosts.report.bind(hosts);
    hosts.report = (from, said) => {
      report(from, said);
      if (from === h) this.#says(said);
    };
    const before = hosts.onDecision;
    const { slotA, slotB } = metadataLayout(hosts.config);
    hosts.onDecision = (at, op, slot, offset, ...rest) => {
      before?.(at, op, slot, offset, ...rest);
      if (at !== h || op !== Decision.MetaWrite) return;
      if (offset === slotA || offset === slotB) this.look();
    };
  }

  /** Numbers of the writes that have come since the copy. */
  get numbers(): readonly number[] {
    return this.#arrived.map(({ number }) => number);
  }

  /** Holds what the disk would give against what it must. */
  look(): void {
    const { config, violations } = this.#hosts;
    const h = this.#h;
    if (violations.length > 0) return;
    this.looks += 1;
    const { undo, flags } = superblockOf(config, h);
    const log = this.#log;
    this.#log = undo;
    const overwritten = (flags & DiskFlag.Inconsistent) !== 0;
    if (this.#copying && this.#overwritten && !overwritten) this.#copied();
    this.#overwritten = overwritten;
    if (overwritten && undo === 0) this.#model = null;
    if (this.#model === null) return;
    const runs = undo === 0 ? [] : runsOf(config, h);
    const images = [imageOf(h, h.stable, runs)];
    if (h.powered) images.push(imageOf(h, h.cache, runs));
    for (const image of images) {
      if (this.#differs(image) < 0) continue;
      // It may be a later one, of which it has had no time to tell.
      if (undo !== log || undo === 0) while (this.#differs(image) >= 0 && this.#apply());
      const at = this.#differs(image);
      if (at < 0) continue;
      const is = image[at];
      violations.push(`LAW-prefix: host ${h.node} would show ${is} in sector ${at}: no image`);
      return;
    }
  }

  #says(said: DataReport): void {
    if (said.kind !== 'event') return;
    const { kind, d } = said.event;
    if (kind === 'mirror.target.start') {
      this.#copying = true;
      this.#arrived = [];
      this.#applied = 0;
    }
    if (kind === 'mirror.target.end' && this.#copying) this.#copied();
    if (kind === 'mirror.point') this.#point(Number(d['sequence']));
  }

  #point(number: number): void {
    const { violations } = this.#hosts;
    this.points += 1;
    const { stable, cache } = this.#h;
    while ((this.#arrived[this.#applied - 1]?.number ?? 0) < number) {
      if (this.#apply()) continue;
      violations.push(`LAW-prefix: a point at ${number}, which has not come`);
      return;
    }
    const at = Math.max(this.#differs(stable), this.#differs(cache));
    if (at < 0 && this.#arrived[this.#applied - 1]?.number === number) return;
    violations.push(`LAW-prefix: the point ${number} is not what was sent: sector ${at}`);
  }

  /** The copy is finished, and is stable. */
  #copied(): void {
    this.#copying = false;
    this.#model = this.#h.stable.slice(0, this.#h.sectors);
    const at = this.#differs(this.#h.cache);
    if (at >= 0) this.#hosts.violations.push(`LAW-prefix: a copy ends unstable in sector ${at}`);
  }

  #arrives({ op, flags, offset, header, payload }: Input): void {
    if (op !== Event.PeerWrite || (flags & Flag.Detached) === 0) return;
    const view = new DataView((header as Uint8Array).buffer);
    const number = view.getFloat64(8, true);
    const zero = (flags & Flag.Zero) !== 0;
    const stamps = (payload as Uint32Array).slice();
    this.#arrived.push({ number, first: offset / SECTOR, stamps: zero ? stamps.fill(0) : stamps });
  }

  /** The next write is in the image too; false where none has come. */
  #apply(): boolean {
    const next = this.#arrived[this.#applied];
    if (next === undefined) return false;
    this.#applied += 1;
    this.#model?.set(next.stamps, next.first);
    return true;
  }

  /** The first sector in which `data` is not the image, -1 for none. */
  #differs(data: Uint32Array): number {
    const model = this.#model;
    if (model === null) return -1;
    const { zeroes } = this.#hosts;
    // Zeroes are not told from one another.
    const content = (stamp: number) => (zeroes.all(Uint32Array.of(stamp)) ? 0 : stamp);
    for (let at = 0; at < model.length; at += 1) {
      const [was, is] = [model[at] as number, data[at] as number];
      if (was !== is && content(was) !== content(is)) return at;
    }
    return -1;
  }
}
