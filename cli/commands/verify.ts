/** `understudy verify`: compares the replicas of a volume while it is in use. */
import { Command } from 'commander';
import { fetchStatus, sendCommand } from '../../backends/real/api-client.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
import type { VerifyLevel, VerifyReport } from '../../engine/data/messages.ts';
import { term } from '../../viewer/src/catalogue/catalogue.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import { language } from '../language.ts';
import {
  type Answering,
  findNode,
  foldersOf,
  type NodeOptions,
  refusalText,
  theOne,
} from '../nodes.ts';
import { startProgress } from '../rehearse/progress.ts';
import { isSound, verdictText } from '../verify-text.ts';

interface VerifyOptions extends NodeOptions {
  readonly volume?: string;
  readonly level: string;
  readonly repair?: boolean;
  readonly from: string;
  readonly rate: string;
  readonly stop?: boolean;
  readonly json?: boolean;
}

const ASK_EVERY_MS = 300;
/** A data actor that has said nothing of an order by then will not. */
const BEGINS_WITHIN_MS = 10_000;
const MIB = 1024 * 1024;

/** Builds the command. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('compare the replicas of a volume, block by block, while it is in use')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .option('--volume <name>', 'which volume (default: the only one)')
    .option(
      '--level <how>',
      'direct: all of it is sent; digest: digests are; quick: metadata',
      'direct',
    )
    .option('--repair', 'write the primary’s copy of a block that differs over the other one')
    .option('--from <block>', 'begin at this block of 4 KiB: where an earlier one stopped', '0')
    .option('--rate <MiB>', 'MiB a second at most; 0 for no limit', '100')
    .option('--stop', 'end the verification that runs')
    .option('--name <node>', 'ask this node (default: the one that leads the volume)')
    .option('--data <folder>', 'ask the node whose folder this is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
It goes on when this command is interrupted; --stop ends it. Exit codes: 0 the replicas are equal,
or are now; 1 they differ, some blocks could not be read, or it was stopped or refused; 2 bad
input.`,
    )
    .action(async (file: string, options: VerifyOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: VerifyOptions): Promise<number> {
  const level = levelOf(options.level);
  const from = wholeNumber('--from', options.from);
  const bytesPerSecond = wholeNumber('--rate', options.rate) * MIB;
  const folders = foldersOf(file, options);
  const [volume, leader] = await primaryOf(folders, options.volume);
  const command =
    options.stop === true
      ? ({ kind: 'verify-stop', volume } as const)
      : ({
          kind: 'verify',
          volume,
          level,
          from,
          repair: options.repair === true,
          bytesPerSecond,
        } as const);
  const answer = await sendCommand(leader.folder, command);
  if (!answer.ok) {
    if (options.json) printJson({ volume, ...answer });
    else console.error(`Volume ${volume}: ${refusalText(answer.reason, answer.remedy)}.`);
    return EXIT_BROKEN;
  }
  if (options.stop === true) {
    if (options.json) printJson({ volume, stopped: true });
    else console.log(`The verification of ${volume} is stopped.`);
    return EXIT_OK;
  }
  const report = await follow(leader, volume, answer.verify ?? 0, options.json ?? false);
  const { node: primary, names } = leader.host;
  if (options.json) printJson({ ...report, primary, names });
  else console.log(verdictText(report, { primary, names }));
  return isSound(report) ? EXIT_OK : EXIT_BROKEN;
}

/** The volume that is meant, and the node of this machine that leads it. */
async function primaryOf(
  folders: readonly string[],
  name: string | undefined,
): Promise<readonly [string, Answering]> {
  const any = await findNode(folders);
  const { status, names } = (any as Answering).host;
  const known = status.volumes.map((each) => each.volume);
  const volume = theOne('volume', known, name);
  const primary = status.volumes.find((each) => each.volume === volume)?.primary;
  const leads = ({ status: own }: HostStatus) =>
    own.volumes.some((each) => each.volume === volume && each.primary === own.node);
  const leader = await findNode(folders, leads);
  if (leader !== null) return [volume, leader];
  const there = names[String(primary)];
  throw new InputError(
    `no node of this machine leads volume ${volume}`,
    there === undefined ? 'start its group first' : `run this on the machine of node ${there}`,
  );
}

/** Shows how far it is until it has ended. */
async function follow(
  { folder, host: { session } }: Answering,
  volume: string,
  id: number,
  quiet: boolean,
): Promise<VerifyReport> {
  let progress: ReturnType<typeof startProgress> | null = null;
  const heardBy = Date.now() + BEGINS_WITHIN_MS;
  try {
    for (;;) {
      const { status, session: now } = await fetchStatus(folder);
      const local = status.volumes.find((each) => each.volume === volume)?.local;
      const report = local?.verify;
      if (now !== session) throw lost(volume, 'the node has begun anew', 'order it once more');
      if ((report?.id ?? 0) > id) throw lost(volume, 'another one has begun', 'wait for that one');
      // The status may still tell of the one before.
      if (report?.id === id) {
        const { blocks, cursor, differing, state, reason } = report;
        if (state === 'done' || state === 'stopped') return report;
        progress ??= startProgress(`Comparing ${volume}`, blocks, quiet, 'blocks');
        const waits = state === 'paused' ? `waiting: ${term(language(), reason)}` : '';
        progress.update(cursor, waits || `${differing} differ`);
      } else if (Date.now() > heardBy) {
        throw lost(volume, 'the node says nothing of it', 'see understudy status');
      }
      await new Promise((wake) => setTimeout(wake, ASK_EVERY_MS));
    }
  } finally {
    progress?.stop();
  }
}

function lost(volume: string, why: string, remedy: string): InputError {
  return new InputError(`the verification of ${volume} is over: ${why}`, remedy);
}

function levelOf(text: string): VerifyLevel {
  if (text === 'direct' || text === 'digest' || text === 'quick') return text;
  throw new InputError(`--level ${text} is unknown`, 'use one of: direct, digest, quick');
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && value <= 2 ** 40) return value;
  throw new InputError(`${option} ${text} is no such number`, 'give a whole number from 0 on');
}
