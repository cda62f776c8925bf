/** `understudy resolve`: shows a split brain, and says how it is ended. Orders nothing. */
import { Command } from 'commander';
import { EXIT_BROKEN, EXIT_OK, printJson } from '../failure.ts';
import { type Answering, findNode, foldersOf, type NodeOptions, theOne } from '../nodes.ts';
import { endText, type SplitVolume, splitText } from '../split-text.ts';

interface ResolveOptions extends NodeOptions {
  readonly volume?: string;
  readonly json?: boolean;
}

/** Builds the command. */
export function resolveCommand(): Command {
  return new Command('resolve')
    .description('show a split brain: what each side has, and how it is ended')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--volume <name>', 'which volume (default: the only one)')
    .option('--name <node>', 'ask this node (default: the first that answers here)')
    .option('--data <folder>', 'ask the node whose folder this is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
It changes nothing. A split brain is ended by hand: on the node whose data are given up, stop
understudy, make an empty replica (understudy replica new --overwrite), and start it again; the node
that leads fills it. Copy off first what is needed of it: its replica file or disk holds it all.
Exit codes: 0 shown; 1 there is no split brain; 2 bad input.`,
    )
    .action(async (file: string, options: ResolveOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: ResolveOptions): Promise<number> {
  const { host } = (await findNode(foldersOf(file, options))) as Answering;
  const { status, names } = host;
  const name = (id: number): string => names[String(id)] ?? `node ${id}`;
  const known = status.volumes.map((each) => each.volume);
  const wanted = theOne('volume', known, options.volume);
  const volume = status.volumes.find((each) => each.volume === wanted) as SplitVolume;
  const { split } = volume;
  if (options.json) printJson({ volume: wanted, split: split ?? null });
  else if (split === undefined) console.log(`Volume ${wanted}: no split brain is seen.`);
  else console.log(`${splitText(volume, split, name)}\n${endText(split, file, name)}`);
  return split === undefined ? EXIT_BROKEN : EXIT_OK;
}
