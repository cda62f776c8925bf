/**
 * What of a configuration may be changed while the cluster runs, as changes that the log agrees on:
 * pure functions from one configuration to another. A node's file is what it was started with; what
 * has been agreed since is laid over it, and may stand in the file already.
 */
import type { ClusterConfig, GroupConfig, ReplicaConfig, VolumeConfig } from '../core/config.ts';
import { samePlain } from '../core/plain.ts';
import type { NodeId } from '../core/units.ts';
import type { Durable } from './interface.ts';

/** One change, about one replica of one volume. */
export type ConfigChange =
  | {
      readonly kind: 'add-replica';
      readonly volume: string;
      readonly replica: ReplicaConfig;
      /** Where its NBD export listens on that node; empty for nowhere. */
      readonly listen: readonly string[];
      /** The node's place in the order of the volume's group; -1 where it is not to run it. */
      readonly place: number;
    }
  | { readonly kind: 'remove-replica'; readonly volume: string; readonly node: NodeId }
  | {
      /** Another, empty disk in place of the one that it has. */
      readonly kind: 'replace-replica';
      readonly volume: string;
      readonly node: NodeId;
      readonly path: string;
      readonly meta: string;
    }
  | {
      /** Clients see more of what its replicas have. Whole blocks of 4 KiB. */
      readonly kind: 'grow-volume';
      readonly volume: string;
      readonly servedBytes: number;
    };

/** A change that was agreed on: which version of the configuration it made. */
export interface AgreedChange {
  readonly version: number;
  readonly change: ConfigChange;
}

/**
 * How far the last change is. `ordered`: nobody has taken it, and it can be withdrawn; `begun`:
 * whoever is to go has left the set for good, and nodes take it one after the other. Absent once it
 * is in use wherever it must be, and while there was none.
 */
export type Stage = 'ordered' | 'begun';

/** What the log says of the configuration: 0 and nothing until the first change. */
export interface Agreed {
  readonly version: number;
  readonly changes: readonly AgreedChange[];
  readonly stage?: Stage;
  /**
   * Versions of changes that are done, by which a replica is new or on another disk, and has not
   * been a member since. Absent for none.
   */
  readonly unproved?: readonly number[];
}

/** Who held a replica of a volume, and by which agreement. */
export interface Holders {
  readonly volume: string;
  readonly nodes: readonly NodeId[];
  readonly layout: number;
}

/** What a node has taken into use, and what it had before: its replicas may be made for that. */
export interface Taken extends Pick<Agreed, 'version' | 'changes'> {
  readonly before: readonly Holders[];
}

/** Who holds what by a configuration. */
export function holdersOf({ volumes }: ClusterConfig): readonly Holders[] {
  return volumes.map(({ name, replicas, layout = 0 }) => {
    return { volume: name, nodes: replicas.map(({ node }) => node), layout };
  });
}

export const NOTHING_AGREED: Agreed = { version: 0, changes: [] };

/** Changes that are kept, at most; how long they are limits them before. */
export const CHANGES_MAX = 256;
/** All of them together, in a message that has room for the rest of a state beside it. */
export const CHANGES_BYTES: number = 20 * 1024;
/** What one takes without its words, and what a letter takes that is not written as it is. */
const CHANGE_BYTES = 200;
const ESCAPED_BYTES = 6;

/** Bytes that the changes take in a message, at most. */
export function bytesOf(changes: readonly AgreedChange[]): number {
  let bytes = changes.length * CHANGE_BYTES;
  for (const { change } of changes) {
    bytes += textBytes(change.volume);
    if (change.kind === 'replace-replica') bytes += textBytes(change.path) + textBytes(change.meta);
    if (change.kind !== 'add-replica') continue;
    const { path, meta, side = '' } = change.replica;
    for (const each of [path, meta, side]) bytes += textBytes(each);
    for (const address of change.listen) bytes += textBytes(address) + ',""'.length;
  }
  return bytes;
}

function textBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const plain = code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c;
    bytes += plain ? 1 : ESCAPED_BYTES;
  }
  return bytes;
}

/** The node whose replica is meant; 0 where all are. */
export function nodeOf(change: ConfigChange): NodeId {
  if (change.kind === 'grow-volume') return 0;
  return change.kind === 'add-replica' ? change.replica.node : change.node;
}

/** The node without which the change cannot be made: it is to have something new; 0 for none. */
export function bearerOf(change: ConfigChange): NodeId {
  return change.kind === 'remove-replica' ? 0 : nodeOf(change);
}

/** Whether the replica goes: by name, or with its disk. */
export function leaves({ kind }: ConfigChange): boolean {
  return kind === 'remove-replica' || kind === 'replace-replica';
}

/** Whether every holder's metadata has another layout then. */
export function changesLayout({ kind }: ConfigChange): boolean {
  return kind === 'add-replica' || kind === 'remove-replica';
}

/** What is agreed once `change` is ordered as well. */
export function agreedWith(agreed: Agreed, change: ConfigChange): Agreed {
  const version = agreed.version + 1;
  const changes = [...agreed.changes, { version, change }];
  return { ...agreed, version, changes, stage: 'ordered' };
}

/** From here on nodes may take the last change. */
export function begunOf(agreed: Agreed): Agreed {
  return { ...agreed, stage: 'begun' };
}

/** The last change is in use; what it makes meaningless is left out. */
export function doneOf({ version, changes, unproved = [] }: Agreed): Agreed {
  const last = changes.at(-1);
  const kept = changes.filter((each) => {
    const { change: old } = each;
    if (last === undefined || each === last || old.volume !== last.change.volume) return true;
    if (nodeOf(old) !== nodeOf(last.change)) return true;
    return last.change.kind === 'replace-replica' && old.kind !== 'replace-replica';
  });
  const fresh = last !== undefined && bearerOf(last.change) !== 0 ? [last.version] : [];
  const known = new Set(kept.map((each) => each.version));
  const left = [...unproved.filter((of) => known.has(of)), ...fresh];
  return left.length === 0
    ? { version, changes: kept }
    : { version, changes: kept, unproved: left };
}

/** The replica of the node is a member: what is on its disk is known to be of this line. */
export function provedOf(agreed: Agreed, volume: string, node: NodeId): Agreed {
  const { unproved = [], ...plain } = agreed;
  const left = unproved.filter((of) => {
    const change = agreed.changes.find(({ version }) => version === of)?.change;
    return change !== undefined && (change.volume !== volume || nodeOf(change) !== node);
  });
  if (left.length === unproved.length) return agreed;
  return left.length === 0 ? plain : { ...plain, unproved: left };
}

/** Whether the volume has a replica, new or on another disk, that has been no member since. */
export function isUnproved({ changes, unproved = [] }: Agreed, volume: string): boolean {
  return changes.some(({ version, change }) => {
    return change.volume === volume && unproved.includes(version);
  });
}

/** The last change, which nobody has taken, is none any more. That is counted, too. */
export function withdrawnOf({ stage: _, ...agreed }: Agreed): Agreed {
  return { ...agreed, version: agreed.version + 1, changes: agreed.changes.slice(0, -1) };
}

/** What was agreed before the last change. */
export function withoutLast({ stage: _, ...agreed }: Agreed): Agreed {
  return { ...agreed, version: agreed.version - 1, changes: agreed.changes.slice(0, -1) };
}

/** What is in use wherever it must be: all but a change that is not done. */
export function withoutOpen(agreed: Agreed): Agreed {
  return agreed.stage === undefined ? agreed : withoutLast(agreed);
}

/** What nodes may take: nothing that has not begun. */
export function usableOf(agreed: Agreed): Agreed {
  return agreed.stage === 'ordered' ? withoutLast(agreed) : agreed;
}

/** The change that is not in use everywhere yet; null where all are. */
export function openChange({ stage, changes }: Agreed): AgreedChange | null {
  return stage === undefined ? null : (changes.at(-1) ?? null);
}

/** Whether `next` puts back what the last change, not begun, would change of `config`. */
export function takesBack(config: ClusterConfig, agreed: Agreed, next: ConfigChange): boolean {
  const last = openChange(agreed);
  if (agreed.stage !== 'ordered' || last === null) return false;
  if (last.change.volume !== next.volume || nodeOf(last.change) !== nodeOf(next)) return false;
  const before = configWith(config, withoutLast(agreed).changes);
  return sameConfig(before, configWith(config, agreedWith(agreed, next).changes));
}

/** The configuration with the changes; they may be in it already. */
export function configWith(config: ClusterConfig, changes: readonly AgreedChange[]): ClusterConfig {
  let { volumes, groups } = config;
  for (const { version, change } of changes) {
    volumes = volumes.map((volume) => {
      return volume.name === change.volume ? volumeWith(volume, version, change) : volume;
    });
    groups = groups.map((group) => {
      return group.volume === change.volume ? groupWith(group, change) : group;
    });
  }
  return changes.length === 0 ? config : { ...config, volumes, groups };
}

function volumeWith(volume: VolumeConfig, version: number, change: ConfigChange): VolumeConfig {
  const { replicas, nbd } = volume;
  switch (change.kind) {
    case 'add-replica': {
      const { replica, listen } = change;
      const { node } = replica;
      return {
        ...volume,
        layout: version,
        replicas: [...replicas.filter((each) => each.node !== node), replica],
        nbd: [
          ...nbd.filter((each) => each.node !== node),
          ...(listen.length > 0 ? [{ node, listen }] : []),
        ],
      };
    }
    case 'remove-replica':
      return {
        ...volume,
        layout: version,
        replicas: replicas.filter(({ node }) => node !== change.node),
        nbd: nbd.filter(({ node }) => node !== change.node),
      };
    case 'replace-replica': {
      const { node, path, meta } = change;
      const moved = (each: ReplicaConfig) => (each.node === node ? { ...each, path, meta } : each);
      return { ...volume, replicas: replicas.map(moved) };
    }
    case 'grow-volume': {
      const { servedBytes: _, ...whole } = volume;
      const { servedBytes } = change;
      return servedBytes === volume.sizeBytes ? whole : { ...whole, servedBytes };
    }
  }
}

/** What clients see of the volume, in bytes. */
export function servedOf({ sizeBytes, servedBytes = sizeBytes }: VolumeConfig): number {
  return servedBytes;
}

function groupWith(group: GroupConfig, change: ConfigChange): GroupConfig {
  if (change.kind === 'replace-replica' || change.kind === 'grow-volume') return group;
  const node = nodeOf(change);
  const nodes = group.nodes.filter((each) => each !== node);
  if (change.kind === 'add-replica' && change.place >= 0) nodes.splice(change.place, 0, node);
  return { ...group, nodes };
}

/** What `wanted` asks for: changes that can be agreed on, and places that cannot be changed so. */
export interface Difference {
  readonly changes: readonly ConfigChange[];
  /** "timing", "volumes.data.size": where the two differ otherwise. */
  readonly refused: readonly string[];
}

/** What would have to change of `current`, as it is in use, to have `wanted`. */
export function differenceOf(current: ClusterConfig, wanted: ClusterConfig): Difference {
  const changes: ConfigChange[] = [];
  const refused: string[] = [];
  for (const field of ['name', 'nodes', 'timing'] as const) {
    if (!samePlain(current[field], wanted[field])) refused.push(field);
  }
  for (const volume of current.volumes) {
    const other = wanted.volumes.find(({ name }) => name === volume.name);
    if (other === undefined) refused.push(`volumes.${volume.name}`);
    else compareVolumes(volume, other, wanted.groups, changes, refused);
  }
  const order = (config: ClusterConfig): string => config.volumes.map(({ name }) => name).join();
  const known = (name: string): boolean => current.volumes.some((volume) => volume.name === name);
  for (const { name } of wanted.volumes) if (!known(name)) refused.push(`volumes.${name}`);
  if (refused.length === 0 && order(current) !== order(wanted)) refused.push('volumes');
  if (refused.length > 0) return { changes, refused };
  // Whatever else is different shows once the changes are in: groups, exports, options.
  const version = 1;
  const made = configWith(
    current,
    changes.map((change) => ({ version, change })),
  );
  compareRest(made, wanted, refused);
  return { changes, refused };
}

function compareVolumes(
  current: VolumeConfig,
  other: VolumeConfig,
  groups: readonly GroupConfig[],
  changes: ConfigChange[],
  refused: string[],
): void {
  const { name, replicas } = current;
  const volume = name;
  const rooms = [current, other].some(({ servedBytes }) => servedBytes !== undefined);
  const room = rooms ? 'room' : 'size';
  if (other.sizeBytes !== current.sizeBytes) refused.push(`volumes.${name}.${room}`);
  // Less takes back what was ordered, and is refused else.
  else if (servedOf(other) !== servedOf(current)) {
    changes.push({ kind: 'grow-volume', volume, servedBytes: servedOf(other) });
  }
  for (const replica of replicas) {
    const { node } = replica;
    const next = other.replicas.find((each) => each.node === node);
    if (next === undefined) changes.push({ kind: 'remove-replica', volume, node });
    else if (!samePlain(next, replica)) {
      const { path, meta } = next;
      // Where its metadata stand belongs to its disk; what it is does not change with that.
      if (samePlain({ ...replica, path, meta }, next)) {
        changes.push({ kind: 'replace-replica', volume, node, path, meta });
      } else refused.push(`volumes.${name}.replicas.${node}`);
    }
  }
  for (const replica of other.replicas) {
    if (replicas.some(({ node }) => node === replica.node)) continue;
    const { listen = [] } = other.nbd.find(({ node }) => node === replica.node) ?? {};
    const group = groups.find((each) => each.volume === volume);
    const place = group?.nodes.indexOf(replica.node) ?? -1;
    changes.push({ kind: 'add-replica', volume, replica, listen, place });
  }
}

function compareRest(made: ClusterConfig, wanted: ClusterConfig, refused: string[]): void {
  for (const [index, volume] of made.volumes.entries()) {
    const other = wanted.volumes[index] as VolumeConfig;
    if (!samePlain(plainOf(volume), plainOf(other))) refused.push(`volumes.${volume.name}`);
  }
  const names = wanted.groups.map(({ name }) => name);
  for (const { name } of made.groups) if (!names.includes(name)) refused.push(`groups.${name}`);
  for (const group of wanted.groups) {
    const own = made.groups.find(({ name }) => name === group.name);
    if (own === undefined || !samePlain(own, group)) refused.push(`groups.${group.name}`);
  }
}

/** In which order a file names replicas and exports means nothing; sizes are compared before. */
function plainOf({
  layout: _,
  sizeBytes: _s,
  servedBytes: _b,
  replicas,
  nbd,
  ...rest
}: VolumeConfig): object {
  const byNode = (a: { readonly node: NodeId }, b: { readonly node: NodeId }) => a.node - b.node;
  return { ...rest, replicas: [...replicas].sort(byNode), nbd: [...nbd].sort(byNode) };
}

/** Whether both mean the same, but for what the log has counted. */
export function sameConfig(a: ClusterConfig, b: ClusterConfig): boolean {
  const { changes, refused } = differenceOf(a, b);
  return changes.length === 0 && refused.length === 0;
}

/** The configuration as `node` sees it: where others keep their replicas is their business. */
export function ownView(config: ClusterConfig, node: NodeId): ClusterConfig {
  const volumes = config.volumes.map((volume) => {
    const replicas = volume.replicas.map((replica) => {
      return replica.node === node ? replica : { ...replica, path: '', meta: '' };
    });
    return { ...volume, replicas };
  });
  return { ...config, volumes };
}

/**
 * Where a file says something else than both what is agreed on and what was there before: it was
 * changed in a way that would have no effect, for what is agreed on counts. A file may lack any of
 * the changes, or have them all. Each as "volumes.data.replicas.3".
 */
export function contradictions(file: ClusterConfig, changes: readonly AgreedChange[]): string[] {
  const found = new Set<string>();
  const agreed = configWith(file, changes);
  for (const { change } of changes) {
    if (change.kind !== 'add-replica') continue;
    const { volume, replica } = change;
    const of = (config: ClusterConfig) =>
      config.volumes
        .find(({ name }) => name === volume)
        ?.replicas.find((each) => {
          return each.node === replica.node;
        });
    const [said, counts] = [of(file), of(agreed)];
    if (said === undefined || counts === undefined || samePlain(said, counts)) continue;
    // An earlier disk of it is what an old file has; anything else a person wrote there.
    const { path, meta } = counts;
    if (!samePlain({ ...said, path, meta }, counts)) {
      found.add(`volumes.${volume}.replicas.${replica.node}`);
    }
  }
  return [...found];
}

/** What a node whose store holds `durable` runs by, and what it ran by before that. */
export interface InUse {
  readonly config: ClusterConfig;
  /** The one that its replicas may still be made for; null where there is none. */
  readonly before: ClusterConfig | null;
  readonly version: number;
}

/** The configuration of a node that was started with `file`. */
export function configInUse(file: ClusterConfig, durable: Durable | null): InUse {
  const taken = (durable as { readonly taken?: Taken } | null)?.taken;
  if (taken === undefined) return { config: file, before: null, version: 0 };
  const { version, changes, before } = taken;
  const config = configWith(file, changes);
  return { config, before: withHolders(config, before, changes), version };
}

/**
 * The configuration with the holders that there were before. What their replicas were otherwise is
 * not known any more: how metadata are laid out depends on nothing else that changes.
 */
function withHolders(
  config: ClusterConfig,
  before: readonly Holders[],
  changes: readonly AgreedChange[],
): ClusterConfig {
  const volumes = config.volumes.map((volume) => {
    const held = before.find((each) => each.volume === volume.name);
    // Nobody holds it because one file says so: only the log does that.
    const own = changes.filter(({ change }) => change.volume === volume.name);
    if (held === undefined || !own.some(({ change }) => changesLayout(change))) return volume;
    const { layout: _, ...plain } = volume;
    const replicas = held.nodes.map((node) => {
      return volume.replicas.find((each) => each.node === node) ?? { node, path: '', meta: '' };
    });
    const { layout } = held;
    return layout === 0 ? { ...plain, replicas } : { ...plain, replicas, layout };
  });
  return { ...config, volumes };
}
