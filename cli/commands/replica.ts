/**
 * `understudy replica new` and `understudy replica adopt`: an empty replica in place of a lost one,
 * which the other one fills, and a replica over data that are there already. `replica return` is
 * in replica-return.ts.
 */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { fetchStatus } from '../../backends/real/api-client.ts';
import { type DirectoryLock, lockDirectory } from '../../backends/real/directory-lock.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_OK, printJson } from '../failure.ts';
import { theReplica } from '../nodes.ts';
import { adoptReplica, newReplica, type ReplicaTarget } from '../replica-file.ts';
import { returnCommand } from './replica-return.ts';

interface ReplicaOptions {
  readonly name?: string;
  readonly volume?: string;
  readonly overwrite?: boolean;
  readonly dropBranch?: boolean;
  readonly json?: boolean;
}

/** True when a branch that was kept there is lost by it. */
type Make = (target: ReplicaTarget, overwrite: boolean, branch: 'spare' | 'drop') => boolean;

/** Builds the command and its verbs. */
export function replicaCommand(): Command {
  return new Command('replica')
    .description('make one replica of a volume, or put back what a resync has overwritten')
    .addCommand(newCommand())
    .addCommand(adoptCommand())
    .addCommand(returnCommand());
}

function newCommand(): Command {
  return verb('new', 'an empty replica in place of a lost one: the other one will fill it')
    .option('--overwrite', 'even where a replica stands; what it holds is lost')
    .option('--drop-branch', 'even the branch that was given up and is kept there')
    .addHelpText(
      'after',
      `
A file that does not exist is made, as a hole. On a block device only the metadata is written; what
else is there is overwritten as the copy proceeds. Where the replica that stands there keeps a
branch that was given up ("understudy branch"), --overwrite alone is refused. The node may run only
if it has no replica there now: then it is told of this one with "config apply". Exit codes: 0 made;
2 bad input, nothing was changed; or a disk could not be written: make it again, with --overwrite.`,
    )
    .action((file: string, options: ReplicaOptions) => run(file, options, newReplica));
}

function adoptCommand(): Command {
  return verb('adopt', 'a replica over a disk whose data are to be kept and mirrored')
    .addHelpText(
      'after',
      `
The data stay as they are. The metadata goes behind them (a file grows by it, a device must have
room), or to the file or device that meta: names. Do it on one node, before the cluster runs for the
first time; make the other replica with "replica new". The disks of a volume with parts: are
taken for what paths: says, and each is given two pages behind its data that say it from then on.
Exit codes: 0 made; 2 bad input, nothing was changed; or a disk could not be written: the
data are as they were, what is behind them may not be.`,
    )
    .action((file: string, options: ReplicaOptions) => {
      return run(file, options, (target) => {
        adoptReplica(target, randomBytes(6).readUIntBE(0, 6) + 1);
        return false;
      });
    });
}

function verb(name: string, about: string): Command {
  return new Command(name)
    .description(about)
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--name <node>', 'whose replica')
    .option('--volume <name>', 'of which volume (default: the only one)')
    .option('--json', 'print one JSON object');
}

async function run(file: string, options: ReplicaOptions, make: Make): Promise<void> {
  const { config, dataFolders } = loadConfig(file);
  const { volume, replica, name } = theReplica(config, options);
  const { node } = replica;
  const folder = dataFolders.get(name);
  // A running node would go on writing what it believes to be there.
  const { path: place, meta: apart, parts: several = [] } = replica;
  let dropped = false;
  const lock = await lockUnlessElsewhere(folder, [...several, place, apart]);
  try {
    const { path, parts = [], meta, side = '', sideBytes = 0 } = replica;
    const target = { volume, node, path, parts, meta, side, sideBytes };
    const branch = options.dropBranch === true ? 'drop' : 'spare';
    dropped = make(target, options.overwrite === true, branch);
  } finally {
    lock?.release();
  }
  const { path, parts } = replica;
  const more = { ...(parts && { parts }), ...(dropped && { droppedBranch: true }) };
  if (options.json) printJson({ volume: volume.name, node: name, path, ...more });
  else {
    console.log(`Made the replica of ${volume.name} on ${name}: ${(parts ?? [path]).join(', ')}.`);
    if (dropped) console.log('The branch that was given up and was kept there is lost.');
  }
  process.exitCode = EXIT_OK;
}

/**
 * The lock under which no node of this folder runs; null where there is no folder, or the node that
 * runs uses none of the `places`. Throws HostError.
 */
async function lockUnlessElsewhere(
  folder: string | undefined,
  places: readonly string[],
): Promise<DirectoryLock | null> {
  if (folder === undefined) return null;
  const host = await fetchStatus(folder).catch(() => null);
  if (host !== null && !host.places.some((place) => places.includes(place))) return null;
  return await lockDirectory(folder, 'core');
}
