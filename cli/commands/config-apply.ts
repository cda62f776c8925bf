/** `understudy config apply`: changes the configuration of a running cluster. */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import {
  type ConfigChange,
  configWith,
  differenceOf,
  nodeOf,
  servedOf,
} from '../../engine/cluster/changes.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { loadConfig } from '../config/load.ts';
import { changeText, goingBy, waitText } from '../config-text.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import {
  type Answering,
  asksNode,
  findNode,
  foldersOf,
  type NodeOptions,
  refusalText,
} from '../nodes.ts';

interface ApplyOptions extends NodeOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Builds the command. */
export function applyCommand(): Command {
  const command = new Command('apply')
    .description('have the running cluster agree on FILE, as far as that can be done online')
    .argument('[FILE]', 'the configuration as it is to be', 'understudy.yaml')
    .option('--yes', 'order it; without this nothing is changed');
  return asksNode(command)
    .addHelpText(
      'after',
      `
Online, one at a time: a volume gets a replica on another node of the cluster, loses one that does
not lead it, has one on another disk (path: and meta:), or grows (size:), as far as its replicas
have room (room:). Everything else that is different in FILE is refused by name: for that, stop the
nodes, give each the same file, and start them. What is agreed on counts on every node whatever its
file says; write it into the files as well. No other change is agreed on before it is in use; as
long as it has not begun, the file of before takes it back. Status says what it waits for. Exit
codes:
0 shown, or agreed on; 1 the cluster refused, with the reason; 2 bad input.`,
    )
    .action(async (file: string, options: ApplyOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: ApplyOptions): Promise<number> {
  const { config: wanted } = loadConfig(file);
  const { folder, host } = (await findNode(foldersOf(file, options))) as Answering;
  // A node need not start anew for where others keep their replicas.
  const current = configWith(host.config, host.status.config?.changes ?? []);
  const { changes, refused } = differenceOf(current, wanted);
  const roomless = refused.filter((place) => /^volumes\..*\.(?:room|size)$/.test(place));
  if (roomless.length > 0) throw noRoom(roomless);
  if (refused.length > 0) throw notOnline(refused);
  const { agreed: from = 0, stage } = host.status.config ?? {};
  for (const change of changes) {
    const shrinks = change.kind === 'grow-volume' && isLess(current, change);
    // What has not begun may be taken back: that the cluster judges.
    if (!shrinks || stage === 'ordered') continue;
    throw new InputError(
      `volumes.${change.volume}.size: a volume does not get smaller: what is at its end would be ` +
        'lost',
      'set it back in the file',
    );
  }
  if (changes.length > 1) throw oneAtATime(changes, host.names);
  const [change] = changes;
  if (change === undefined) {
    if (options.json) printJson({ version: from, change: null, ordered: false });
    else if (stage === undefined) {
      console.log(`Nothing to do: the cluster runs by this configuration (version ${from}).`);
    } else {
      console.log(
        `Nothing to order: it is agreed on already, as version ${from}, and not in use yet. See ` +
          'what it waits for with: understudy status',
      );
    }
    return EXIT_OK;
  }
  const name = (node: number): string => host.names[String(node)] ?? `node ${node}`;
  if (options.yes !== true) {
    const volume = current.volumes.find((each) => each.name === change.volume);
    const record = host.status.volumes.find((each) => each.volume === change.volume);
    if (volume === undefined) throw new InputError('no such volume', 'see understudy status');
    const members = (record?.members ?? []).map(({ node }) => node);
    const going = goingBy(host.status.config, change.volume);
    const now = { config: volume, members, going };
    if (options.json) printJson({ version: from, change, ordered: false });
    else {
      console.log(changeText(change, now, file, name));
      console.log('Nothing is changed. To order it: the same command with --yes');
    }
    return EXIT_OK;
  }
  const answer = await sendCommand(folder, { kind: 'configure', from, change });
  if (options.json) printJson({ version: from, change, ordered: answer.ok, ...answer });
  else if (answer.ok) {
    console.log(
      `Agreed on as version ${from + 1}. See how it is taken into use with: understudy status`,
    );
  } else {
    const node = nodeOf(change);
    const place = `Volume ${change.volume}${node === 0 ? '' : `, replica on ${name(node)}`}`;
    const { waits } = host.status.config ?? {};
    const why =
      answer.reason !== 'change-under-way' || waits === undefined
        ? ''
        : ` It waits: ${waitText(waits, name)}.`;
    console.error(`${place}: ${refusalText(answer.reason, answer.remedy)}.${why}`);
  }
  return answer.ok ? EXIT_OK : EXIT_BROKEN;
}

type Growth = ConfigChange & { readonly kind: 'grow-volume' };

/** Whether clients would see less than now. */
function isLess({ volumes }: ClusterConfig, { volume, servedBytes }: Growth): boolean {
  const now = volumes.find(({ name }) => name === volume);
  return now !== undefined && servedBytes < servedOf(now);
}

function noRoom(places: readonly string[]): InputError {
  return new InputError(
    `replicas keep the room that they were made with (room:, or size: without it): ` +
      places.join(', '),
    'set it back in the file; for more room make the replicas anew, see docs/growth.md',
  );
}

function notOnline(refused: readonly string[]): InputError {
  return new InputError(
    `this cannot be changed while the cluster runs: ${refused.join(', ')}`,
    'set it back in the file; or stop all nodes, give each the same file, and start them again',
  );
}

function oneAtATime(
  changes: readonly ConfigChange[],
  names: Readonly<Record<string, string>>,
): InputError {
  const each = changes.map((change) => {
    const name = names[String(nodeOf(change))];
    return `${change.kind} of ${change.volume}${name === undefined ? '' : ` on ${name}`}`;
  });
  return new InputError(
    `the file asks for ${changes.length} changes: ${each.join('; ')}`,
    'make one at a time, and wait until it is in use; where all paths differ, put the file ' +
      'beside the one that the node was started with',
  );
}
