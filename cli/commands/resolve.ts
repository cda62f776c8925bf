/** `understudy resolve`: shows a split brain, and orders which side is kept. */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { ResolveCommand } from '../../engine/cluster/interface.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import {
  type Answering,
  findNode,
  foldersOf,
  type NodeOptions,
  refusalText,
  theOne,
} from '../nodes.ts';
import { lossText, type SplitVolume, splitText } from '../split-text.ts';

interface ResolveOptions extends NodeOptions {
  readonly volume?: string;
  readonly keep?: string;
  readonly yes?: boolean;
  readonly adopt?: boolean;
  readonly json?: boolean;
}

/** Builds the command. */
export function resolveCommand(): Command {
  return new Command('resolve')
    .description('show a split brain, and order whose data are kept')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--volume <name>', 'which volume (default: the only one)')
    .option('--keep <node>', 'the node whose data are kept; the other one’s are overwritten')
    .option('--yes', 'order it; without this nothing is changed')
    .option('--adopt', 'also where the two have nothing in common')
    .option('--name <node>', 'ask this node (default: the first that answers here)')
    .option('--data <folder>', 'ask the node whose folder this is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Without --yes it only shows what each side has, whom each policy would choose, and what would be
lost. An order names the data that were shown: where they have changed since, it is refused. Until
the copy has begun, an order is taken back by keeping its victim. Exit codes: 0 shown or ordered;
1 there is no split brain, or the cluster refused; 2 bad input.`,
    )
    .action(async (file: string, options: ResolveOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: ResolveOptions): Promise<number> {
  const { folder, host } = (await findNode(foldersOf(file, options))) as Answering;
  const { status, names } = host;
  const name = (id: number): string => names[String(id)] ?? `node ${id}`;
  const known = status.volumes.map((each) => each.volume);
  const wanted = theOne('volume', known, options.volume);
  const volume = status.volumes.find((each) => each.volume === wanted) as SplitVolume;
  const { split, discard } = volume;
  const keep = options.keep === undefined ? 0 : nodeOf(names, options.keep);
  if (options.yes === true && keep === 0) {
    throw new InputError('it is not clear whose data are kept', 'give --keep NODE');
  }
  const order = keep === 0 ? null : orderOf(volume, keep, options.adopt === true);
  const about = { volume: wanted, split: split ?? null, discard: discard ?? null, order };
  if (split === undefined && discard === undefined) {
    if (options.json) printJson({ ...about, ordered: false });
    else console.log(`Volume ${wanted}: no split brain is seen.`);
    return EXIT_BROKEN;
  }
  if (options.yes !== true) {
    if (options.json) printJson({ ...about, ordered: false });
    else {
      if (split !== undefined) console.log(splitText(volume, split, name));
      else console.log(`Volume ${wanted}: an order stands, and is being carried out.`);
      if (split !== undefined && keep !== 0) console.log(lossText(split, keep, name));
      console.log(`Nothing is changed. To order it: understudy resolve --keep NODE --yes`);
    }
    return EXIT_OK;
  }
  if (order === null) {
    throw new InputError('the other side is not heard', 'bring both nodes up, and look again');
  }
  const answer = await sendCommand(folder, order);
  if (options.json) printJson({ ...about, ordered: answer.ok, ...answer });
  else if (answer.ok) console.log('Ordered. See how it goes: understudy status');
  else console.error(`Volume ${wanted}: ${refusalText(answer.reason, answer.remedy)}.`);
  return answer.ok ? EXIT_OK : EXIT_BROKEN;
}

/** The order as it is given: with the generations that were shown. */
function orderOf(
  { volume, split, discard }: SplitVolume,
  keep: number,
  adopt: boolean,
): ResolveCommand | null {
  const order = { kind: 'resolve', volume, keep, adopt } as const;
  // Taking an order back.
  if (discard?.node === keep) {
    return { ...order, keeps: discard.generation, discards: discard.keeps };
  }
  const kept = split?.sides.find(({ node }) => node === keep);
  const given = split?.sides.find(({ node }) => node !== keep);
  if (kept === undefined || given === undefined) return null;
  return { ...order, keeps: kept.generation, discards: given.generation };
}

function nodeOf(names: Readonly<Record<string, string>>, name: string): number {
  const found = Object.entries(names).find(([, each]) => each === name);
  if (found !== undefined) return Number(found[0]);
  const known = Object.values(names).join(', ');
  throw new InputError(`there is no node "${name}"`, `use one of: ${known}`);
}
