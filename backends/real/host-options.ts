/**
 * What the processes of one host know from their start: written once into the host's folder by
 * `understudy node`, so that core and monitor can start each other without reading YAML again.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterConfig, NodeConfig } from '../../engine/core/config.ts';
import type { NodeId } from '../../engine/core/units.ts';
import { HostError, systemCode } from './failure.ts';

/** One host. */
export interface HostOptions {
  readonly config: ClusterConfig;
  /** The configuration file's text, for its hash, and its folder, where relative paths start. */
  readonly text: string;
  readonly folder: string;
  readonly node: NodeId;
  /** File with the cluster key. */
  readonly keyPath: string;
  /** The host's own folder, absolute. */
  readonly dataFolder: string;
  /** Loopback "host:port" for the viewer, or ''. */
  readonly console: string;
  /** Version of the program. */
  readonly build: string;
}

/** Longest path that a Unix socket can have, its end included. */
const SOCKET_PATH_MAX = 107;

/** Files of a host's folder. */
export function hostPaths(folder: string) {
  return {
    options: join(folder, 'host.json'),
    api: join(folder, 'api.sock'),
    core: join(folder, 'core.sock'),
    timeline: join(folder, 'timeline.jsonl'),
    hostTimeline: join(folder, 'monitor.jsonl'),
    applications: join(folder, 'applications'),
  };
}

/** This host in the configuration. */
export function selfOf({ config, node }: HostOptions): NodeConfig {
  const self = config.nodes.find(({ id }) => id === node);
  if (self === undefined) throw new Error(`node ${node} is not in the configuration`);
  return self;
}

/** Leaves the options for the host's other processes. Throws HostError. */
export function writeHostOptions(options: HostOptions): void {
  const { options: path, core } = hostPaths(options.dataFolder);
  if (Buffer.byteLength(core) > SOCKET_PATH_MAX) {
    throw new HostError(
      `the folder ${options.dataFolder} has too long a path for Unix sockets`,
      `name one with --data whose path has at most ${SOCKET_PATH_MAX - 10} characters`,
    );
  }
  writeFileSync(`${path}.new`, JSON.stringify(options), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Reads what {@link writeHostOptions} left. */
export function readHostOptions(folder: string): HostOptions {
  return JSON.parse(readFileSync(hostPaths(folder).options, 'utf8')) as HostOptions;
}

/** The cluster key of `path`: 64 hexadecimal digits. Throws HostError. */
export function readClusterKey(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new HostError(
      `the cluster key ${path} cannot be read (${systemCode(error)})`,
      'copy the key that understudy init made to this node',
    );
  }
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new HostError(
      `the cluster key ${path} is not 64 hexadecimal digits`,
      'copy the key that understudy init made to this node',
    );
  }
  return Buffer.from(text, 'hex');
}
