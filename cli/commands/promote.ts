/**
 * `understudy promote`: goes on from a replica that is behind, asynchronous or left out of the set,
 * or that lost its power, with what it lacks accepted as lost.
 */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
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
import { lossOfText } from '../promote-text.ts';

interface PromoteOptions extends NodeOptions {
  readonly volume?: string;
  readonly node?: string;
  readonly acceptLoss?: boolean;
  readonly json?: boolean;
}

/** Builds the command. */
export function promoteCommand(): Command {
  const command = new Command('promote')
    .description('go on from a replica that is behind, when nobody is heard who is in sync')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .requiredOption('--node <node>', 'the host whose replica takes over')
    .option('--volume <name>', 'which volume (default: the only one)')
    .option('--accept-loss', 'order it; without this it only shows what would be lost');
  return asksNode(command)
    .addHelpText(
      'after',
      `
What was written after the last state that the replica has is given up: for when the others are lost
for good, or will not be back in time. It is an asynchronous replica, or of a pair the one that was
left out of the in-sync set, or one in sync that lost its power and would wait for the other. It is
refused while anybody is heard who has everything. If a copy was under way, put its last state back
first: understudy replica return. When the others come back they are filled from here, and what
they alone have is overwritten; move the service back with understudy switch then.
Exit codes: 0 shown or ordered; 1 the cluster refused, with the reason;
2 bad input.`,
    )
    .action(async (file: string, options: PromoteOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: PromoteOptions): Promise<number> {
  const { folder, host } = (await findNode(foldersOf(file, options))) as Answering;
  const { volumes } = host.status;
  const known = volumes.map((each) => each.volume);
  const wanted = theOne('volume', known, options.volume);
  const volume = volumes.find((each) => each.volume === wanted);
  if (volume === undefined) throw new InputError(`no volume ${wanted}`, 'see understudy status');
  const to = nodeNumber(host, options.node ?? '');
  const missing = volume.members.map(({ node }) => ({ node, heard: isHeard(host, node) }));
  const about = { volume: wanted, to, members: missing };
  if (options.acceptLoss !== true) {
    const name = (node: number): string => host.names[String(node)] ?? `node ${node}`;
    if (options.json) printJson({ ...about, ordered: false });
    else console.log(lossOfText(wanted, to, missing, name));
    return EXIT_OK;
  }
  const command = { kind: 'take-over', volume: wanted, to, epoch: volume.epoch } as const;
  const answer = await sendCommand(folder, command);
  if (options.json) printJson({ ...about, ordered: answer.ok, ...answer });
  else if (answer.ok) console.log('Ordered. See how it goes: understudy status');
  else console.error(`Volume ${wanted}: ${refusalText(answer.reason, answer.remedy)}.`);
  return answer.ok ? EXIT_OK : EXIT_BROKEN;
}

function isHeard({ status }: HostStatus, node: number): boolean {
  return node === status.node || status.peers.some((peer) => peer.node === node && peer.up);
}
