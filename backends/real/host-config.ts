/**
 * The configuration of a real host: its file, what the log has agreed on since, and whether its
 * next core could run by a change that has just been agreed on.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  type AgreedChange,
  configInUse,
  configWith,
  contradictions,
  type InUse,
  sameConfig,
  type Taken,
} from '../../engine/cluster/changes.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import type { ClusterConfig, ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { NodeId } from '../../engine/core/units.ts';
import { type Address, parseAddress } from './address.ts';
import { configHash } from './config-hash.ts';
import { HostError, systemCode } from './failure.ts';
import { checkNew, checkReplica } from './replica-check.ts';
import { conversionObstacle } from './replica-convert.ts';

/** What a host's folder remembers of the hashes by which nodes know each other. */
const LINEAGE = 'config-lineage.json';
/** Nodes that were away for more changes than this must be given the present file. */
const LINEAGE_MAX = 32;

/** A hash by which nodes know each other, and the version of the agreement that led to it. */
interface Ancestor {
  readonly hash: string;
  /** It counts for a host that has taken that version, and for no other. */
  readonly version: number;
}

export class HostConfig {
  /** What this core runs by. */
  readonly config: ClusterConfig;
  /** What its replicas may still be made for. */
  readonly before: ClusterConfig | null;
  /** What is in use: {@link config}, and what was taken since without another core. */
  #inUse: ClusterConfig;
  /** Of what was in use, the oldest first. */
  #lineage: readonly Ancestor[];
  readonly #file: ClusterConfig;
  readonly #node: NodeId;
  readonly #folder: string;

  /** `durable` is what the host's store holds. Throws HostError for a file that contradicts it. */
  constructor(file: ClusterConfig, node: NodeId, folder: string, durable: Durable | null) {
    const { config, before, version }: InUse = configInUse(file, durable);
    const { changes = [] } = (durable as { readonly taken?: Taken } | null)?.taken ?? {};
    const [place] = contradictions(file, changes);
    if (place !== undefined) {
      throw new HostError(
        `${place}: the file says something else than what the cluster has agreed on, which counts`,
        'put it back; to have it otherwise, remove that replica online, and add it again',
      );
    }
    this.config = config;
    this.before = before;
    this.#file = file;
    this.#inUse = config;
    this.#node = node;
    this.#folder = folder;
    this.#lineage = this.#read(configHash(config), version);
  }

  /** Whether the file says something else than what is in use. */
  get fileDiffers(): boolean {
    return !sameConfig(this.#file, this.#inUse);
  }

  /**
   * The hash of what is in use here, last, and before it those of what was before the log changed
   * it, and of the plain file: who was away for several changes is known by the file that it has in
   * common with the others, and takes them then.
   */
  get hashes(): readonly string[] {
    const hashes = this.#lineage.map(({ hash }) => hash);
    const file = configHash(this.#file);
    return hashes.includes(file) ? hashes : [...hashes.slice(0, -1), file, ...hashes.slice(-1)];
  }

  /**
   * These changes are in use, and this core goes on; what was prepared and taken back counts no
   * more. Throws where that cannot be written down: it is so all the same until the next start.
   */
  took(version: number, changes: readonly AgreedChange[]): void {
    this.#inUse = configWith(this.config, changes);
    this.#lineage = this.#with(configHash(this.#inUse), version);
    this.#remember(this.#lineage);
  }

  /** The lineage of a host that has that in use next. */
  #with(hash: string, version: number): readonly Ancestor[] {
    if (this.#lineage.at(-1)?.hash === hash) return this.#lineage;
    return [...this.#lineage, { hash, version }].slice(-LINEAGE_MAX);
  }

  /** Files and devices of this node's replicas. */
  get places(): readonly string[] {
    const own = this.config.volumes.flatMap(({ replicas }) => {
      return replicas.filter(({ node }) => node === this.#node);
    });
    return own.flatMap(({ path, parts = [], meta, side = '' }) => {
      return [...parts, path, meta, side].filter((place) => place !== '');
    });
  }

  /**
   * Why the next core of this host could not run by these changes, '' where it could. Then whoever
   * has them already will hear it, and it will hear whoever has not. While the last one is not
   * `done`, another disk that it brings must be new.
   */
  async prepare(version: number, changes: readonly AgreedChange[], done: boolean): Promise<string> {
    try {
      return await this.#prepared(version, changes, done);
    } catch (error) {
      // Whatever it is, the change waits, and not the host that could not take it.
      return wordsOf(error);
    }
  }

  async #prepared(
    version: number,
    changes: readonly AgreedChange[],
    done: boolean,
  ): Promise<string> {
    const open = done ? undefined : changes.at(-1)?.change;
    const next = configWith(this.config, changes);
    for (const [index, volume] of next.volumes.entries()) {
      const replica = volume.replicas.find(({ node }) => node === this.#node);
      const before = this.config.volumes[index];
      if (replica === undefined || before === undefined) continue;
      const isNew = open?.kind === 'replace-replica' && open.volume === volume.name;
      const mustBeNew = isNew && open.node === this.#node;
      const reason = this.#obstacle(before, volume, replica, mustBeNew);
      if (reason !== '') return reason;
      if (before.replicas.some(({ node }) => node === this.#node)) continue;
      const taken = await this.#takenAddress(next, index);
      if (taken !== '') return taken;
    }
    try {
      this.#remember(this.#with(configHash(next), version));
    } catch (error) {
      return `${join(this.#folder, LINEAGE)} cannot be written: ${String(error)}`;
    }
    return '';
  }

  #obstacle(
    before: VolumeConfig,
    volume: VolumeConfig,
    replica: ReplicaConfig,
    mustBeNew: boolean,
  ): string {
    const was = before.replicas.find(({ node }) => node === this.#node);
    const stays = was !== undefined && was.path === replica.path && was.meta === replica.meta;
    try {
      if (stays) {
        return before.layout === volume.layout
          ? ''
          : conversionObstacle({ before, volume, replica });
      }
      checkReplica(volume, replica);
      // A copy of the disk that it is to replace would pass for that one, and the others' maps for
      // what it lacks: what was written since the copy was made would be on nobody's list.
      if (mustBeNew) checkNew(volume, replica);
      return '';
    } catch (error) {
      return wordsOf(error);
    }
  }

  /** What a volume that is new here would listen on, and another program has; '' for nothing. */
  async #takenAddress({ nodes, volumes }: ClusterConfig, index: number): Promise<string> {
    const self = nodes.find(({ id }) => id === this.#node);
    const { nbd = [] } = volumes[index] ?? {};
    const own = nbd.find(({ node }) => node === this.#node)?.listen ?? [];
    const exports = own.filter((address) => !address.startsWith('unix:')).map(parseAddress);
    const { host, port } = parseAddress(self?.replication ?? '');
    for (const each of [{ host, port: port + index }, ...exports]) {
      const code = await listenCode(each);
      if (code !== '') return `${each.host}:${each.port} cannot be listened on (${code})`;
    }
    return '';
  }

  /**
   * Hashes of before count only where the log led from them to this one: it was prepared for that
   * version, and this host has taken it.
   */
  #read(hash: string, version: number): readonly Ancestor[] {
    const own = [{ hash, version }];
    try {
      const known: unknown = JSON.parse(readFileSync(join(this.#folder, LINEAGE), 'utf8'));
      if (!Array.isArray(known)) return own;
      const taken = known.map(ancestorOf).filter((each) => each.version <= version);
      const at = taken.findLastIndex((each) => each.hash === hash);
      return at < 0 ? own : taken.slice(0, at + 1);
    } catch {
      return own;
    }
  }

  #remember(lineage: readonly Ancestor[]): void {
    const path = join(this.#folder, LINEAGE);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const text = JSON.stringify(lineage);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }
}

/** Programs of before wrote the hash alone, when it was prepared; throws for anything else. */
function ancestorOf(value: unknown): Ancestor {
  if (typeof value === 'string') return { hash: value, version: 0 };
  const { hash, version } = value as Partial<Ancestor>;
  if (typeof hash !== 'string' || typeof version !== 'number') throw new Error('not a lineage');
  return { hash, version };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const remedy = 'remedy' in error ? `; ${String(error.remedy)}` : '';
  return `${error.message}${remedy}`;
}

/** The system's word for why nobody could listen there, '' where somebody could. */
function listenCode({ host, port }: Pick<Address, 'host' | 'port'>): Promise<string> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(systemCode(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('')));
  });
}
