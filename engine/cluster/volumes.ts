/** This node's replicas as their data actors report them, and what they were told. */
import type { BootId, Epoch, Generation, Micros, NodeId } from '../core/units.ts';
import type {
  Branch,
  DataReport,
  Discard,
  DiskState,
  FailingReason,
  KeptBranch,
  Lag,
  LinkState,
  LostBranch,
  Meters,
  QuiesceReport,
  Role,
  VerifyReport,
  VolumeRecord,
  WayBack,
} from '../data/messages.ts';
import { servedOf } from './changes.ts';
import type { Context } from './context.ts';
import type { VolumeFacts, Want } from './messages.ts';
import { sentOf, type VerifyNote } from './verify-note.ts';

export interface LocalVolume {
  readonly volume: string;
  /** The data actor's metadata was read in its present life. */
  attached: boolean;
  /** Its start was heard, and not yet that it has read its metadata: what it says is empty. */
  starting: boolean;
  disk: DiskState;
  role: Role;
  link: LinkState;
  dirty: number;
  generation: Generation;
  /** What its data had been through when its metadata was read. */
  parents: readonly Generation[];
  /** Highest epoch that the data actor has durably seen. */
  epoch: Epoch;
  want: Want | null;
  /** Records up to this epoch were acted on by an earlier life of the data actor. */
  taint: Epoch;
  /** Epoch of the record sent last to this life, 0 for none. */
  sent: Epoch;
  /** It was told to be primary and has not confirmed a stop. */
  engaged: boolean;
  /** Highest epoch in which it reported to serve. */
  active: Epoch;
  granted: Micros;
  event: string;
  /** How many events this life had written then. */
  told: number;
  /** Id of the data actor's event that its disk failed, '' while it has not. */
  failure: string;
  /** Why its disk is likely to fail soon, '' while it is not. */
  failing: FailingReason | '';
  /** The path to its disk is lost. */
  pathLost: boolean;
  /** Its disk failed, and it goes on through other members, or is about to. */
  proxies: boolean;
  /** How far its last verification came, null while there was none. */
  verify: VerifyReport | null;
  /** Whether it has what the order of its record keeps; null where none keeps it. */
  keeps: boolean | null;
  /** What it says of its branch; null while its peer's data are no other one. */
  branch: Branch | null;
  /** What became of the image that a copy is overwriting, null while none is. */
  wayBack: WayBack | null;
  /** The branch that was given up and is kept here; null for none, or before it is read. */
  keptBranch: KeptBranch | null;
  /** The last one that could not be kept there; null for none. */
  lostBranch: LostBranch | null;
  /** How far the asynchronous replica of each host is behind, by this node's own word. */
  readonly lags: Map<NodeId, Lag>;
  /** The newest note of a verification, whoever wrote it; null while there is none. */
  note: VerifyNote | null;
  /** What requests took in the last second that was told of; null before any. */
  meters: Meters | null;
  /** How long until it is compared by itself; null where it is not, or not known here. */
  dueIn: Micros | null;
  /** The disk that its data actor has open: 32 bits of its identity, 0 where it is not known. */
  device: number;
  /** Hosts whose replicas its data actor was told to let go. */
  parted: readonly NodeId[];
  /** Bytes that its data actor shows to clients. */
  served: number;
}

/**
 * A replica whose disk failed while another member had its data: what it had acknowledged may be
 * gone. Kept beside its own metadata, which may not have taken the word.
 */
export interface Doubted {
  readonly volume: string;
  readonly boot: BootId;
  /** Its disk has not failed: only what an earlier core had received, and not written, is gone. */
  readonly lacking?: boolean;
}

/** What is remembered of a volume's verification. */
export interface Noted {
  readonly volume: string;
  readonly note: VerifyNote;
}

export class Volumes {
  readonly #context: Context;
  readonly #all: LocalVolume[] = [];
  #doubted: readonly Doubted[] = [];
  /** Called when {@link doubted} changed and must be made durable. */
  readonly #changed: () => void;
  /** The order that stands by what this node has applied of the log. */
  readonly #order: (volume: string) => Discard | undefined;
  /** Told each report on a verification. */
  onVerify: (local: LocalVolume, report: VerifyReport) => void = () => {};
  /** Told what becomes of each quiesce point. */
  onQuiesce: (report: QuiesceReport) => void = () => {};
  /** Whether this node holds its lease. */
  held: () => boolean = () => false;
  /** Whether facts say in which record a primary serves. */
  tellActive = false;
  /** Whether they say which disk each replica has, and each wish whose it is about. */
  tellDisks = false;
  /** Bytes of the volume that clients are to see, by what this node has applied of the log. */
  served: (volume: string) => number;

  constructor(
    context: Context,
    changed: () => void = () => {},
    order: (volume: string) => Discard | undefined = () => undefined,
  ) {
    this.#context = context;
    this.#changed = changed;
    this.#order = order;
    this.served = (volume) => this.#beginsWith(volume);
    for (const { name, replicas } of context.config.volumes) {
      if (!replicas.some((replica) => replica.node === context.node)) continue;
      this.#all.push({
        volume: name,
        attached: false,
        starting: false,
        disk: 'Diskless',
        role: 'Idle',
        link: 'Connecting',
        dirty: 0,
        generation: 0,
        parents: [],
        epoch: 0,
        want: null,
        taint: 0,
        sent: 0,
        engaged: false,
        active: 0,
        granted: -1,
        event: '',
        told: 0,
        failure: '',
        failing: '',
        pathLost: false,
        proxies: false,
        verify: null,
        keeps: null,
        branch: null,
        wayBack: null,
        keptBranch: null,
        lostBranch: null,
        lags: new Map(),
        note: null,
        dueIn: null,
        device: 0,
        parted: [],
        served: this.#beginsWith(name),
        meters: null,
      });
    }
  }

  get all(): readonly LocalVolume[] {
    return this.#all;
  }

  get(name: string): LocalVolume | null {
    return this.#all.find((volume) => volume.volume === name) ?? null;
  }

  get doubted(): readonly Doubted[] {
    return this.#doubted;
  }

  isDoubted(name: string): boolean {
    return this.#doubted.some(({ volume }) => volume === name);
  }

  /** What an earlier life wrote down; a reboot is doubt enough by itself (RULE-06). */
  restore(doubted: readonly Doubted[], notes: readonly Noted[]): void {
    for (const { volume, note } of notes) {
      const local = this.get(volume);
      if (local !== null) local.note = note;
    }
    if (this.#context.flags['failure-forgotten']) return;
    this.#doubted = doubted.filter(({ boot }) => boot === this.#context.boot);
  }

  /** The data actor (re)started: it knows nothing of what it was told before. */
  started(name: string): void {
    const volume = this.get(name);
    if (volume === null) return;
    volume.attached = false;
    volume.starting = true;
    volume.want = null;
    volume.sent = 0;
    volume.engaged = false;
    volume.active = 0;
    volume.granted = -1;
    volume.role = 'Idle';
    volume.failure = '';
    volume.failing = '';
    volume.proxies = false;
    volume.branch = null;
    volume.meters = null;
    volume.keeps = null;
    volume.wayBack = null;
    volume.keptBranch = null;
    volume.lostBranch = null;
    volume.lags.clear();
    volume.device = 0;
    volume.parted = [];
    volume.served = this.#beginsWith(name);
    const { verify } = volume;
    if (verify?.state === 'running' || verify?.state === 'paused') {
      volume.verify = { ...verify, state: 'stopped', reason: 'restarted' };
    }
  }

  /** `boots` tells the boot of a node as it is heard now; `record` is the committed one. */
  report(report: DataReport, boots: (node: NodeId) => number, record: VolumeRecord | null): void {
    if (report.kind === 'event') {
      this.#context.decide({ kind: 'event', event: report.event });
      return;
    }
    const volume = this.get(report.volume);
    if (volume === null) return;
    const name = report.volume;
    switch (report.kind) {
      case 'attached': {
        this.started(name);
        const { disk, epoch } = report;
        volume.attached = true;
        volume.starting = false;
        volume.disk = disk;
        volume.generation = report.generation;
        volume.parents = report.parents ?? [];
        volume.device = report.device ?? 0;
        volume.epoch = epoch;
        if (report.doubted) this.#doubt(volume, report.lacking === true);
        const hot = report.hot && record?.primary === this.#context.node;
        volume.taint = Math.max(epoch, hot ? record.epoch : 0);
        const d = { volume: name, disk, epoch };
        this.#tells(volume, this.#context.event('data.attached', d, report.cause));
        return;
      }
      case 'state': {
        const acts = report.role === 'Primary' || report.role === 'Suspended';
        // Its epoch is not read yet: it would look like a replica that never acted.
        if (volume.starting && !this.#context.flags['attached-by-state']) return;
        if (!volume.attached) {
          // It outlived our restart: what it does under an epoch of before is not ours.
          volume.attached = true;
          volume.taint = report.epoch;
          volume.engaged = acts;
        }
        if (report.doubted === true) this.#doubt(volume, report.lacking === true);
        // In step with the primary: equal, with nothing in either cache alone.
        else if (report.disk === 'UpToDate' && report.link === 'Connected') this.#trust(volume);
        volume.disk = report.disk;
        volume.failure = report.failure ?? '';
        volume.failing = report.failing ?? '';
        volume.pathLost = report.pathLost === true;
        volume.proxies = report.proxies === true;
        volume.role = report.role;
        volume.link = report.link;
        volume.dirty = report.dirty;
        volume.keeps = report.keeps ?? null;
        if (report.image !== undefined) volume.generation = report.image;
        if (report.epoch > volume.epoch) volume.epoch = report.epoch;
        return;
      }
      case 'want': {
        // The data actor knows which life of the peer it copied to; else the one heard now.
        const { epoch, reason, cause, peerBoot, peerDisk: disk, changed } = report;
        const self = this.#context.node;
        const members = report.members.map((node) => {
          if (node === self) return { node, boot: boots(node), disk: volume.device };
          return { node, boot: peerBoot !== 0 ? peerBoot : boots(node), disk };
        });
        const known = volume.want?.epoch === epoch && volume.want.reason === reason;
        const want = { epoch, members, reason, cause };
        volume.want = changed === undefined ? want : { ...want, changed };
        if (known) return;
        const list = report.members.join(',');
        this.#context.event('data.want', { volume: name, epoch, members: list, reason }, cause);
        return;
      }
      case 'active': {
        // The log let it lead all the same: nobody has anything better.
        if (report.proxies !== true) this.#trust(volume);
        if (report.epoch > volume.active) {
          const d = { volume: name, epoch: report.epoch };
          this.#tells(volume, this.#context.event('data.active', d, report.cause));
          volume.active = report.epoch;
        }
        return;
      }
      case 'stopped': {
        if (report.epoch < volume.sent || !volume.engaged) return;
        volume.engaged = false;
        const d = { volume: name, epoch: report.epoch };
        this.#tells(volume, this.#context.event('data.stopped', d, report.cause));
        return;
      }
      case 'verify':
        volume.verify = report;
        this.onVerify(volume, report);
        return;
      case 'meters':
        volume.meters = report.meters;
        return;
      case 'quiesce':
        this.onQuiesce(report);
        return;
      case 'lag':
        if (report.lag === null) volume.lags.delete(report.peer);
        else volume.lags.set(report.peer, report.lag);
        return;
      case 'branch':
        volume.branch = report.branch;
        return;
      case 'way-back':
        volume.wayBack = report.wayBack;
        return;
      case 'kept-branch':
        volume.keptBranch = report.branch;
        volume.lostBranch = report.lost ?? null;
        return;
      case 'refused': {
        const { peer, reason, cause } = report;
        this.#context.event('data.refused', { volume: name, peer, reason }, cause);
        return;
      }
    }
  }

  #tells(volume: LocalVolume, event: string): void {
    volume.event = event;
    volume.told = this.#context.written;
  }

  /** Hands the committed record on when it is new to this life of the data actor. */
  record(volume: LocalVolume, record: VolumeRecord, cause: string): boolean {
    if (!volume.attached || volume.sent >= record.epoch) return false;
    volume.sent = record.epoch;
    volume.engaged = record.primary === this.#context.node;
    if (volume.want !== null && volume.want.epoch < record.epoch) volume.want = null;
    const plain = { kind: 'record', record, cause } as const;
    // Who leads shows what was agreed on from the first moment.
    this.serve(volume, cause);
    const inDoubt = this.#doubtOf(volume.volume)?.lacking === false;
    const command = inDoubt ? { ...plain, doubted: true } : plain;
    this.#context.decide({ kind: 'to-data', volume: volume.volume, command });
    return true;
  }

  /** What a data actor shows that was just started, by the configuration of this core. */
  #beginsWith(name: string): number {
    const volume = this.#context.config.volumes.find((each) => each.name === name);
    return volume === undefined ? 0 : servedOf(volume);
  }

  /** Tells the data actor how much clients are to see, where it shows something else. */
  serve(volume: LocalVolume, cause: string): void {
    const bytes = this.served(volume.volume);
    if (!volume.attached || volume.served === bytes || this.#context.flags['size-untold']) return;
    volume.served = bytes;
    this.#context.event('data.size', { volume: volume.volume, bytes }, cause);
    this.#context.decide({
      kind: 'to-data',
      volume: volume.volume,
      command: { kind: 'serve', bytes },
    });
  }

  grant(volume: LocalVolume, until: Micros): void {
    if (until <= volume.granted) return;
    volume.granted = until;
    const { right, started } = this.#context;
    // With a planted bug it never came to any.
    const command = { kind: 'grant', until, cause: right === '' ? started : right } as const;
    this.#context.decide({ kind: 'to-data', volume: volume.volume, command });
  }

  demote(volume: LocalVolume, epoch: Epoch, cause: string): void {
    const command = { kind: 'demote', epoch, cause } as const;
    this.#context.decide({ kind: 'to-data', volume: volume.volume, command });
  }

  facts(): readonly VolumeFacts[] {
    return this.#all.map((local) => {
      const { volume, attached, disk, generation, epoch, branch, note: verify } = local;
      const want = this.#mayWant ? this.#saidOf(local.want) : null;
      const keeps = this.#keeps(local);
      const doubt = this.#doubtOf(volume);
      const known = { volume, attached, disk, generation, epoch, want, doubted: doubt !== null };
      const plain = doubt?.lacking === true ? { ...known, lacking: true } : known;
      const led = local.proxies ? { ...plain, proxies: true } : plain;
      const facts = keeps === null ? led : { ...led, keeps };
      const serves = this.tellActive ? { ...facts, active: local.active } : facts;
      const on =
        this.tellDisks && local.device !== 0 ? { ...serves, device: local.device } : serves;
      const apart = branch === null ? on : { ...on, branch };
      const { keptBranch: kept } = local;
      const note = kept && { generation: kept.generation, holds: kept.holds === true };
      const said = note === null ? apart : { ...apart, keptBranch: note };
      return verify === null ? said : { ...said, verify: sentOf(verify, this.#all.length) };
    });
  }

  /**
   * A primary has others left out for the sake of its clients, and without its lease it answers
   * none. What it wishes all the same, cut off from those who would answer, may reach the log: then
   * it alone is in sync, and whoever was ready to take over no longer is.
   */
  get #mayWant(): boolean {
    return this.held() || this.#context.flags['want-without-lease'];
  }

  /** Programs of before, and logs in which nothing was changed, know of no disks. */
  #saidOf(want: Want | null): Want | null {
    if (want === null || this.tellDisks) return want;
    return { ...want, members: want.members.map(({ node, boot }) => ({ node, boot })) };
  }

  /**
   * Whether the replica has what an order keeps. Its data actor says so where it has the record;
   * one that has been handed none in this life, as a host that was to lead and lost power before it
   * did, has what it was read with.
   */
  #keeps({
    volume,
    attached,
    disk,
    generation,
    parents,
    sent,
    keeps,
  }: LocalVolume): boolean | null {
    const discard = this.#order(volume);
    if (keeps !== null || sent > 0 || !attached || discard === undefined) return keeps;
    if (discard.node === this.#context.node) return null;
    const whole = disk !== 'Inconsistent' && disk !== 'Failed' && disk !== 'Diskless';
    return whole && (generation === discard.keeps || parents.includes(discard.keeps));
  }

  /** Keeps a note, durably. */
  note(local: LocalVolume, note: VerifyNote): void {
    local.note = note;
    this.#changed();
  }

  /** The notes, for the next life of the core. */
  get notes(): readonly Noted[] {
    return this.#all.flatMap(({ volume, note }) => (note === null ? [] : [{ volume, note }]));
  }

  /** What is doubted of a replica; null for nothing. */
  #doubtOf(name: string): { readonly lacking: boolean } | null {
    const doubt = this.#doubted.find(({ volume }) => volume === name);
    return doubt === undefined ? null : { lacking: doubt.lacking === true };
  }

  #doubt({ volume }: LocalVolume, lacking: boolean): void {
    const known = this.#doubtOf(volume);
    // A disk that has failed is the graver of the two.
    if (known !== null && (lacking || !known.lacking)) return;
    const { boot } = this.#context;
    const doubt = lacking ? { volume, boot, lacking } : { volume, boot };
    this.#doubted = [...this.#doubted.filter((each) => each.volume !== volume), doubt];
    this.#changed();
  }

  #trust(local: LocalVolume): void {
    if (!this.isDoubted(local.volume)) return;
    this.#doubted = this.#doubted.filter(({ volume }) => volume !== local.volume);
    this.#changed();
  }
}
