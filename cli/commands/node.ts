/** `understudy node`: runs this host's processes in the foreground until it is told to stop. */
import { mkdirSync } from 'node:fs';
import { Command } from 'commander';
import type { HostOptions } from '../../backends/real/host-options.ts';
import { writeHostOptions } from '../../backends/real/host-options.ts';
import { Monitor } from '../../backends/real/monitor.ts';
import { endOnSignals } from '../../backends/real/signals.ts';
import { runEntry } from '../../backends/real/spawn.ts';
import { EXIT_BAD_INPUT, EXIT_OK, printJson } from '../failure.ts';
import type { NodeWords } from '../node-options.ts';

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

async function runNode(file: string, options: NodeWords): Promise<void> {
  // In a process of its own, whose parsers end with it: this one goes on for months.
  const { code, out } = runEntry(new URL('../node-options-main.ts', import.meta.url), [
    file,
    JSON.stringify(options),
  ]);
  if (code !== EXIT_OK) {
    process.stdout.write(out);
    process.exitCode = code;
    return;
  }
  const hostOptions = JSON.parse(out) as HostOptions;
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
