/** `understudy switch`, `stop-group`, `start-group`: what people order of a group. */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
import type { GroupCommand } from '../../engine/cluster/interface.ts';
import { EXIT_BROKEN, EXIT_OK, printJson } from '../failure.ts';
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

interface GroupOptions extends NodeOptions {
  readonly group?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** Builds `switch`. */
export function switchCommand(): Command {
  return command('switch', 'move a group to the other host, in order: stop there, start here')
    .requiredOption('--to <node>', 'the host that is to run it')
    .action(async (file: string, options: GroupOptions) => {
      process.exitCode = await run(file, options, (group, host) => {
        return { kind: 'switch', group, to: nodeNumber(host, options.to ?? '') };
      });
    });
}

/** Builds `stop-group`. */
export function stopGroupCommand(): Command {
  return command(
    'stop-group',
    'stop a group, which then stays stopped, also through restarts',
  ).action(async (file: string, options: GroupOptions) => {
    process.exitCode = await run(file, options, (group) => ({ kind: 'stop-group', group }));
  });
}

/** Builds `start-group`. */
export function startGroupCommand(): Command {
  return command(
    'start-group',
    'start a group that was stopped, or one whose application failed',
  ).action(async (file: string, options: GroupOptions) => {
    process.exitCode = await run(file, options, (group) => ({ kind: 'start-group', group }));
  });
}

function command(name: string, about: string): Command {
  const command = new Command(name)
    .description(about)
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--group <name>', 'which group (default: the only one)');
  return asksNode(command).addHelpText(
    'after',
    `
Any node takes the order, and answers once it is an entry of the log; understudy status shows what
becomes of it. Exit codes: 0 ordered; 1 the cluster refused, with the reason; 2 bad input.`,
  );
}

async function run(
  file: string,
  options: GroupOptions,
  order: (group: string, host: HostStatus) => GroupCommand,
): Promise<number> {
  const { folder, host } = (await findNode(foldersOf(file, options))) as Answering;
  const known = host.status.groups.map((each) => each.group);
  const group = theOne('group', known, options.group);
  const answer = await sendCommand(folder, order(group, host));
  if (options.json) printJson({ group, ...answer });
  else if (answer.ok) console.log('Ordered. See how it goes: understudy status');
  else console.error(`Group ${group}: ${refusalText(answer.reason, answer.remedy)}.`);
  return answer.ok ? EXIT_OK : EXIT_BROKEN;
}
