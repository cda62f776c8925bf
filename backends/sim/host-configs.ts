/**
 * Which configuration each simulated host runs by: that of the run, and what its store says was
 * agreed on since. When a core starts, its replicas are made ready for that: metadata laid out anew
 * for other holders, or an empty disk where there is to be another one.
 */
import {
  type AgreedChange,
  configInUse,
  configWith,
  type InUse,
  nodeOf,
  type Taken,
} from '../../engine/cluster/changes.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import type { ClusterConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { Rng } from '../../engine/core/rng.ts';
import type { Micros, NodeId } from '../../engine/core/units.ts';
import type { Actors, MetadataPage } from './actors.ts';
import { Ill } from './disk-ills.ts';
import type { Fault } from './fault.ts';
import type { SimHost } from './host.ts';
import { type Kernel, Stream } from './kernel.ts';
import type { SimLeg } from './volume.ts';

/** Orders of people that change who holds a replica. */
const ADDS = 'add-replica';

/** Nodes that get a replica of the first volume during the run, in the order of the schedule. */
export function addedNodes(
  { nodes, volumes }: ClusterConfig,
  faults: readonly Fault[],
): readonly NodeId[] {
  const holders = volumes[0]?.replicas.map(({ node }) => node) ?? [];
  const hosts = nodes.filter(({ witness }) => !witness).map(({ id }) => id);
  const added = faults.flatMap(({ kind, target }) => {
    return kind === ADDS && typeof target === 'number' ? [target] : [];
  });
  return hosts.filter((id) => added.includes(id) && !holders.includes(id));
}

/** By how much the first volume grows with each order: not by whole pages of the map. */
export const GROWS_BYTES = 1_536 * 1024;

/** The configuration with room in the first volume for all that people order during the run. */
export function withRoom(config: ClusterConfig, faults: readonly Fault[]): ClusterConfig {
  const orders = faults.filter(({ kind }) => kind === 'grow-volume').length;
  const [first, ...others] = config.volumes;
  const has = first?.parts !== undefined || first?.servedBytes !== undefined;
  if (orders === 0 || first === undefined || has) return config;
  const { sizeBytes } = first;
  const grows = { ...first, sizeBytes: sizeBytes + orders * GROWS_BYTES, servedBytes: sizeBytes };
  return { ...config, volumes: [grows, ...others] };
}

/** What a leg's disk may become when a core starts. */
export interface DiskSwap {
  /** Another one is put in: the one of that path that was taken out, or, with '', an empty one. */
  replace(volume: VolumeConfig, path: string): void;
  /** It holds no replica any more. */
  giveUp(): void;
}

/** Pages that are durably planned, and what the metadata is laid out for with them. */
interface Plan {
  readonly pages: readonly MetadataPage[];
  readonly volume: VolumeConfig;
}

/** One in so many layings out is cut short by the death of its core. */
const CUT = 3;
/** One host in so many has something missing at first, for so long at most. */
const MISSING = 5;
const MISSING_MAX: Micros = 6_000_000;
/** It is drawn anew, also for what was there, in each span of so long. */
const MISSING_EACH: Micros = 10_000_000;
/** One disk in so many is put in with what was on it before, where that can be used at all. */
const OLD = 3;
/** Where it is the one that was there before, every other one. */
const KEPT = 2;

export class HostConfigs {
  readonly #kernel: Kernel;
  readonly #file: ClusterConfig;
  readonly #actors: Actors;
  readonly #canaries: ReadonlySet<string>;
  /** From then on nothing is missing anywhere. */
  readonly #healAt: Micros;
  readonly #known: Map<string, InUse> = new Map();
  /** By leg: what its metadata is laid out for, null where it holds no replica. */
  readonly #made: (VolumeConfig | null)[] = [];
  /** By leg: the newest version by which a core ran, and the last that asked for another disk. */
  readonly #newest: number[] = [];
  readonly #disks: number[] = [];
  /** By leg: the path of the disk that is in, and what those are laid out for that are not. */
  readonly #paths: string[] = [];
  readonly #shelved: Map<string, VolumeConfig | null> = new Map();
  /** By leg: what a core that died has not written to its end. */
  readonly #plans: (Plan | null)[] = [];
  readonly #chances: Rng[] = [];
  /** By node, version and span: until when something is missing there. */
  readonly #missing: Map<string, Micros> = new Map();

  constructor(
    kernel: Kernel,
    file: ClusterConfig,
    actors: Actors,
    canaries: ReadonlySet<string>,
    healAt: Micros,
  ) {
    this.#kernel = kernel;
    this.#file = file;
    this.#actors = actors;
    this.#canaries = canaries;
    this.#healAt = healAt;
  }

  /** A replica that there is from the beginning. */
  begin(leg: number, node: NodeId, volume: VolumeConfig | null): void {
    this.#made[leg] = volume;
    this.#paths[leg] = volume === null ? '' : pathOf(volume, node);
  }

  /** What the leg's metadata is laid out for; null where it holds none now. */
  volumeOf(leg: number): VolumeConfig | null {
    return this.#made[leg] ?? null;
  }

  /** By what records name the disk with this metadata; 0 where they cannot. */
  tagOf(meta: Uint8Array): number {
    return this.#actors.tagOf?.(meta) ?? 0;
  }

  /** What a core with this document runs by. */
  of(durable: Durable | null): InUse {
    const taken = (durable as { readonly taken?: Taken } | null)?.taken;
    const layouts = (taken?.before ?? []).map(({ layout }) => layout);
    const key = `${taken?.version ?? 0} ${layouts.join(' ')}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = configInUse(this.#file, durable);
      this.#known.set(key, known);
    }
    return known;
  }

  /** What keeps the host's next core from running by a version, '' for nothing. */
  obstacle(
    { node, store }: SimHost,
    version: number,
    changes: readonly AgreedChange[],
    legs: readonly SimLeg[],
  ): string {
    const { now } = this.#kernel;
    const next = configWith(this.of(store.document).config, changes);
    if (legs.some((leg) => this.#isSpared(leg, next))) return 'moved-blocks';
    const key = `${node} ${version} ${Math.floor(now / MISSING_EACH)}`;
    let until = this.#missing.get(key);
    if (until === undefined) {
      const chance = this.#chance(node);
      const lasts = chance.below(MISSING) === 0 ? chance.below(MISSING_MAX) : 0;
      until = Math.min(now + lasts, this.#healAt);
      this.#missing.set(key, until);
    }
    return now < until ? 'missing' : '';
  }

  /** What has blocks in its spare area is not laid out for other holders, or another size. */
  #isSpared({ index, volume, node, disk }: SimLeg, next: ClusterConfig): boolean {
    const made = this.#made[index] ?? null;
    const then = next.volumes[volume];
    if (made === null || then === undefined || (then.layout ?? 0) === (made.layout ?? 0))
      return false;
    if (pathOf(then, node) !== this.#paths[index]) return false;
    return this.#actors.moved(made, node, disk.meta).size > 0;
  }

  /**
   * Makes the leg ready for a core that runs by `inUse`, and returns its volume; null where that
   * one has no replica there, and 'cut' where the core died over it: the next one goes on.
   */
  ready(
    leg: SimLeg,
    inUse: InUse,
    durable: Durable | null,
    changes: DiskSwap,
  ): VolumeConfig | null | 'cut' {
    const { index, node, disk } = leg;
    const volume = inUse.config.volumes[leg.volume] as VolumeConfig;
    const plan = this.#plans[index] ?? null;
    if (plan !== null) this.#write(leg, plan);
    const newest = this.#newest[index] ?? 0;
    const asked = this.#diskOf(volume, node, durable);
    const isNew = asked > (this.#disks[index] ?? 0);
    this.#newest[index] = Math.max(newest, inUse.version);
    this.#disks[index] = Math.max(asked, this.#disks[index] ?? 0);
    // One that has lost what it knew gives nothing up: it does not open it for now.
    if (inUse.version >= newest) this.#giveUp(index, pathOf(volume, node), isNew, changes);
    if (pathOf(volume, node) === '') return null;
    if (isNew) this.#putNew(leg, volume, changes);
    else if (pathOf(volume, node) !== this.#paths[index]) this.#putBack(leg, volume, changes);
    if (this.#made[index] === volume) return volume;
    // What cannot be read is not laid out; it is opened as one that cannot be reached.
    if (disk.ills.has(Ill.Path)) return volume;
    const before = inUse.before?.volumes[leg.volume] ?? volume;
    const pages = this.#actors.relayout?.(before, volume, node, disk.meta, this.#canaries) ?? [];
    const chance = this.#chance(node);
    const cut = pages.length > 0 && chance.below(CUT) === 0 ? chance.below(pages.length + 1) : -1;
    this.#write(leg, { pages, volume }, cut < 0 ? pages.length : cut);
    return cut < 0 ? volume : 'cut';
  }

  /** A replica that is here no more, or on another disk than that of `path`, is given up. */
  #giveUp(index: number, path: string, isNew: boolean, changes: DiskSwap): void {
    if ((this.#made[index] ?? null) === null) return;
    if (!isNew && path === this.#paths[index]) return;
    changes.giveUp();
    if (path === '') this.#made[index] = null;
  }

  /** Puts the disk in that was asked for. A replica that fits is taken, whatever is on it. */
  #putNew(leg: SimLeg, volume: VolumeConfig, changes: DiskSwap): void {
    const { index, node, disk } = leg;
    const path = pathOf(volume, node);
    const was = this.#paths[index] ?? '';
    const chance = this.#chance(node);
    const fits = (): boolean => this.#actors.fits?.(volume, node, disk.meta) === true;
    this.#made[index] = volume;
    this.#paths[index] = path;
    if (path === was) {
      if (chance.below(KEPT) === 0 && fits()) return;
    } else {
      if (was !== '') this.#shelve(leg, was);
      // It was there before, or it is another one of this host that a person has moved there.
      const known = disk.shelf.has(path);
      const from = known ? path : disk.shelf.last;
      if (from !== '' && chance.below(known ? KEPT : OLD) === 0) {
        changes.replace(volume, from);
        if (fits()) return;
      }
    }
    changes.replace(volume, '');
  }

  /** A host opens what is at the path that it has been told last, of whatever time that is. */
  #putBack(leg: SimLeg, volume: VolumeConfig, changes: DiskSwap): void {
    const { index, node } = leg;
    const path = pathOf(volume, node);
    const was = this.#paths[index] ?? '';
    if (was !== '') this.#shelve(leg, was);
    this.#paths[index] = path;
    this.#made[index] = this.#shelved.get(`${index} ${path}`) ?? null;
    changes.replace(volume, path);
  }

  /** Takes the disk out. */
  #shelve({ index, disk }: SimLeg, path: string): void {
    disk.shelf.put(path);
    this.#shelved.set(`${index} ${path}`, this.#made[index] ?? null);
  }

  /** Writes so many of the planned pages; all of them end the plan. */
  #write({ index, disk }: SimLeg, plan: Plan, count = plan.pages.length): void {
    const { pages, volume } = plan;
    for (const { page, bytes } of pages.slice(0, count)) disk.format(page, bytes);
    this.#plans[index] = count < pages.length ? plan : null;
    this.#made[index] = volume;
  }

  #chance(node: NodeId): Rng {
    this.#chances[node] ??= this.#kernel.rng(Stream.change + node);
    return this.#chances[node] as Rng;
  }

  /** The version that asked last for another disk there, 0 for none. */
  #diskOf(volume: VolumeConfig, node: NodeId, durable: Durable | null): number {
    const { changes = [] } = (durable as { readonly taken?: Taken } | null)?.taken ?? {};
    let asked = 0;
    for (const { version, change } of changes) {
      if (change.volume !== volume.name || nodeOf(change) !== node) continue;
      if (change.kind !== 'remove-replica') asked = Math.max(asked, version);
    }
    return asked;
  }
}

/** By what name the node knows the disk of its replica, '' where it has none. */
function pathOf({ replicas }: VolumeConfig, node: NodeId): string {
  return replicas.find((replica) => replica.node === node)?.path ?? '';
}
