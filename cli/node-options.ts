/** What `understudy node` was told, by its words and its file, and whether it can be done. */
import { resolve } from 'node:path';
import type { HostOptions } from '../backends/real/host-options.ts';
import { readClusterKey } from '../backends/real/host-options.ts';
import { loadConfig } from './config/load.ts';
import { InputError } from './failure.ts';
import { BUILD } from './version.ts';

/** The words of the command. */
export interface NodeWords {
  readonly name: string;
  readonly data?: string;
  readonly console?: string;
  readonly json?: boolean;
}

/**
 * Reads configuration and key, and makes nothing. Throws ConfigError, InputError or HostError, each
 * with its remedy.
 */
export function hostOptionsOf(file: string, { name, data, console }: NodeWords): HostOptions {
  const { config, folder, keyPath, dataFolders, text } = loadConfig(file);
  const node = config.nodes.find((each) => each.name === name);
  if (node === undefined) {
    const names = config.nodes.map((each) => each.name).join(', ');
    throw new InputError(`${file} has no node "${name}"`, `use one of: ${names}`);
  }
  if (console !== undefined && !/^(127\.\d+\.\d+\.\d+|\[::1\]):\d{1,5}$/.test(console)) {
    const remedy = 'give a loopback address such as 127.0.0.1:7400';
    throw new InputError(`--console ${console} is no loopback address`, remedy);
  }
  readClusterKey(keyPath);
  return {
    config,
    text,
    folder,
    node: node.id,
    keyPath,
    dataFolder: resolve(data ?? dataFolders.get(name) ?? name),
    console: console ?? '',
    build: BUILD,
  };
}
