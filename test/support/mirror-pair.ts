import type { DataReport, Member, VolumeRecord } from '../../engine/data/messages.ts';
import { MIRROR_DEFAULTS, type MirrorConfig } from '../../engine/mirror/config.ts';
import { formatMetadata } from '../../engine/mirror/metadata.ts';
import type { WantReport } from '../../engine/mirror/wish.ts';
import { ClientHosts } from './mirror-client.ts';
import { type Host, MS } from './mirror-hosts.ts';

const GRANT = 300 * MS;

export const PAIR_CONFIG: MirrorConfig = {
  ...MIRROR_DEFAULTS,
  zeroBytes: 16384,
  volume: 'v',
  uuid: '00112233445566778899aabbccddeeff',
  sizeBytes: 8 * 1024 * 1024,
  logicalBlock: 512,
  nodes: [1, 2],
  alExtents: 4,
  journalPages: 4,
  resyncWindow: 4,
  resyncChunk: 16384,
  barrierWrites: 64,
  barrierDelay: 20 * MS,
  peerTimeout: 200 * MS,
  connectTimeout: 300 * MS,
};

/** A hot set of more than one journal page names, in the smallest ring that can hold it. */
export const LONG_CONFIG: MirrorConfig = { ...PAIR_CONFIG, alExtents: 6, journalExtents: 4 };

export interface PairOptions {
  readonly seed: number;
  readonly canaries?: readonly string[];
  readonly config?: MirrorConfig;
  /** Which replicas start as a replacement. */
  readonly fresh?: readonly number[];
}
export class Pair extends ClientHosts {
  record: VolumeRecord;
  verbose = false;
  #wants = new Map<number, WantReport>();
  #switching = 0;
  #releasing = false;
  #takeOverDue = false;
  #committedAt = 0;

  constructor(options: PairOptions) {
    super(options.config ?? PAIR_CONFIG, options.seed, options.canaries ?? []);
    for (const h of this.hosts) {
      const state = options.fresh?.includes(h.node) ? 'Inconsistent' : 'UpToDate';
      for (const { page, bytes } of formatMetadata(this.config, h.node, 100, state)) {
        h.meta.set(page, bytes);
      }
      h.boot = 10 * h.node;
    }
    const volume = this.config.volume;
    const members: Member[] = [];
    for (const h of this.hosts) {
      if (options.fresh?.includes(h.node) || this.isShipped(h)) continue;
      members.push({ node: h.node, boot: h.boot });
    }
    this.record = {
      volume,
      epoch: 1,
      primary: (members[0] as Member).node,
      members,
      generation: members.length === 2 ? 100 : 101,
    };
    for (const h of this.hosts) this.#startHost(h);
    this.connect();
    this.#controlTick();
  }

  protected override coreGone(): void {
    this.disconnect();
  }

  /** Cuts the link; each side learns of it at its own time. */
  cut(): void {
    this.isCut = true;
    this.note('cut');
    this.disconnect();
  }

  heal(): void {
    this.isCut = false;
    this.note('heal');
    this.connect();
  }

  powerOn(node: number): void {
    const h = this.host(node);
    if (h.powered) return;
    this.note(`power on ${node}`);
    this.#startHost(h);
  }

  pause(node: number, micros: number): void {
    this.note(`pause ${node}`);
    this.host(node).pausedUntil = this.now + micros;
  }

  /** Freezes the whole guest, its clock too: afterwards it believes in rights long gone. */
  freeze(node: number, micros: number): void {
    this.note(`freeze ${node}`);
    const h = this.host(node);
    if (h.pausedUntil > this.now) return;
    h.pausedUntil = this.now + micros;
    h.lag += micros;
  }

  /** What is sent to the host arrives only after this time, in order. */
  clog(node: number, micros: number): void {
    this.note(`clog ${node}`);
    this.host(node).cloggedUntil = this.now + micros;
  }

  /** Cuts the host off from control. */
  isolate(node: number, on: boolean): void {
    this.note(`isolate ${node} ${on}`);
    this.host(node).connected = !on;
  }

  /** A planned switch to the other host, if both are members. */
  switchOver(): void {
    if (this.record.members.length < 2 || this.#switching !== 0) return;
    this.note('switch');
    this.#switching = this.record.epoch;
    this.#demote();
  }

  /** Stops the group: the primary gives up its role, then the record names none. */
  release(): void {
    this.note('release');
    this.#switching = this.record.epoch;
    this.#releasing = true;
    this.#demote();
  }

  /** Control commits `change`, whatever anybody wished. */
  commit(change: Partial<VolumeRecord>): void {
    const { primary, members, generation } = { ...this.record, ...change };
    this.#commit(primary, members, generation);
  }

  #demote(): void {
    const { epoch, primary } = this.record;
    this.command(this.host(primary), { kind: 'demote', epoch, cause: 'c' });
  }

  /** A random fault, gone again by itself. */
  fault(): void {
    const r = this.rng;
    const node = 1 + r.below(2);
    switch (r.below(10)) {
      case 0:
      case 1:
        if (this.isCut) return;
        this.cut();
        this.after(r.between(5, 800) * MS, () => this.heal());
        return;
      case 2:
      case 3:
        this.powerOff(node);
        this.after(r.between(20, 1500) * MS, () => this.powerOn(node));
        if (r.below(5) === 0) {
          this.powerOff(3 - node);
          this.after(r.between(20, 1500) * MS, () => this.powerOn(3 - node));
        }
        return;
      case 4:
        this.crashCore(node, r.between(1, 400) * MS);
        return;
      case 5:
        this.pause(node, r.between(10, 900) * MS);
        return;
      case 6:
        this.isolate(node, true);
        this.after(r.between(100, 1200) * MS, () => this.isolate(node, false));
        return;
      case 8:
        this.freeze(node, r.between(100, 900) * MS);
        return;
      case 7: {
        this.clog(node, r.between(50, 900) * MS);
        if (r.below(2) === 0) return;
        this.isolate(3 - node, true);
        this.after(r.between(100, 1200) * MS, () => this.isolate(3 - node, false));
        return;
      }
      default:
        this.switchOver();
    }
  }

  /** Heals everything and waits until both replicas are equal members, or says why not. */
  settle(): void {
    this.load(false);
    for (const h of this.hosts) {
      h.connected = true;
      if (!h.powered) this.powerOn(h.node);
    }
    this.isCut = false;
    this.connect();
    const limit = this.now + 20_000 * MS;
    while (this.now < limit && !this.#quiet()) this.runFor(50 * MS);
    if (!this.#quiet()) {
      const [a, b] = this.hosts;
      this.violations.push(
        `LAW-heals: ${a.role}/${a.disk}/${a.linkState}/${a.dirty} ` +
          `${b.role}/${b.disk}/${b.linkState}/${b.dirty} epoch ${this.record.epoch} ` +
          `primary ${this.record.primary} members ${this.record.members.length}`,
      );
      return;
    }
    this.judgeImages();
  }

  #quiet(): boolean {
    return (
      this.record.members.length === this.hosts.filter((h) => !this.isShipped(h)).length &&
      this.hosts.every((h) => this.isWell(h)) &&
      this.host(this.record.primary)?.role === 'Primary'
    );
  }

  #startHost(h: Host): void {
    h.powered = true;
    this.startCore(h);
  }

  #controlTick(): void {
    for (const h of this.hosts) {
      if (h.actor === null || !h.connected || !h.attached || h.pausedUntil > this.now) continue;
      if (h.node === this.record.primary && !this.#takeOverDue) {
        h.lastGrant = this.now + GRANT;
        this.command(h, { kind: 'grant', cause: '', until: h.lastGrant - h.lag });
      }
      this.command(h, { kind: 'record', record: this.record, cause: 'c' });
    }
    if (this.#switching === this.record.epoch) this.#demote();
    for (const want of this.#wants.values()) this.#want(want);
    this.#takeOver();
    this.after(40 * MS, () => this.#controlTick());
  }

  #commit(primary: number, members: readonly Member[], generation: number): void {
    const { volume, epoch, discard } = this.record;
    const plain = { volume, epoch: epoch + 1, primary, members, generation };
    // An order to give a branch up stands until its replica is a member again.
    const done = members.some((m) => m.node === discard?.node);
    this.record = discard === undefined || done ? plain : { ...plain, discard };
    const text = members.map((m) => `${m.node}@${m.boot}`).join(' ');
    this.note(`commit ${epoch + 1} primary ${primary} members ${text}`);
    this.#switching = 0;
    this.#releasing = false;
    this.#committedAt = this.now;
    this.#wants.clear();
    for (const h of this.hosts) {
      this.command(h, { kind: 'record', record: this.record, cause: 'c' });
    }
  }

  #want(want: WantReport): void {
    const { record } = this;
    const from = this.host(record.primary);
    if (want.epoch !== record.epoch || !from?.connected) return;
    const me = record.members.find((m) => m.node === from.node);
    if (me?.boot !== from.boot) return;
    if (want.members.length === record.members.length && want.members.length === 2) return;
    const members = want.members.map((node) => ({
      node,
      boot: node === from.node ? from.boot : want.peerBoot,
    }));
    this.filled(members);
    // As the log does: whoever goes on without somebody begins another one, and nobody else.
    const shrinks = record.members.some((m) => !members.some((n) => n.node === m.node));
    const generation = shrinks ? 1000 + record.epoch : record.generation;
    this.#commit(record.primary, members, generation);
  }

  #takeOver(): void {
    const { record } = this;
    if (record.primary === 0) return;
    const old = this.host(record.primary);
    const oldMember = record.members.find((m) => m.node === old.node);
    const healthy =
      old.attached &&
      old.connected &&
      old.actor !== null &&
      old.pausedUntil <= this.now &&
      (oldMember?.boot === old.boot || old.proxies);
    if (healthy && (old.proxies || (old.disk !== 'Failed' && !old.doubted))) {
      this.#takeOverDue = false;
      return;
    }
    this.#takeOverDue = true;
    if (this.now <= old.lastGrant) return;
    const least = Math.min(...record.members.map((m) => this.standing(m)));
    for (const m of record.members.filter((each) => this.standing(each) === least)) {
      const h = this.host(m.node);
      if (!h.attached || !h.connected || h.actor === null || h.pausedUntil > this.now) continue;
      if (h.disk === 'Failed') continue;
      this.#takeOverDue = false;
      this.#commit(h.node, [{ node: h.node, boot: h.boot }], 1000 + record.epoch);
      return;
    }
  }

  report(h: Host, report: DataReport): void {
    if (this.verbose) this.note(`${h.node}: ${JSON.stringify(report)}`);
    switch (report.kind) {
      case 'attached':
        h.attached = true;
        h.disk = report.disk;
        h.doubted = report.doubted;
        h.soft = report.lacking === true;
        h.proxies = false;
        return;
      case 'state':
        h.disk = report.disk;
        h.doubted = report.doubted === true;
        h.soft = report.lacking === true;
        h.proxies = report.proxies === true;
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
        if (report.epoch === this.record.epoch && this.record.members.length === 1) {
          this.history.alone(this.#committedAt);
        }
        return;
      case 'stopped':
        if (this.#switching === this.record.epoch && report.epoch === this.record.epoch) {
          if (h.connected) this.#switched();
        }
        return;
      case 'refused':
        this.note(`refused ${h.node} ${report.reason}`);
        return;
    }
  }

  #switched(): void {
    const { primary, members, generation } = this.record;
    const other = members.find((m) => m.node !== primary);
    if (this.#releasing) this.#commit(0, members, generation);
    else this.#commit(other === undefined ? primary : other.node, members, generation);
  }
}
