/**
 * Takes what the log agrees on of the configuration into use, node by node, each by starting its
 * core anew: that is what everything else survives anyhow. Only for a volume that grows nobody
 * starts anew. One change is under way at a time. It
 * begins, by an entry, when all that are heard could follow, and whoever is to go has left the
 * in-sync set while others are shown to have everything. Then the node that leads the volume starts
 * anew, and finds the others where they were; then they follow, one after the other, while it waits
 * for them. It is done, by an entry, when all that are heard have it in use, replicas open. Data
 * actors of two layouts never link.
 */
import type { ClusterConfig, VolumeConfig } from '../core/config.ts';
import { samePlain } from '../core/plain.ts';
import type { Micros, NodeId } from '../core/units.ts';
import type { Member } from '../data/messages.ts';
import {
  type Agreed,
  type AgreedChange,
  agreedWith,
  bearerOf,
  changesLayout,
  configWith,
  differenceOf,
  type Holders,
  holdersOf,
  leaves,
  nodeOf,
  openChange,
  ownView,
  servedOf,
  type Taken,
  takesBack,
  usableOf,
  withoutLast,
  withoutOpen,
} from './changes.ts';
import { SIZE_MULTIPLE } from './config-check.ts';
import type { Context } from './context.ts';
import type { Blocked, Entry, GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { Links } from './heartbeat.ts';
import type { ConfigStatus, ConfigureCommand } from './interface.ts';
import type { FactsMessage, VolumeFacts } from './messages.ts';
import type { Durability } from './persist.ts';
import { isOn } from './placement.ts';
import type { Proposals } from './proposals.ts';
import { Readiness } from './readiness.ts';
import {
  agreedOf,
  type ClusterState,
  fits,
  groupOf,
  othersNeeded,
  recordOf,
  stays,
} from './state.ts';
import type { LocalVolume, Volumes } from './volumes.ts';

/** Replicas that a volume has at most. */
const REPLICAS_MAX = 4;
const REPLICAS_MIN = 2;
/** A core that serves lives so long before it ends itself: by then a spare one stands by. */
const SPARE_AFTER: Micros = 5_000_000;

/** What a change waits for while its replica has been let go, and once that is done. */
const PARTED: ReadonlySet<string> = new Set(['leaves-set', 'settles']);

/** What the next version waits for on this node. */
interface Wait {
  readonly reason: string;
  readonly node: NodeId;
}

export class Reconfigure {
  readonly #context: Context;
  readonly #durability: Durability;
  readonly #links: Links;
  readonly #volumes: Volumes;
  readonly #state: () => ClusterState;
  readonly #changed: () => void;
  #taken: Taken | undefined;
  #version = 0;
  readonly #readiness: Readiness;
  /** The version that is on its way to the disk. */
  #taking = 0;
  #wait: Wait | null = null;

  /** `changed` is called when another version is in use. */
  constructor(
    context: Context,
    parts: {
      readonly durability: Durability;
      readonly links: Links;
      readonly volumes: Volumes;
    },
    state: () => ClusterState,
    changed: () => void,
  ) {
    this.#context = context;
    this.#readiness = new Readiness(context);
    this.#durability = parts.durability;
    this.#links = parts.links;
    this.#volumes = parts.volumes;
    this.#volumes.served = (volume) => this.#served(volume);
    this.#state = state;
    this.#changed = changed;
  }

  /** What an earlier life took into use: this core was made by it. */
  restore(taken: Taken | undefined): void {
    this.#taken = taken;
    this.#version = taken?.version ?? 0;
  }

  /** What is to be written down; absent where nothing was ever agreed on. */
  get taken(): Taken | undefined {
    return this.#taken;
  }

  /** Version of the configuration that is in use here. */
  get version(): number {
    return this.#version;
  }

  /** Version by which the next core of this host could run. */
  get ready(): number {
    return Math.max(this.#version, this.#readiness.version);
  }

  /** The host answers a `prepare` decision; true when nothing stands in the way. */
  prepared(version: number, reason: string): boolean {
    return this.#readiness.answered(version, reason);
  }

  /** Called with every heartbeat, and whenever something changed. */
  run(): void {
    const agreed = this.#state().agreed;
    if (agreed === undefined) return;
    for (const local of this.#volumes.all) this.#volumes.serve(local, this.#told);
    this.#volumes.tellActive = agreed.stage === 'ordered';
    this.#volumes.tellDisks = true;
    const waits = this.#notBegun(agreed);
    this.#part(agreed, waits);
    // Whoever lacks an earlier one takes that first, unless this one does away with what it lacks.
    const isNext = this.#version >= agreed.version - 1 || this.#supersedes(agreed);
    const prepares = agreed.stage === 'ordered' && isNext;
    this.#wait = (prepares ? this.#prepare(agreed) : null) ?? waits;
    const target = this.#target(agreed);
    if (target === null || this.#taking === target.version) return;
    const pending = target.changes.filter(({ version }) => version > this.#version);
    const another = this.#isAnother(pending);
    const obstacle = another ? this.#prepare(target) : null;
    this.#wait = obstacle ?? this.#givesUp(pending) ?? this.#waitsFor(target);
    if (this.#wait !== null) return;
    if (!another) {
      const { version, changes } = target;
      this.#take(target, () => {
        this.#context.decide({ kind: 'config-taken', version, changes });
      });
      return;
    }
    this.#take(target, () => {
      const d = { version: target.version };
      const cause = this.#context.event('config.restart', d, this.#told);
      this.#context.decide({ kind: 'restart-core', why: 'config', cause });
    });
  }

  /** What this node may take next; null when it has all that it may. */
  #target(agreed: Agreed): Agreed | null {
    const usable = usableOf(agreed);
    if (usable.version <= this.#version) return null;
    const open = openChange(usable);
    if (open === null || this.#version >= usable.version - 1) return usable;
    // What is done waits for nobody: least of all for what has only begun. But a host may have lost
    // the disk that it lacks as well, and a person have seen to that.
    const last = withoutLast(usable);
    const stuck = this.#readiness.isHindered(last.version);
    return stuck && this.#supersedes(usable) ? usable : last;
  }

  /** Whether the open change takes this node's replica off the disk that it was to have before. */
  #supersedes(agreed: Agreed): boolean {
    const open = openChange(agreed);
    if (open === null || this.#context.flags['lost-disk-awaited']) return false;
    return leaves(open.change) && nodeOf(open.change) === this.#context.node;
  }

  /** Leader: the open change begins, or is done, once that is shown. */
  lead(proposals: Proposals): void {
    const agreed = this.#state().agreed;
    const open = agreed === undefined ? null : openChange(agreed);
    if (agreed === undefined || open === null || proposals.busy('config', 'all')) return;
    const { volume } = open.change;
    const begins = agreed.stage === 'ordered';
    if ((begins ? this.#notBegun(agreed) : this.#notDone(open)) !== null) return;
    const to = begins ? 'begun' : 'done';
    const d = { version: open.version, volume, node: nodeOf(open.change) };
    const event = this.#context.event(begins ? 'config.begun' : 'config.done', d, this.#told);
    const record = recordOf(this.#state(), volume)?.epoch ?? 0;
    const entry: Entry = {
      kind: 'config-step',
      event,
      of: open.version,
      to,
      record,
      command: null,
    };
    proposals.propose(entry);
  }

  /** Why nobody may take the ordered change yet; null where they may, or none is ordered. */
  #notBegun(agreed: Agreed): Wait | null {
    const open = openChange(agreed);
    if (agreed.stage !== 'ordered' || open === null) return null;
    const { change, version } = open;
    const { flags, config } = this.#context;
    const node = nodeOf(change);
    const unit = this.#unitOf(change.volume);
    const group = unit === null ? null : groupOf(this.#state(), unit.group.name);
    const record = recordOf(this.#state(), change.volume);
    if (group === null || record === null) return { reason: 'not-ready', node };
    for (const { id } of config.nodes) {
      if (!this.#heard(id) || this.#isReady(id, version) || flags['others-unready']) continue;
      return { reason: 'others-ready', node: id };
    }
    const bearer = bearerOf(change);
    if (bearer !== 0 && !this.#heard(bearer)) return { reason: 'not-heard', node: bearer };
    const { owner } = group;
    if (owner === 0 || !this.#heard(owner)) return { reason: 'nobody-leads', node: owner };
    if (!leaves(change)) return null;
    if (record.primary === node || owner === node) return { reason: 'replica-leads', node };
    const others = record.members.filter((m) => m.node !== node && this.#isWhole(m, change.volume));
    const least = flags['last-copy-removed'] ? 0 : othersNeeded(change);
    if (others.length < least) return { reason: 'copies-missing', node };
    const named = [...record.members, ...group.base].some((m) => m.node === node);
    if (named && !flags['leaver-counted']) return { reason: 'leaves-set', node };
    // What others acknowledged beside it is stable where it stays: nobody else can tell.
    const led = this.#volumeOf(owner, change.volume);
    const settled = led?.active === record.epoch && led.disk === 'UpToDate';
    return settled || flags['begun-unconfirmed'] ? null : { reason: 'settles', node: owner };
  }

  /** Why the change that has begun is not done; null where it is. */
  #notDone({ version, change }: AgreedChange): Wait | null {
    const { config } = this.#context;
    const group = groupOf(this.#state(), this.#unitOf(change.volume)?.group.name ?? '');
    const owner = group?.owner ?? 0;
    for (const { id } of config.nodes) {
      const must = id === owner || id === bearerOf(change);
      if (!this.#heard(id) && !must) continue;
      if (!this.#has(id, version, change)) return { reason: 'others-first', node: id };
    }
    return null;
  }

  /** Whether the node has the change in use, with its replica, if it holds one, open under it. */
  #has(node: NodeId, version: number, change: AgreedChange['change']): boolean {
    if (this.#inUse(node) < version) return false;
    // Nothing of a replica is another then.
    if (change.kind === 'grow-volume' || this.#context.flags['unopened-counted']) return true;
    const { volumes } = configWith(this.#context.config, agreedOf(this.#state()).changes);
    const volume = volumes.find(({ name }) => name === change.volume);
    if (volume?.replicas.some((replica) => replica.node === node) !== true) return true;
    const local = this.#volumeOf(node, change.volume);
    return local !== undefined && this.#isOpen(local);
  }

  /** One that failed as it was opened is attached as well, and may not have been laid out. */
  #isOpen({ attached, disk }: Pick<VolumeFacts, 'attached' | 'disk'>): boolean {
    return attached && (disk !== 'Failed' || this.#context.flags['failed-counted']);
  }

  /** Whether a member is heard in the life in which it is one, with all that it must have. */
  #isWhole(member: Member, volume: string): boolean {
    const { node, boot } = member;
    const own = node === this.#context.node;
    const heard = own ? this.#context.boot : (this.#links.peer(node)?.boot ?? 0);
    if (!this.#heard(node) || (heard !== boot && boot !== 0)) return false;
    const local = this.#volumeOf(node, volume);
    if (local === undefined || !isOn(member, local, this.#context.flags)) return false;
    return local.attached && local.disk === 'UpToDate';
  }

  #heard(node: NodeId): boolean {
    return node === this.#context.node || this.#links.reachable(node);
  }

  #volumeOf(node: NodeId, volume: string): VolumeFacts | undefined {
    const volumes =
      node === this.#context.node ? this.#volumes.facts() : (this.#factsOf(node)?.volumes ?? []);
    return volumes.find((each) => each.volume === volume);
  }

  /** What the node's present life says of itself. */
  #factsOf(node: NodeId): FactsMessage | null {
    const peer = this.#links.peer(node);
    return peer !== null && peer.facts?.life === peer.life ? peer.facts : null;
  }

  /**
   * Whom each replica here may be laid out for. One that this core did not open may still be as it
   * was made for an earlier one: it could not be reached.
   */
  #laidOut(): readonly Holders[] {
    const { config, flags } = this.#context;
    return holdersOf(config).map((held) => {
      const local = this.#volumes.get(held.volume);
      // Whatever became of it since: its metadata were read.
      const read = local === null || local.device !== 0 || this.#isOpen(local);
      if (read || flags['unlaid-forgotten']) return held;
      return this.#taken?.before.find(({ volume }) => volume === held.volume) ?? held;
    });
  }

  /** What clients see of the volume by what nodes may take, whether this one has it or not. */
  #served(name: string): number {
    const { changes } = usableOf(agreedOf(this.#state()));
    const { volumes } = configWith(this.#context.config, changes);
    const volume = volumes.find((each) => each.name === name);
    return volume === undefined ? 0 : servedOf(volume);
  }

  /** Has the host asked whether it could, until it can; what keeps it from that. */
  #prepare(agreed: Agreed): Wait | null {
    const reason = this.#readiness.obstacle(agreed);
    return reason === null ? null : { reason, node: this.#context.node };
  }

  get status(): ConfigStatus | undefined {
    const agreed = this.#state().agreed;
    if (agreed === undefined) return undefined;
    const others = this.#links.peers.map(({ node }) => ({ node, inUse: this.#inUse(node) }));
    const { version, changes } = agreed;
    const { stage } = agreed;
    const known = { agreed: version, inUse: this.#version, changes, others };
    const plain = stage === undefined ? known : { ...known, stage };
    return this.#wait === null ? plain : { ...plain, waits: this.#wait };
  }

  /** Whether the replica there is to leave for good, and that has begun. */
  isLeaving(volume: string, node: NodeId): boolean {
    const { stage, changes } = agreedOf(this.#state());
    const removed = changes.at(-1)?.change.kind === 'remove-replica';
    return stage === 'begun' && removed && this.isGoing(volume, node);
  }

  /** Whether the replica there is to leave, or to be on another disk, and that is not done yet. */
  isGoing(volume: string, node: NodeId): boolean {
    const open = openChange(agreedOf(this.#state()));
    if (open === null || !leaves(open.change)) return false;
    return open.change.volume === volume && nodeOf(open.change) === node;
  }

  /**
   * Leader: why the command must not become an entry now; or what it becomes: a change, or that the
   * one before, of which nothing has begun, is taken back.
   */
  judge({ from, change }: ConfigureCommand): Blocked | 'change' | 'withdraw' {
    const state = this.#state();
    const agreed = agreedOf(state);
    if (from !== agreed.version) return { reason: 'config-changed', remedy: 'see-status' };
    if (agreed.stage !== undefined && !this.#context.flags['second-change']) {
      const back = takesBack(this.#context.config, agreed, change);
      return back ? 'withdraw' : { reason: 'change-under-way', remedy: 'see-status' };
    }
    const unit = this.#unitOf(change.volume);
    const { volumes } = configWith(this.#context.config, agreed.changes);
    const volume = volumes.find(({ name }) => name === change.volume);
    if (unit === null || volume === undefined) {
      return { reason: 'unknown-volume', remedy: 'see-status' };
    }
    if (!fits(agreedWith(agreed, change))) return { reason: 'changes-full', remedy: 'none' };
    return this.#misfit(volume, change) ?? stays(state, unit.group.name, change) ?? 'change';
  }

  /** What of the configuration itself forbids the change. */
  #misfit(volume: VolumeConfig, change: ConfigureCommand['change']): Blocked | null {
    const { replicas } = volume;
    if (change.kind === 'grow-volume') return misgrown(volume, change.servedBytes);
    const node = nodeOf(change);
    const host = this.#context.config.nodes.find(({ id }) => id === node);
    const holds = replicas.some((replica) => replica.node === node);
    if (host === undefined || host.witness) return { reason: 'unknown-node', remedy: 'see-status' };
    // Its disks are several, and named together.
    if (volume.parts !== undefined) return { reason: 'not-changed-online', remedy: 'stop-cluster' };
    if (change.kind === 'replace-replica') {
      if (!holds) return { reason: 'no-replica-there', remedy: 'see-status' };
      if (change.path === '') return { reason: 'no-path', remedy: 'see-status' };
      const there = replicas.some(({ node: at, path, meta }) => {
        return at === node && path === change.path && meta === change.meta;
      });
      return there ? { reason: 'disk-there', remedy: 'none' } : null;
    }
    // Their metadata would have to be laid out anew with more than the engine converts.
    const all = change.kind === 'add-replica' ? [...replicas, change.replica] : replicas;
    const plain = all.every(
      ({ sideBytes = 0, mode = 'sync' }) => sideBytes === 0 && mode === 'sync',
    );
    if (volume.checksums === true || !plain) {
      return { reason: 'not-changed-online', remedy: 'stop-cluster' };
    }
    if (change.kind === 'add-replica') {
      if (holds) return { reason: 'replica-there', remedy: 'none' };
      return replicas.length < REPLICAS_MAX ? null : { reason: 'replicas-most', remedy: 'none' };
    }
    if (!holds) return { reason: 'no-replica-there', remedy: 'see-status' };
    return replicas.length > REPLICAS_MIN
      ? null
      : { reason: 'replicas-least', remedy: 'add-first' };
  }

  /** Whether this node's next core would see anything else than this one is told of as it runs. */
  #isAnother(pending: readonly AgreedChange[]): boolean {
    const { config, node } = this.#context;
    const view = (each: ClusterConfig): ClusterConfig => ownView(each, node);
    const untold = pending.filter(({ change }) => change.kind !== 'grow-volume');
    const next = view(configWith(config, untold));
    const { changes, refused } = differenceOf(view(config), next);
    const layouts = (each: ClusterConfig): unknown => each.volumes.map(({ layout = 0 }) => layout);
    return changes.length > 0 || refused.length > 0 || !samePlain(layouts(config), layouts(next));
  }

  /** The event that told last of what was agreed on. */
  get #told(): string {
    return this.#context.toldOf('config');
  }

  #take({ version, changes }: Agreed, then: () => void): void {
    this.#taking = version;
    this.#taken = { version, changes, before: this.#laidOut() };
    this.#context.event('config.taken', { version }, this.#told);
    this.#context.reached('config-taken');
    const grows = changes.some((each) => {
      return each.version > this.#version && each.change.kind === 'grow-volume';
    });
    if (grows) this.#context.reached('volume-grown');
    this.#durability.mark();
    this.#durability.after(() => {
      this.#version = version;
      this.#changed();
      then();
    });
  }

  #inUse(node: NodeId): number {
    if (node === this.#context.node) return this.#version;
    return this.#factsOf(node)?.config ?? 0;
  }

  #isReady(node: NodeId, version: number): boolean {
    if (node === this.#context.node) return this.ready >= version;
    const { config = 0, ready = 0 } = this.#factsOf(node) ?? {};
    return Math.max(config, ready) >= version;
  }

  /** What this node's taking of a change that has begun waits for. */
  #waitsFor(target: Agreed): Wait | null {
    const open = openChange(target);
    const unit = open === null ? null : this.#unitOf(open.change.volume);
    const group = unit === null ? null : groupOf(this.#state(), unit.group.name);
    if (open === null || unit === null || group === null) return null;
    return this.#turn(open, unit, group);
  }

  /**
   * Before this node's replica is given up, it counts for nothing, and another one has it all. A
   * change of its disk is not done without this node: if it is, the node has lost what it took into
   * use, and opened an earlier disk that its file names. Then the member may be the other disk.
   */
  #givesUp(pending: readonly AgreedChange[]): Wait | null {
    const { node, flags } = this.#context;
    const usable = withoutOpen(agreedOf(this.#state())).version;
    for (const { change, version } of pending) {
      const { volume } = change;
      const local = this.#volumes.get(volume);
      if (!leaves(change) || nodeOf(change) !== node || local === null) continue;
      const unit = this.#unitOf(volume);
      const group = unit === null ? null : groupOf(this.#state(), unit.group.name);
      const { members = [], primary = 0 } = recordOf(this.#state(), volume) ?? {};
      const counted = [...members, ...(group?.base ?? [])].filter((m) => m.node === node);
      if (change.kind === 'replace-replica' && this.#isThere(volume, pending)) continue;
      const done = change.kind === 'replace-replica' && version <= usable;
      const isThis = counted.some(({ disk = 0 }) => disk !== 0 && disk === local.device);
      if (done && (!isThis || flags['other-disk-counts'])) continue;
      if (group?.owner === node || primary === node) return { reason: 'replica-leads', node };
      const named = counted.length > 0;
      if (named && !flags['leaver-counted']) return { reason: 'leaves-set', node };
      const whole = members.some((m) => m.node !== node && this.#isWhole(m, volume));
      if (!whole && !flags['begun-unconfirmed']) return { reason: 'copies-missing', node };
    }
    return null;
  }

  /** Whether this node's replica stays on the disk that its core has open. */
  #isThere(name: string, pending: readonly AgreedChange[]): boolean {
    const { node, config } = this.#context;
    const place = ({ volumes }: ClusterConfig): unknown => {
      const replicas = volumes.find((volume) => volume.name === name)?.replicas ?? [];
      const { path, meta } = replicas.find((replica) => replica.node === node) ?? {};
      return { path, meta };
    };
    return samePlain(place(config), place(configWith(config, pending)));
  }

  /** Where the holders change, one node after the other; the volume's owner before all others. */
  #turn({ version, change }: AgreedChange, { volume }: Unit, { owner }: GroupState): Wait | null {
    if (!changesLayout(change)) return null;
    const { node: self, config } = this.#context;
    const holders = volume.replicas.map((replica) => replica.node);
    const concerned = [nodeOf(change), ...holders];
    const holds = (node: NodeId): boolean => concerned.includes(node);
    // Whoever goes ahead would go on without one that cannot follow.
    const unready = concerned.find((node) => {
      return node !== self && this.#links.reachable(node) && !this.#isReady(node, version);
    });
    if (unready !== undefined && !this.#context.flags['others-unready']) {
      return { reason: 'others-ready', node: unready };
    }
    if (owner === self) {
      // Its host has none loaded yet that could take over within the lease.
      const { now, startedAt } = this.#context;
      if (now - startedAt < SPARE_AFTER) return { reason: 'just-started', node: self };
      // A copy that is under way would only begin anew.
      const copies = this.#volumes.get(change.volume)?.link === 'SyncSource';
      return copies ? { reason: 'copies', node: self } : null;
    }
    if (owner !== 0 && !this.#has(owner, version, change)) {
      return { reason: 'owner-first', node: owner };
    }
    const rank = (node: NodeId): number => node + (holds(node) ? 0 : 1000);
    for (const { id } of config.nodes) {
      if (id === self || rank(id) > rank(self) || !this.#links.reachable(id)) continue;
      if (!this.#has(id, version, change)) return { reason: 'others-first', node: id };
    }
    return null;
  }

  /** Who leads a volume lets go of the replica that is to leave it, or to be empty. */
  #part(agreed: Agreed, waits: Wait | null): void {
    for (const local of this.#volumes.all) this.#partOf(local, agreed, waits);
  }

  #partOf(local: LocalVolume, agreed: Agreed, waits: Wait | null): void {
    if (!local.attached) return;
    const { volume } = local;
    const open = openChange(agreed);
    const due =
      open !== null &&
      open.change.volume === volume &&
      leaves(open.change) &&
      this.#inUse(nodeOf(open.change)) < open.version &&
      // What is there counts until nothing but that stands in the way.
      (agreed.stage === 'begun' || waits === null || PARTED.has(waits.reason));
    const nodes = due ? [nodeOf(open.change)] : [];
    if (samePlain(nodes, local.parted)) return;
    local.parted = nodes;
    this.#context.decide({ kind: 'to-data', volume, command: { kind: 'part', nodes } });
  }

  #unitOf(volume: string): Unit | null {
    return this.#context.units.find((unit) => unit.volume.name === volume) ?? null;
  }
}

/** Why the volume cannot show that many bytes: its replicas have no more, or it shows more now. */
function misgrown(volume: VolumeConfig, servedBytes: number): Blocked | null {
  const whole = Number.isSafeInteger(servedBytes) && servedBytes % SIZE_MULTIPLE === 0;
  const grows = servedBytes > servedOf(volume) && servedBytes <= volume.sizeBytes;
  return whole && grows ? null : { reason: 'size-not-possible', remedy: 'see-status' };
}
