/** `understudy status`: what one node of this machine knows of itself and of its cluster. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { fetchStatus } from '../../backends/real/api-client.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { loadConfig } from '../config/load.ts';
import { InputError, printJson } from '../failure.ts';
import { statusText } from '../status-text.ts';

interface StatusOptions {
  readonly name?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Builds the command. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show nodes, volumes, groups and the guarantee in force')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--name <node>', 'ask this node (default: the first that answers here)')
    .option('--data <folder>', 'ask the node whose folder this is')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: StatusOptions) => {
      const status = await firstAnswer(foldersOf(file, options));
      // The words that people rely on stand in the JSON too.
      const exclusivity = exclusivityText(status);
      if (options.json) printJson({ ...status, exclusivity });
      else console.log(statusText(status, exclusivity));
    });
}

/** What is promised without ifs: never more than watchdog and guardian can keep. */
function exclusivityText({ status, processes, guard }: HostStatus): string {
  const { state, timeoutMillis } = guard;
  if (state === 'absent') return 'data exclusivity only: the watchdog is configured, not in force';
  if (state === 'slow') {
    return `data exclusivity only: the watchdog takes ${timeoutMillis} ms, longer than configured`;
  }
  const guarded = status.exclusivity === 'data+service' && processes.guardian !== null;
  if (!guarded || state === 'none') return 'data exclusivity only';
  const armed = state === 'armed' ? `armed, ${timeoutMillis} ms` : 'idle: nothing to guard here';
  return `data and service exclusivity (watchdog ${armed})`;
}

function foldersOf(file: string, { name, data }: StatusOptions): string[] {
  if (data !== undefined) return [resolve(data)];
  const { dataFolders } = loadConfig(file);
  if (name === undefined) return [...dataFolders.values()];
  const folder = dataFolders.get(name);
  if (folder !== undefined) return [folder];
  const names = [...dataFolders.keys()].join(', ');
  throw new InputError(`${file} has no node "${name}"`, `use one of: ${names}`);
}

async function firstAnswer(folders: readonly string[]): Promise<HostStatus> {
  let failure: unknown = new InputError('the configuration has no nodes', 'add nodes to it');
  for (const folder of folders) {
    try {
      return await fetchStatus(folder);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
