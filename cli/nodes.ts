/** Finds the nodes of this machine that a command is to speak to, and the replica that is meant. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fetchStatus } from '../backends/real/api-client.ts';
import type { HostStatus } from '../backends/real/host-status.ts';
import type { ClusterConfig, ReplicaConfig, VolumeConfig } from '../engine/core/config.ts';
import { term } from '../viewer/src/catalogue/catalogue.ts';
import { loadConfig } from './config/load.ts';
import { InputError } from './failure.ts';
import { language } from './language.ts';

/** Which node is meant, where the configuration names several of this machine. */
export interface NodeOptions {
  readonly name?: string;
  readonly data?: string;
}

/** Adds the options by which a command says which node it asks, and how that is printed. */
export function asksNode(command: Command, which = 'the first that answers here'): Command {
  return command
    .option('--name <node>', `ask this node (default: ${which})`)
    .option('--data <folder>', 'ask the node whose folder this is')
    .option('--json', 'print one JSON object');
}

/** A node that answers, and the folder by which it is reached. */
export interface Answering {
  readonly folder: string;
  readonly host: HostStatus;
}

/** Why the cluster will not do it, and what helps, in the user's language. */
export function refusalText(reason: string, remedy: string): string {
  const words = language();
  const helps = remedy === 'none' ? '' : ` (${term(words, remedy)})`;
  return `${term(words, reason)}${helps}`;
}

/** The one that is meant: what `option` names, or the only one. Throws InputError. */
export function theOne(option: string, known: readonly string[], name?: string): string {
  const meant = name ?? (known.length === 1 ? known[0] : undefined);
  if (meant !== undefined && known.includes(meant)) return meant;
  const reason = name === undefined ? `it is not clear which ${option}` : `no ${option} "${name}"`;
  throw new InputError(reason, `give --${option}, one of: ${known.join(', ') || 'none is there'}`);
}

/** A replica of a configuration, and whose it is. */
export interface ChosenReplica {
  readonly volume: VolumeConfig;
  readonly replica: ReplicaConfig;
  readonly name: string;
}

/** The replica that is meant by `volume` and `name`, or the only one. Throws InputError. */
export function theReplica(
  config: ClusterConfig,
  options: { readonly volume?: string; readonly name?: string },
): ChosenReplica {
  const volumes = config.volumes.map(({ name }) => name);
  const meant = theOne('volume', volumes, options.volume);
  const volume = config.volumes.find(({ name }) => name === meant) as VolumeConfig;
  const holders = config.nodes.filter(({ id }) => volume.replicas.some(({ node }) => node === id));
  const names = holders.map((node) => node.name);
  const name = theOne('name', names, options.name);
  const id = holders.find((each) => each.name === name)?.id;
  const replica = volume.replicas.find(({ node }) => node === id) as ReplicaConfig;
  return { volume, replica, name };
}

/** Folders of the nodes that may be asked. Throws InputError or ConfigError. */
export function foldersOf(file: string, { name, data }: NodeOptions): string[] {
  if (data !== undefined) return [resolve(data)];
  const { dataFolders } = loadConfig(file);
  if (name === undefined) return [...dataFolders.values()];
  const folder = dataFolders.get(name);
  if (folder !== undefined) return [folder];
  const names = [...dataFolders.keys()].join(', ');
  throw new InputError(`${file} has no node "${name}"`, `use one of: ${names}`);
}

/** The first node that answers and that `fits`. Throws when none answers; null when none fits. */
export async function findNode(
  folders: readonly string[],
  fits: (host: HostStatus) => boolean = () => true,
): Promise<Answering | null> {
  let failure: unknown = new InputError('the configuration has no nodes', 'add nodes to it');
  let answered = false;
  for (const folder of folders) {
    try {
      const host = await fetchStatus(folder);
      answered = true;
      if (fits(host)) return { folder, host };
    } catch (error) {
      failure = error;
    }
  }
  if (answered) return null;
  throw failure;
}

/** The volumes that are meant, or the only one, and the node of this machine that leads them. */
export async function leaderOf(
  folders: readonly string[],
  names: readonly string[],
): Promise<{ readonly volumes: readonly string[]; readonly leader: Answering }> {
  const { host } = (await findNode(folders)) as Answering;
  const known = host.status.volumes.map((each) => each.volume);
  const volumes =
    names.length === 0
      ? [theOne('volume', known)]
      : names.map((name) => theOne('volume', known, name));
  const leader = await findNode(folders, ({ status: { node, volumes: all } }) =>
    volumes.every((volume) => all.some((v) => v.volume === volume && v.primary === node)),
  );
  if (leader !== null) return { volumes, leader };
  const primary = host.status.volumes.find(({ volume }) => volume === volumes[0])?.primary;
  const there = host.names[String(primary)];
  throw new InputError(
    `no node of this machine leads volume ${volumes.join(' and ')}`,
    there === undefined ? 'start its group first' : `run this on the machine of node ${there}`,
  );
}

/** The number of the node that is called so. Throws InputError. */
export function nodeNumber({ names }: HostStatus, name: string): number {
  const found = Object.entries(names).find(([, each]) => each === name);
  if (found !== undefined) return Number(found[0]);
  const known = Object.values(names).join(', ');
  throw new InputError(`there is no node "${name}"`, `use one of: ${known}`);
}
