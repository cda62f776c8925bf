/** `understudy resolve`: shows a split brain, orders which side is kept, and takes that back. */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { ResolveCommand, TakeBackCommand } from '../../engine/cluster/interface.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import {
  type Answering,
  asksNode,
  findNode,
  foldersOf,
  type NodeOptions,
  nodeNumber,
  refusalText,
  theOne,
} from '../nodes.ts';
import { lossText, orderText, type SplitVolume, splitText } from '../split-text.ts';
import { wholeNumber } from '../whole-number.ts';

interface ResolveOptions extends NodeOptions {
  readonly volume?: string;
  readonly keep?: string;
  readonly takeBack?: string | true;
  readonly adopt?: boolean;
  readonly evenIfWritten?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Builds the command. */
export function resolveCommand(): Command {
  const command = new Command('resolve')
    .description('show a split brain, order whose data are kept, or take such an order back')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--volume <name>', 'which volume (default: the only one)')
    .option('--keep <node>', 'the node whose data are kept; the other one’s are overwritten')
    .option('--adopt', 'also where the two have nothing in common')
    .option('--even-if-written', 'also what is written there until it has been stopped')
    .option('--take-back [order]', 'end the order of that number, before anything is overwritten')
    .option('--yes', 'order it; without this nothing is changed');
  return asksNode(command)
    .addHelpText(
      'after',
      `
Without --yes it only shows what each side has, whom each policy would choose and why, and what
would be lost, and whether it will be kept (understudy branch). An order names the data that were
shown: where they have changed since, or anything was decided since, it is refused. What runs
over the side that is given up is stopped first; then both sides are looked at again, and only if
they are what was shown the other one is overwritten, whole. Until then the order can be taken back,
by its number. Exit codes: 0 shown or ordered; 1 no split brain is seen, or the cluster refused; 2
bad input.`,
    )
    .action(async (file: string, options: ResolveOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: ResolveOptions): Promise<number> {
  if (options.keep !== undefined && options.takeBack !== undefined) {
    throw new InputError('--keep and --take-back are two different orders', 'give one of them');
  }
  const { folder, host } = (await findNode(foldersOf(file, options))) as Answering;
  const { status, names } = host;
  const name = (id: number): string => names[String(id)] ?? `node ${id}`;
  const known = status.volumes.map((each) => each.volume);
  const wanted = theOne('volume', known, options.volume);
  const volume = status.volumes.find((each) => each.volume === wanted) as SplitVolume;
  const { split, discard } = volume;
  const keep = options.keep === undefined ? 0 : nodeNumber(host, options.keep);
  if (options.yes === true && keep === 0 && options.takeBack === undefined) {
    throw new InputError('it is not clear what is ordered', 'give --keep NODE, or --take-back');
  }
  const order = keep === 0 ? takeBackOf(volume, options) : orderOf(volume, keep, options);
  const about = { volume: wanted, split: split ?? null, discard: discard ?? null, order };
  if (split === undefined && discard === undefined && options.takeBack === undefined) {
    if (options.json) printJson({ ...about, ordered: false });
    else console.log(`Volume ${wanted}: no split brain is seen.`);
    return EXIT_BROKEN;
  }
  if (options.yes !== true) {
    if (options.json) printJson({ ...about, ordered: false });
    else show(volume, keep, name);
    return EXIT_OK;
  }
  if (order === null) {
    throw keep === 0
      ? new InputError('no order stands', 'see understudy resolve')
      : new InputError('the other side is not heard', 'bring both nodes up, and look again');
  }
  const answer = await sendCommand(folder, order);
  if (options.json) printJson({ ...about, ordered: answer.ok, ...answer });
  else if (answer.ok) console.log('Ordered. See how it goes: understudy status');
  else console.error(`Volume ${wanted}: ${refusalText(answer.reason, answer.remedy)}.`);
  return answer.ok ? EXIT_OK : EXIT_BROKEN;
}

function show(volume: SplitVolume, keep: number, name: (node: number) => string): void {
  const { split, discard } = volume;
  if (discard !== undefined) console.log(orderText(volume, discard, name));
  if (split !== undefined) console.log(splitText(volume, split, name));
  if (split !== undefined && keep !== 0) console.log(lossText(split, keep, name));
  console.log(
    discard === undefined
      ? 'Nothing is changed. To order it: understudy resolve --keep NODE --yes'
      : 'Nothing is changed.',
  );
}

/** The order as it is given: with everything that was shown. */
function orderOf(
  { volume, epoch, split }: SplitVolume,
  keep: number,
  { adopt = false, evenIfWritten = false }: ResolveOptions,
): ResolveCommand | null {
  const kept = split?.sides.find(({ node }) => node === keep);
  const given = split?.sides.find(({ node }) => node !== keep);
  if (kept === undefined || given === undefined) return null;
  const atMost = evenIfWritten ? -1 : given.dirty;
  const data = { keeps: kept.generation, discards: given.generation, epoch, atMost };
  return { kind: 'resolve', volume, keep, ...data, adopt };
}

/** Taking back what is named, or what stands. */
function takeBackOf(
  { volume, discard }: SplitVolume,
  { takeBack }: ResolveOptions,
): TakeBackCommand | null {
  if (takeBack === undefined) return null;
  const order =
    takeBack === true
      ? discard?.order
      : wholeNumber('--take-back', takeBack, 0, Number.MAX_SAFE_INTEGER);
  return order === undefined ? null : { kind: 'take-back', volume, order };
}
