/**
 * The configuration of a real host: its file, what the log has agreed on since, and whether its
 * next core could run by a change that has just been agreed on.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

export class HostConfig {
  /** What this core runs by. */
  readonly config: ClusterConfig;
  /** What its replicas may still be made for. */
  readonly before: ClusterConfig | null;
  #fileDiffers: boolean;
  #hashes: readonly string[];
  readonly #file: ClusterConfig;
  readonly #node: NodeId;
  readonly #folder: string;

  /** `durable` is what the host's store holds. Throws HostError for a file that contradicts it. */
  constructor(file: ClusterConfig, node: NodeId, folder: string, durable: Durable | null) {
    const { config, before }: InUse = configInUse(file, durable);
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
    this.#fileDiffers = !sameConfig(file, config);
    this.#node = node;
    this.#folder = folder;
    this.#hashes = this.#lineage(configHash(config));
  }

  /** Whether the file says something else than what is in use. */
  get fileDiffers(): boolean {
    return this.#fileDiffers;
  }

  /** The hash of what is in use here, and of what was before the log changed it, newest last. */
  get hashes(): readonly string[] {
    return this.#hashes;
  }

  /**
   * These changes are in use, and this core goes on. Throws where the hash cannot be written down:
   * it counts all the same until the next start, and is asked for again before the next change.
   */
  took(changes: readonly AgreedChange[]): void {
    const config = configWith(this.config, changes);
    this.#fileDiffers = !sameConfig(this.#file, config);
    const hash = configHash(config);
    if (this.#hashes.at(-1) === hash) return;
    this.#hashes = [...this.#hashes, hash];
    this.#remember(this.#hashes);
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
  async prepare(changes: readonly AgreedChange[], done: boolean): Promise<string> {
    try {
      return await this.#prepared(changes, done);
    } catch (error) {
      // Whatever it is, the change waits, and not the host that could not take it.
      return wordsOf(error);
    }
  }

  async #prepared(changes: readonly AgreedChange[], done: boolean): Promise<string> {
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
    const hash = configHash(next);
    if (this.#hashes.at(-1) === hash) return '';
    try {
      this.#remember([...this.#hashes, hash]);
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

  /** Hashes of before count only where the log led from them to this one. */
  #lineage(hash: string): readonly string[] {
    try {
      const known: unknown = JSON.parse(readFileSync(join(this.#folder, LINEAGE), 'utf8'));
      if (!Array.isArray(known)) return [hash];
      const at = known.lastIndexOf(hash);
      return at < 0 ? [hash] : known.slice(0, at + 1).map(String);
    } catch {
      return [hash];
    }
  }

  #remember(hashes: readonly string[]): void {
    const path = join(this.#folder, LINEAGE);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const text = JSON.stringify(hashes.slice(-LINEAGE_MAX));
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }
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
