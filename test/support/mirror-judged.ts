/**
 * Hosts of a mirror whose clients' answers are judged: what each request that ended promises, what
 * a loss of power may take with it, and what the replicas must hold when all is quiet.
 */
import { Event, Status } from '../../engine/data/abi.ts';
import type { Member, VolumeRecord } from '../../engine/data/messages.ts';
import { SectorHistory } from './mirror-history.ts';
import { type Host, PairHosts } from './mirror-hosts.ts';
import { shown } from './mirror-spare.ts';

export abstract class JudgedHosts extends PairHosts {
  /** The committed record. */
  abstract record: VolumeRecord;
  completed = 0;
  writesCompleted = 0;
  reads = 0;
  /** Sectors of which a read ended with an error of the medium. */
  readonly failedReads: number[] = [];
  /** Who reported last that it serves, and when. */
  activeNode = 0;
  activeAt = 0;
  activeEpoch = 0;
  readonly history = new SectorHistory(this.violations);
  readonly #completedBy = new Map<number, number>();

  /** Requests that a host has completed well. */
  completedBy(node: number): number {
    return this.#completedBy.get(node) ?? 0;
  }

  /** Everything in flight on the host is lost or not, its cache with it. */
  powerOff(node: number): void {
    const h = this.host(node);
    if (!h.powered) return;
    this.note(`power off ${node}`);
    this.stopCore(h);
    for (const apply of h.flying.values()) if (this.rng.below(2) === 0) apply();
    this.#grounded(h);
    h.powered = false;
    h.lacking = false;
    for (const s of [...h.unstable].sort((a, b) => a - b)) {
      if (this.rng.below(2) === 0) h.stable[s] = h.cache[s] as number;
    }
    h.cache.set(h.stable);
    h.unstable.clear();
    h.boot += 1;
    if (!this.counted.some((m) => this.isAlive(m))) {
      this.note('total loss');
      this.history.forgetUnflushed();
    }
    this.coreGone();
  }

  /** The core dies, the host and its disk cache live on. */
  crashCore(node: number, downFor: number): void {
    const h = this.host(node);
    if (h.actor === null) return;
    this.note(`core crash ${node}`);
    this.stopCore(h);
    // The kernel still carries out what it was given, or where receipts are given half of it.
    for (const apply of h.flying.values()) {
      if (this.config.semiSync && h.losable.has(apply) && this.rng.below(2) === 0) continue;
      apply();
    }
    h.lacking ||= h.receipts.size > 0;
    this.#grounded(h);
    if (h.lacking && !this.counted.some((m) => this.isAlive(m))) {
      this.note('total loss');
      this.history.forgetUnflushed();
    }
    this.coreGone();
    this.after(downFor, () => {
      if (h.powered && h.actor === null) this.startCore(h);
    });
  }

  /** Whether the member may have what no other has: its caches are as they were. */
  isAlive(m: Member): boolean {
    const h = this.host(m.node);
    return h.powered && h.boot === m.boot && (!h.doubted || h.soft) && !h.lacking;
  }

  /** Whoever is named a member and was none has everything. */
  protected filled(members: readonly Member[]): void {
    for (const { node } of members) {
      if (!this.record.members.some((m) => m.node === node)) this.host(node).lacking = false;
    }
  }

  /** What it has lost by what is known of it: nothing, what its core took with it, or a cache. */
  standing(m: Member): number {
    const h = this.host(m.node);
    if (!h.powered || h.boot !== m.boot || (h.doubted && !h.soft)) return 2;
    return h.doubted ? 1 : 0;
  }

  /** Nothing is under way on its disk any more. */
  #grounded(h: Host): void {
    h.flying.clear();
    h.losable.clear();
    h.writing.clear();
    h.receipts.clear();
  }

  /** Who has everything that was acknowledged, as long as its caches live. */
  protected get counted(): readonly Member[] {
    return this.record.members;
  }

  /** A write was acknowledged. */
  protected acknowledged(): void {}

  /** A core has died, and what it was connected to is to hear of it. */
  protected coreGone(): void {}

  /** Whether its replica is asynchronous: no record names it. */
  isShipped({ node }: Host): boolean {
    return this.config.asyncNodes.includes(node);
  }

  /** Whether nothing more is to come of it: an asynchronous replica is the image of some moment. */
  protected isWell(h: Host): boolean {
    const shipped = this.isShipped(h);
    const idle = h.busyFront.every((each) => each === null);
    const clean = h.dirty === 0 || shipped;
    return idle && clean && h.disk === (shipped ? 'Consistent' : 'UpToDate') && linked(h);
  }

  /** Nothing is under way: all replicas have the same, and it is what was promised. */
  protected judgeImages(): void {
    const images = this.hosts.map((h) => shown(this.config, h, h.cache));
    const [first] = images as [Uint32Array];
    for (const [index, image] of images.entries()) {
      const s = image.findIndex((stamp, at) => stamp !== first[at]);
      if (s < 0) continue;
      const { node } = this.hosts[index] as Host;
      this.violations.push(`divergence: sector ${s}: ${first[s]}, host ${node} ${image[s]}`);
    }
    const primary = this.hosts.findIndex(({ node }) => node === this.record.primary);
    const served = images[primary] as Uint32Array;
    for (const s of this.history.sectors.keys()) {
      this.history.checkRead(s, served[s] as number, this.now, this.now, this.activeAt);
    }
  }

  override complete(h: Host, slot: number, status: number): void {
    const request = h.busyFront[slot];
    if (!request) {
      this.violations.push(`slot ${slot} completed twice`);
      return;
    }
    h.busyFront[slot] = null;
    if (status !== 0) {
      if (status === Status.Io && request.kind === Event.ReqRead) {
        this.failedReads.push(request.first);
      }
      for (const w of request.writes) w.dead = true;
      return;
    }
    this.completed += 1;
    if (request.kind !== Event.ReqRead) this.writesCompleted += 1;
    this.#completedBy.set(h.node, this.completedBy(h.node) + 1);
    if (request.writes.length > 0) {
      if (h.node !== this.activeNode && request.invoked > this.activeAt) {
        this.violations.push(`LAW-one-epoch: host ${h.node} acknowledged in an epoch long over`);
      }
      for (const w of request.writes) w.acked = this.now;
      // FUA is a flush of its own write; the history does not need the difference.
      this.acknowledged();
      return;
    }
    if (request.kind === Event.ReqRead) {
      this.reads += 1;
      // A frozen guest may read what is old (the lease's assumption is broken); writes it may not.
      if (h.lag > 0 && h.node !== this.record.primary) return;
      const data = h.payload[slot] as Uint32Array;
      for (let i = 0; i < request.count; i += 1) {
        const stamp = data[i] as number;
        this.history.checkRead(request.first + i, stamp, request.invoked, this.now, this.activeAt);
      }
      return;
    }
    this.history.flushed(request.invoked);
    for (const m of this.record.members) {
      const host = this.host(m.node);
      const stable = shown(this.config, host, host.stable);
      if (this.isAlive(m)) this.history.checkStable(host.node, stable, request.invoked);
    }
  }
}

function linked({ linkState }: Host): boolean {
  return linkState === 'Connected';
}
