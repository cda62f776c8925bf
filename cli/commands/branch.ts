/**
 * `understudy branch list`, `export` and `drop`: what one side of a split brain had before it was
 * given up, where a side area keeps it.
 */
import Table from 'cli-table3';
import { Command } from 'commander';
import { fetchStatus, sendCommand } from '../../backends/real/api-client.ts';
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import type { KeptBranch, LostBranch } from '../../engine/data/messages.ts';
import { exportBranch } from '../branch-file.ts';
import { branchText, lostText } from '../branch-text.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import {
  findNode,
  foldersOf,
  type NodeOptions,
  refusalText,
  theOne,
  theReplica,
} from '../nodes.ts';
import { startProgress } from '../rehearse/progress.ts';

interface BranchOptions extends NodeOptions {
  readonly volume?: string;
  readonly to?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Where a branch is, or was. */
interface Place {
  readonly volume: string;
  readonly node: string;
  readonly folder: string;
}
type Found = KeptBranch & Place;
type Gone = LostBranch & Place;

const ASK_EVERY_MS = 200;
const ASK_TIMES = 50;

/** Builds the command and its verbs. */
export function branchCommand(): Command {
  return new Command('branch')
    .description('the data that one side of a split brain had before they were given up')
    .addHelpText(
      'after',
      `
A side of a split brain is given up by policy or by "understudy resolve". Where its replica has a
side area (sideSize: in the configuration) all that it had is kept there when the copy is done,
until it is dropped. Meanwhile later resyncs of that replica have no way back; with undo: required
they wait until then, and "understudy status" says so on every node. What could not be kept is told
of, with the reason, until the node starts anew.`,
    )
    .addCommand(listCommand())
    .addCommand(exportCommand())
    .addCommand(dropCommand());
}

function verb(name: string, about: string): Command {
  return new Command(name)
    .description(about)
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--name <node>', 'kept by which node (default: those of this machine)')
    .option('--volume <name>', 'of which volume')
    .option('--json', 'print one JSON object');
}

function listCommand(): Command {
  return verb('list', 'what is kept by the nodes of this machine that run')
    .addHelpText('after', '\nExit codes: 0 shown, also when there is none; 2 bad input.')
    .action(async (file: string, options: BranchOptions) => {
      const { branches, lost } = await allOf(file, options);
      if (options.json) {
        const withoutFolder = <T extends Place>({ folder: _, ...branch }: T) => branch;
        printJson({ branches: branches.map(withoutFolder), lost: lost.map(withoutFolder) });
      } else {
        if (branches.length === 0) console.log('No branch is kept here.');
        else console.log(tableOf(branches));
        for (const each of lost)
          console.log(`Volume ${each.volume} on ${each.node}: ${lostText(each)}.`);
      }
      process.exitCode = EXIT_OK;
    });
}

function exportCommand(): Command {
  return verb('export', 'write what the volume was in that branch to a file')
    .requiredOption('--to <file>', 'the file; it must not exist')
    .addHelpText(
      'after',
      `
The file is an image of the volume: its size, with holes for zeroes. The node may run, or not. Of a
volume in parts it has the parts one behind the other. Exit codes: 0 written, durably; 1 there is no
branch, or not all of it can be read, and no file was left; 2 bad input.`,
    )
    .action((file: string, options: BranchOptions) => {
      process.exitCode = runExport(file, options);
    });
}

function dropCommand(): Command {
  return verb('drop', 'free the room of that branch: nothing is left of it then')
    .option('--yes', 'do it; without this it only shows what would be dropped')
    .addHelpText(
      'after',
      `
The node must run. What could not be kept is told of no more. Exit codes: 0 shown,
or dropped, durably; 1 there is no branch, or it was refused; 2 bad input.`,
    )
    .action(async (file: string, options: BranchOptions) => {
      process.exitCode = await runDrop(file, options);
    });
}

/** The branches that the nodes of this machine tell of, of the volume that is meant. */
async function allOf(
  file: string,
  options: BranchOptions,
): Promise<{ readonly branches: Found[]; readonly lost: Gone[] }> {
  const folders = foldersOf(file, options);
  // Says why when none of them answers.
  await findNode(folders);
  const branches: Found[] = [];
  const lost: Gone[] = [];
  for (const folder of folders) {
    const host = await fetchStatus(folder).catch(() => null);
    if (host === null) {
      console.error(`The node of ${folder} does not answer: what it keeps is not shown.`);
      continue;
    }
    const node = host.names[String(host.status.node)] ?? String(host.status.node);
    const volumes = host.status.volumes.map(({ volume }) => volume);
    if (options.volume !== undefined) theOne('volume', volumes, options.volume);
    for (const { volume, local } of host.status.volumes) {
      if (local === null || volume !== (options.volume ?? volume)) continue;
      const place = { volume, node, folder };
      if (local.keptBranch !== undefined) branches.push({ ...place, ...local.keptBranch });
      if (local.lostBranch !== undefined) lost.push({ ...place, ...local.lostBranch });
    }
  }
  return { branches, lost };
}

function tableOf(branches: readonly Found[]): string {
  const head = ['volume', 'kept by', 'branch'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const branch of branches) table.push([branch.volume, branch.node, branchText(branch)]);
  return table.toString();
}

function runExport(file: string, options: BranchOptions): number {
  const { config } = loadConfig(file);
  const { volume, replica, name } = theReplica(config, options);
  const to = options.to ?? '';
  const blocks = Math.ceil(volume.sizeBytes / BLOCK_BYTES);
  const progress = startProgress('Writing', blocks, options.json === true, 'blocks');
  try {
    const head = exportBranch(volume, replica, to, (done) => progress.update(done, ''));
    progress.stop();
    const { generation } = head;
    const said = { volume: volume.name, node: name, generation, bytes: volume.sizeBytes, file: to };
    if (options.json) printJson(said);
    else
      console.log(
        `Wrote the branch of generation ${generation} of ${volume.name} on ${name}: ${to}.`,
      );
    return EXIT_OK;
  } catch (error) {
    progress.stop();
    if (error instanceof InputError || !(error instanceof Error) || !('remedy' in error))
      throw error;
    const remedy = String(error.remedy);
    if (options.json) printJson({ error: error.message, remedy });
    else console.error(`${error.message}.\nRemedy: ${remedy}.`);
    return EXIT_BROKEN;
  }
}

async function runDrop(file: string, options: BranchOptions): Promise<number> {
  const { branches, lost } = await allOf(file, options);
  if (branches.length === 0 && lost.length > 0) return seen(lost, options);
  const [branch, ...others] = branches;
  if (branch === undefined) {
    if (options.json) printJson({ branch: null, dropped: false });
    else console.error('No branch is kept here.');
    return EXIT_BROKEN;
  }
  if (others.length > 0) {
    const known = branches.map(({ volume, node }) => `--volume ${volume} --name ${node}`);
    throw new InputError('several branches are kept here', `say which: ${known.join(', ')}`);
  }
  const { folder, ...shown } = branch;
  const { volume, node, generation } = branch;
  if (options.yes !== true) {
    if (options.json) printJson({ branch: shown, dropped: false });
    else {
      console.log(`Volume ${volume} on ${node}: ${branchText(branch)}.`);
      console.log('Nothing was changed. To drop it for good: the same command with --yes');
    }
    return EXIT_OK;
  }
  const answer = await sendCommand(folder, { kind: 'drop-branch', volume, generation });
  if (!answer.ok) {
    if (options.json) printJson({ branch: shown, dropped: false, ...answer });
    else console.error(`Volume ${volume}: ${refusalText(answer.reason, answer.remedy)}.`);
    return EXIT_BROKEN;
  }
  const dropped = await isGone(folder, volume, generation);
  if (options.json) printJson({ branch: shown, dropped });
  else if (dropped) console.log(`The branch of ${volume} on ${node} is kept no more.`);
  else console.error(`${node} has not said yet that the branch of ${volume} is gone: see status.`);
  return dropped ? EXIT_OK : EXIT_BROKEN;
}

/** Nothing is left to drop: the nodes need not tell any more of what could not be kept. */
async function seen(lost: readonly Gone[], options: BranchOptions): Promise<number> {
  let dropped = options.yes === true;
  for (const { folder, volume, node, ...branch } of lost) {
    if (!options.json) console.log(`Volume ${volume} on ${node}: ${lostText(branch)}.`);
    if (options.yes !== true) continue;
    const { generation } = branch;
    const answer = await sendCommand(folder, { kind: 'drop-branch', volume, generation });
    dropped &&= answer.ok;
  }
  if (options.json)
    printJson({ branch: null, lost: lost.map(({ folder: _, ...x }) => x), dropped });
  else if (options.yes === true) console.log('It is told of no more.');
  else console.log('Nothing was changed. To hear of it no more: the same command with --yes');
  return options.yes !== true || dropped ? EXIT_OK : EXIT_BROKEN;
}

/** Whether the node tells of that branch no more. */
async function isGone(folder: string, volume: string, generation: number): Promise<boolean> {
  for (let asked = 0; asked < ASK_TIMES; asked += 1) {
    const { status } = await fetchStatus(folder);
    const local = status.volumes.find((each) => each.volume === volume)?.local;
    // One that starts anew has not read yet what it keeps.
    const isRead = local !== undefined && local !== null && local.disk !== 'Diskless';
    if (isRead && local.keptBranch?.generation !== generation) return true;
    await new Promise((wake) => setTimeout(wake, ASK_EVERY_MS));
  }
  return false;
}
