/** `understudy node`: runs this host's processes in the foreground until it is told to stop. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { HostOptions } from '../../backends/real/host-options.ts';
import { writeHostOptions } from '../../backends/real/host-options.ts';
import { Monitor } from '../../backends/real/monitor.ts';
import { endOnSignals } from '../../backends/real/signals.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_BAD_INPUT, EXIT_OK, InputError, printJson } from '../failure.ts';
import { BUILD } from '../version.ts';

interface NodeOptions {
  readonly name: string;
  readonly data?: string;
  readonly console?: string;
  readonly json?: boolean;
}

/** Builds the command. */
export function nodeCommand(): Command {
  return new Command('node')
    .description('run this host: data, control and applications of one node')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .requiredOption('--name <node>', 'which node of the configuration this host is')
    .option('--data <folder>', 'folder for this host’s own state (default: as configured)')
    .option('--console <address>', 'show status and timeline on a loopback address (host:port)')
    .option('--json', 'print one JSON object once the node answers')
    .action(runNode);
}

async function runNode(file: string, options: NodeOptions): Promise<void> {
  const hostOptions = hostOptionsOf(file, options);
  const { dataFolder } = hostOptions;
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const monitor = await Monitor.start(hostOptions, writeHostOptions);
  endOnSignals(() => void monitor.stop());
  void monitor.ready.then((api) => {
    if (options.json) printJson({ node: options.name, data: dataFolder, api, pid: process.pid });
    else console.error(`Node ${options.name} runs. See it: understudy status --data ${dataFolder}`);
  });
  process.exit((await monitor.ended) === 'refused' ? EXIT_BAD_INPUT : EXIT_OK);
}

function hostOptionsOf(file: string, { name, data, console }: NodeOptions): HostOptions {
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
