/** `understudy status`: what one node of this machine knows of itself and of its cluster. */
import { Command } from 'commander';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { printJson } from '../failure.ts';
import { type Answering, asksNode, findNode, foldersOf, type NodeOptions } from '../nodes.ts';
import { statusText } from '../status-text.ts';

interface StatusOptions extends NodeOptions {
  readonly json?: boolean;
}

/** Builds the command. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('show nodes, volumes, groups and the guarantee in force')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml');
  return asksNode(command).action(async (file: string, options: StatusOptions) => {
    const { host: status } = (await findNode(foldersOf(file, options))) as Answering;
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
