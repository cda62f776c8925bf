/**
 * Three or four replicas as the pair harness has two: a link between each two hosts, control that
 * lets any member take over, a client, and faults. Every promise is checked as it is there.
 */
import { Event } from '../../engine/data/abi.ts';
import type { DataReport, Member, VolumeRecord } from '../../engine/data/messages.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { formatMetadata } from '../../engine/mirror/metadata.ts';
import type { WantReport } from '../../engine/mirror/wish.ts';
import { ClientHosts } from './mirror-client.ts';
import { uncoveredBetween } from './mirror-cover.ts';
import { GRANT, type Host, INPUT, type Input, MS } from './mirror-hosts.ts';
import { PAIR_CONFIG } from './mirror-pair.ts';

export const TRIO_CONFIG: MirrorConfig = { ...PAIR_CONFIG, nodes: [1, 2, 3] };

/** The connection of two hosts. */
interface Cable {
  readonly ends: readonly [Host, Host];
  link: number;
  /** A link that was closed in order: what was sent before still arrives. */
  closing: number;
  cut: boolean;
  connecting: boolean;
}

/** Links between every two of several hosts. */
export abstract class ManyHosts extends ClientHosts {
  readonly cables: Cable[] = [];
  #links = 0;
  readonly #lastAt = new Map<Cable, number>();

  constructor(config: MirrorConfig, seed: number, canaries: readonly string[]) {
    super(config, seed, canaries);
    for (const a of this.hosts) {
      for (const b of this.hosts) {
        if (a.node >= b.node) continue;
        this.cables.push({ ends: [a, b], link: 0, closing: 0, cut: false, connecting: false });
      }
    }
  }

  override has(h: Host, link: number): boolean {
    return this.#cableOf(h, link) !== null;
  }

  override closed(h: Host, link: number): void {
    const cable = this.#cableOf(h, link);
    if (cable !== null) this.#end(cable);
  }

  override connect(): void {
    for (const cable of this.cables) this.#begin(cable);
  }

  override disconnect(): void {
    for (const cable of this.cables) this.#end(cable);
  }

  override stopCore(h: Host): void {
    super.stopCore(h);
    for (const cable of this.cables) if (cable.ends.includes(h)) this.#end(cable);
  }

  override send(h: Host, link: number, input: Input): void {
    const cable = this.#cableOf(h, link);
    if (cable === null) return;
    const to = cable.ends[0] === h ? cable.ends[1] : cable.ends[0];
    const { life } = to;
    this.after(this.#arrival(cable, to), () => {
      const open = cable.link === link || cable.closing === link;
      if (to.life === life && open) this.give(to, { ...input, link });
    });
  }

  /** Cuts these cables; each side learns of it at its own time. */
  cutWhere(which: (a: number, b: number) => boolean): void {
    for (const cable of this.cables) {
      if (!which(cable.ends[0].node, cable.ends[1].node)) continue;
      cable.cut = true;
      this.#end(cable);
    }
  }

  healAll(): void {
    for (const cable of this.cables) cable.cut = false;
    this.connect();
  }

  #cableOf(h: Host, link: number): Cable | null {
    if (link === 0) return null;
    return this.cables.find((c) => c.link === link && c.ends.includes(h)) ?? null;
  }

  #begin(cable: Cable): void {
    if (cable.connecting || cable.link !== 0) return;
    cable.connecting = true;
    this.after(this.rng.between(1, 30) * MS, () => {
      cable.connecting = false;
      const [a, b] = cable.ends;
      if (cable.cut || cable.link !== 0 || a.actor === null || b.actor === null) return;
      this.#links += 1;
      const link = this.#links;
      cable.link = link;
      for (const [h, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const { life } = h;
        const up = { ...INPUT, op: Event.LinkUp, link, offset: other.node };
        this.after(this.#arrival(cable, h), () => {
          if (h.life === life) this.give(h, up);
        });
      }
    });
  }

  #end(cable: Cable): void {
    const { link } = cable;
    if (link === 0) return;
    cable.link = 0;
    const orderly = this.rng.below(2) === 0;
    if (orderly) cable.closing = link;
    for (const h of cable.ends) {
      const { life } = h;
      const late = this.rng.below(4) === 0 ? this.rng.between(1, 300) * MS : 500;
      this.after(orderly ? this.#arrival(cable, h) : late, () => {
        if (h.life === life) this.give(h, { ...INPUT, op: Event.LinkDown, link });
        cable.closing = 0;
      });
    }
    if (!cable.cut) this.#begin(cable);
  }

  #arrival(cable: Cable, to: Host): number {
    const last = this.#lastAt.get(cable) ?? 0;
    const at = Math.max(last + 1, to.cloggedUntil, this.now + this.rng.between(50, 1500));
    this.#lastAt.set(cable, at);
    return at - this.now;
  }
}

export interface ManyOptions {
  readonly seed: number;
  readonly canaries?: readonly string[];
  readonly config?: MirrorConfig;
}

export class Many extends ManyHosts {
  record: VolumeRecord;
  takeOvers = 0;
  readonly #wants = new Map<number, WantReport>();
  #switching = 0;
  #takeOverDue = false;
  #committedAt = 0;
  /** Who was left out and has everything all the same, until something is acknowledged. */
  #left: readonly Member[] = [];
  /** Who still counts while a taker that is alone has not flushed (docs/decisions/0006). */
  #base: readonly Member[] = [];

  constructor(options: ManyOptions) {
    super(options.config ?? TRIO_CONFIG, options.seed, options.canaries ?? []);
    for (const h of this.hosts) {
      for (const { page, bytes } of formatMetadata(this.config, h.node, 100, 'UpToDate')) {
        h.meta.set(page, bytes);
      }
      h.boot = 10 * h.node;
    }
    const named = this.hosts.filter((h) => !this.isShipped(h));
    const members = named.map(({ node, boot }) => ({ node, boot }));
    const { volume } = this.config;
    this.record = { volume, epoch: 1, primary: 1, members, generation: 100 };
    for (const h of this.hosts) this.powerOn(h.node);
    this.#tick();
  }

  powerOn(node: number): void {
    const h = this.host(node);
    if (h.powered) return;
    this.note(`power on ${node}`);
    h.powered = true;
    this.startCore(h);
  }

  protected override get counted(): readonly Member[] {
    return [...this.record.members, ...this.#base, ...this.#left];
  }

  protected override acknowledged(): void {
    this.#left = [];
  }

  switchOver(): void {
    if (this.record.members.length < 2 || this.#switching !== 0 || this.record.primary === 0)
      return;
    this.note('switch');
    this.#switching = this.record.epoch;
    this.#demote();
  }

  override healAll(): void {
    // From here on who was left out may be copied to.
    this.#left = [];
    super.healAll();
  }

  /** LAW-cover between every two of them: the first hole, null for none. */
  get hole(): string | null {
    for (const { ends } of this.cables) {
      const hole = uncoveredBetween(this.config, ends[0], ends[1]);
      if (hole !== null) return `${ends[0].node} and ${ends[1].node}: ${hole}`;
    }
    return null;
  }

  /** A random fault, gone again by itself. */
  fault(): void {
    const r = this.rng;
    const node = 1 + r.below(this.hosts.length);
    const other = 1 + r.below(this.hosts.length);
    switch (r.below(10)) {
      case 0:
        this.note(`isolate ${node}`);
        this.cutWhere((a, b) => a === node || b === node);
        this.after(r.between(5, 800) * MS, () => this.healAll());
        return;
      case 1:
      case 2:
        this.note(`cut ${node} ${other}`);
        this.cutWhere((a, b) => Math.min(node, other) === a && Math.max(node, other) === b);
        this.after(r.between(5, 800) * MS, () => this.healAll());
        return;
      case 3:
      case 4:
        this.powerOff(node);
        this.after(r.between(20, 1500) * MS, () => this.powerOn(node));
        if (r.below(4) !== 0) return;
        this.powerOff(other);
        this.after(r.between(20, 1500) * MS, () => this.powerOn(other));
        return;
      case 5:
        // The primary, whoever that is: what was under way then reached some of the others.
        if (this.record.primary === 0) return;
        this.powerOff(this.record.primary);
        this.after(r.between(300, 2000) * MS, () => {
          for (const h of this.hosts) this.powerOn(h.node);
        });
        return;
      case 6:
        this.crashCore(node, r.between(1, 400) * MS);
        return;
      case 7:
        this.note(`pause ${node}`);
        this.host(node).pausedUntil = this.now + r.between(10, 900) * MS;
        return;
      case 8:
        this.note(`clog ${node}`);
        this.host(node).cloggedUntil = this.now + r.between(50, 900) * MS;
        return;
      default:
        this.switchOver();
    }
  }

  /** Heals everything and waits until all replicas are equal members, or says why not. */
  settle(): void {
    this.load(false);
    for (const h of this.hosts) this.powerOn(h.node);
    this.healAll();
    const limit = this.now + 30_000 * MS;
    while (this.now < limit && !this.#quiet() && this.violations.length === 0) this.runFor(50 * MS);
    if (!this.#quiet()) {
      const hosts = this.hosts.map((h) => `${h.role}/${h.disk}/${h.linkState}/${h.dirty}`);
      const members = this.record.members.map((m) => m.node).join(',');
      const { epoch, primary } = this.record;
      const text = `${hosts.join(' ')} epoch ${epoch} primary ${primary} members ${members}`;
      this.violations.push(`LAW-heals: ${text}`);
      return;
    }
    this.judgeImages();
  }

  #quiet(): boolean {
    const { members, primary } = this.record;
    const named = this.hosts.filter((h) => !this.isShipped(h));
    if (members.length !== named.length || this.host(primary)?.role !== 'Primary') return false;
    return this.hosts.every((h) => this.isWell(h));
  }

  #demote(): void {
    const { epoch, primary } = this.record;
    this.command(this.host(primary), { kind: 'demote', epoch, cause: 'c' });
  }

  #tick(): void {
    for (const h of this.hosts) {
      if (h.actor === null || !h.attached || h.pausedUntil > this.now) continue;
      if (h.node === this.record.primary && !this.#takeOverDue && this.#base.length === 0) {
        h.lastGrant = this.now + GRANT;
        this.command(h, { kind: 'grant', cause: '', until: h.lastGrant });
      }
      this.command(h, { kind: 'record', record: this.record, cause: 'c' });
    }
    if (this.#switching === this.record.epoch) this.#demote();
    for (const want of this.#wants.values()) this.#want(want);
    this.#takeOver();
    this.after(40 * MS, () => this.#tick());
  }

  #commit(record: Omit<VolumeRecord, 'volume' | 'epoch'>): void {
    const { volume, epoch } = this.record;
    this.record = { volume, epoch: epoch + 1, ...record };
    const text = record.members.map((m) => `${m.node}@${m.boot}`).join(' ');
    this.note(`commit ${epoch + 1} primary ${record.primary} members ${text}`);
    this.#switching = 0;
    this.#committedAt = this.now;
    this.#wants.clear();
    for (const h of this.hosts) {
      this.command(h, { kind: 'record', record: this.record, cause: 'c' });
    }
  }

  #want(want: WantReport): void {
    const { record } = this;
    const from = this.host(record.primary);
    if (from === undefined || want.epoch !== record.epoch || this.#base.length > 0) return;
    const me = record.members.find((m) => m.node === from.node);
    if (me?.boot !== from.boot) return;
    const members: Member[] = [];
    for (const node of want.members) {
      const before = record.members.find((m) => m.node === node);
      // Who is admitted must still live the life that was copied to.
      if (before === undefined && this.host(node).boot !== want.peerBoot) return;
      members.push(before ?? { node, boot: want.peerBoot });
    }
    const gone = record.members.filter((m) => !members.some((n) => n.node === m.node));
    const shrinks = gone.length > 0;
    if (shrinks) this.#left = gone;
    this.filled(members);
    const generation = shrinks ? 1000 + record.epoch : record.generation;
    this.#commit({ primary: record.primary, members, generation });
  }

  #takeOver(): void {
    const { record } = this;
    if (record.primary === 0) return;
    const old = this.host(record.primary);
    const oldMember = record.members.find((m) => m.node === old.node);
    const there = old.attached && old.actor !== null && old.pausedUntil <= this.now;
    const trusted = old.disk !== 'Failed' && !old.doubted;
    if (there && oldMember?.boot === old.boot && trusted) {
      this.#takeOverDue = false;
      return;
    }
    this.#takeOverDue = true;
    if (this.now <= old.lastGrant) return;
    const counted = this.#base.length > 0 ? this.#base : record.members;
    const least = Math.min(...counted.map((m) => this.standing(m)));
    const may = counted.filter((m) => this.standing(m) === least);
    const from = this.rng.below(may.length);
    for (let k = 0; k < may.length; k += 1) {
      const h = this.host((may[(from + k) % may.length] as Member).node);
      if (!h.attached || h.actor === null || h.pausedUntil > this.now) continue;
      if (h.disk === 'Failed') continue;
      this.#takeOverDue = false;
      this.takeOvers += 1;
      // RULE-22: what the log named before is a parent, whether anybody served in it or not.
      const voided = [...(this.#base.length > 0 ? (record.voided ?? []) : []), record.generation];
      const members = [{ node: h.node, boot: h.boot }];
      this.#base = counted;
      const generation = 1000 + record.epoch;
      this.#commit({ primary: h.node, members, generation, voided: voided.slice(-16) });
      return;
    }
  }

  report(h: Host, report: DataReport): void {
    switch (report.kind) {
      case 'attached':
        h.attached = true;
        h.disk = report.disk;
        h.doubted = report.doubted;
        h.soft = report.lacking === true;
        return;
      case 'state':
        h.disk = report.disk;
        h.doubted = report.doubted === true;
        h.soft = report.lacking === true;
        h.role = report.role;
        h.linkState = report.link;
        h.dirty = report.dirty;
        return;
      case 'want':
        this.#wants.set(h.node, report);
        return;
      case 'active':
        this.activeAt = this.now;
        this.activeNode = h.node;
        this.activeEpoch = report.epoch;
        h.lacking = false;
        if (report.epoch !== this.record.epoch) return;
        this.#base = [];
        if (this.record.members.length === 1) this.history.alone(this.#committedAt);
        return;
      case 'stopped': {
        if (this.#switching !== this.record.epoch || report.epoch !== this.record.epoch) return;
        const { primary, members, generation } = this.record;
        const others = members.filter((m) => m.node !== primary);
        const next = others[this.rng.below(others.length)];
        this.#commit({ primary: next?.node ?? primary, members, generation });
        return;
      }
      case 'refused':
        this.note(`refused ${h.node} ${report.reason}`);
        return;
    }
  }
}
