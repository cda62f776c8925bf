/** `understudy replica return`: puts back the image that an unfinished resync has overwritten. */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { WayBack } from '../../engine/data/messages.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import { findNode, foldersOf, type NodeOptions, refusalText, theOne } from '../nodes.ts';
import { wayBackText } from '../way-back-text.ts';

interface ReturnOptions extends NodeOptions {
  readonly volume?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const ASK_EVERY_MS = 300;

/** Builds the verb. */
export function returnCommand(): Command {
  return new Command('return')
    .description('put back the image that an unfinished resync has overwritten on a node')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--name <node>', 'whose replica (default: the one of this machine that has a way back)')
    .option('--data <folder>', 'ask the node whose folder this is')
    .option('--volume <name>', 'of which volume (default: the only one)')
    .option('--yes', 'do it; without this it only shows what would be done')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
For when the source of a resync is lost for good: the replica is then what it was when the resync
began, Outdated, and nobody leads with it by itself. The node must run. When a source is there again
it is copied to anew. Exit codes: 0 shown, or done; 1 there is no way back, or it was refused; 2 bad
input.`,
    )
    .action(async (file: string, options: ReturnOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: ReturnOptions): Promise<number> {
  const folders = foldersOf(file, options);
  const has = (volume: string | undefined) => (host: Host) =>
    host.status.volumes.some((each) => {
      return (volume ?? each.volume) === each.volume && each.local?.wayBack !== undefined;
    });
  const found = (await findNode(folders, has(options.volume))) ?? (await findNode(folders));
  if (found === null) throw new InputError('no node answers here', 'start it first');
  const { folder, host } = found;
  const known = host.status.volumes.map((each) => each.volume);
  const volume = theOne('volume', known, options.volume);
  const node = host.names[String(host.status.node)] ?? String(host.status.node);
  const wayBack = wayBackOf(host, volume);
  if (options.yes !== true) {
    if (options.json) printJson({ volume, node, wayBack: wayBack ?? null });
    else {
      const text = wayBack === undefined ? 'no copy is under way' : wayBackText(wayBack);
      console.log(`Volume ${volume} on ${node}: ${text}.`);
      if (wayBack?.state === 'kept' || wayBack?.state === 'held') {
        console.log('Nothing was changed. To put it back: the same command with --yes');
      }
    }
    return wayBack === undefined || wayBack.state === 'lost' ? EXIT_BROKEN : EXIT_OK;
  }
  const answer = await sendCommand(folder, { kind: 'return-replica', volume });
  if (!answer.ok) {
    if (options.json) printJson({ volume, node, ...answer });
    else console.error(`Volume ${volume}: ${refusalText(answer.reason, answer.remedy)}.`);
    return EXIT_BROKEN;
  }
  const left = await ended(folder, volume);
  const back = left === undefined;
  if (options.json) printJson({ volume, node, back });
  else if (back) console.log(`Volume ${volume} on ${node} is what it was, Outdated.`);
  else console.error(`Volume ${volume} on ${node} was not put back: ${wayBackText(left)}.`);
  return back ? EXIT_OK : EXIT_BROKEN;
}

type Host = Parameters<NonNullable<Parameters<typeof findNode>[1]>>[0];

function wayBackOf({ status }: Host, volume: string): WayBack | undefined {
  return status.volumes.find((each) => each.volume === volume)?.local?.wayBack;
}

/** What is left of the way back when the return has ended: nothing when it went well. */
async function ended(folder: string, volume: string): Promise<WayBack | undefined> {
  for (let asked = 0; ; asked += 1) {
    await new Promise((wake) => setTimeout(wake, ASK_EVERY_MS));
    const { host } = (await findNode([folder])) as { readonly host: Host };
    const wayBack = wayBackOf(host, volume);
    // The order may not have reached the replica yet.
    if (wayBack === undefined || (wayBack.state !== 'returning' && asked > 3)) return wayBack;
  }
}
