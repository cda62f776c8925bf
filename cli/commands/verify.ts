/** `understudy verify`: compares the replicas of a volume while it is in use. */
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
import type { VerifyLevel, VerifyReport } from '../../engine/data/messages.ts';
import { term } from '../../viewer/src/catalogue/catalogue.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import { language } from '../language.ts';
import {
  asksNode,
  findNode,
  foldersOf,
  leaderOf,
  type NodeOptions,
  refusalText,
} from '../nodes.ts';
import { startProgress } from '../rehearse/progress.ts';
import { isSound, verdictText } from '../verify-text.ts';
import { wholeNumber } from '../whole-number.ts';

interface VerifyOptions extends NodeOptions {
  readonly volume?: string;
  readonly level: string;
  readonly repair?: boolean;
  readonly from: string;
  readonly rate: string;
  readonly stop?: boolean;
  readonly resume?: boolean;
  readonly json?: boolean;
}

const ASK_EVERY_MS = 300;
/** A data actor that has said nothing of an order by then will not. */
const BEGINS_WITHIN_MS = 10_000;
/** One that is interrupted goes on elsewhere by then, or later and without this command. */
const GOES_ON_WITHIN_MS = 120_000;
const MIB = 1024 * 1024;
/** More blocks, and more MiB a second, than there ever are. */
const COUNT_MAX = 2 ** 40;

/** Builds the command. */
export function verifyCommand(): Command {
  const command = new Command('verify')
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
    .option('--resume', 'go on where the last one was stopped or interrupted, as it was ordered');
  return asksNode(command, 'the one that leads the volume')
    .addHelpText(
      'after',
      `
It goes on when this command is interrupted, and on another node when the group moves there; --stop
ends it. Exit codes: 0 the replicas are equal, or are now; 1 they differ, some blocks could not be
read, or it was stopped or refused; 2 bad input.`,
    )
    .action(async (file: string, options: VerifyOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: VerifyOptions): Promise<number> {
  const level = levelOf(options.level);
  const from = wholeNumber('--from', options.from, 0, COUNT_MAX);
  const bytesPerSecond = wholeNumber('--rate', options.rate, 0, COUNT_MAX) * MIB;
  const folders = foldersOf(file, options);
  const named = options.volume === undefined ? [] : [options.volume];
  const { volumes, leader } = await leaderOf(folders, named);
  const volume = volumes[0] as string;
  const repair = options.repair === true;
  const order = { kind: 'verify', volume, level, from, repair, bytesPerSecond } as const;
  const others = { stop: 'verify-stop', resume: 'verify-resume' } as const;
  const other = options.stop ? others.stop : options.resume ? others.resume : null;
  const command = other === null ? order : ({ kind: other, volume } as const);
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
  // Who leads it may change on the way.
  const all = options.data === undefined ? foldersOf(file, {}) : folders;
  const told = await follow(all, volume, answer.verify ?? 0, options.json ?? false);
  const { node: primary, names } = told.host;
  if (options.json) printJson({ ...told.report, primary, names });
  else {
    const parts = told.host.parts?.[told.report.volume];
    console.log(verdictText(told.report, { primary, names, ...(parts && { parts }) }));
  }
  return isSound(told.report) ? EXIT_OK : EXIT_BROKEN;
}

/** Shows how far it is until it has ended, on whichever node it goes on. */
async function follow(
  folders: readonly string[],
  volume: string,
  id: number,
  quiet: boolean,
): Promise<Told> {
  let progress: ReturnType<typeof startProgress> | null = null;
  let [known, heardAt] = [false, Date.now()];
  try {
    for (;;) {
      const { told, other } = await reportOf(folders, volume, id);
      if (other && known) throw lost(volume, 'another one has begun', 'wait for that one');
      if (told !== null) {
        const { blocks, cursor, differing, state, reason } = told.report;
        if (state === 'done' || state === 'stopped') return told;
        [known, heardAt] = [true, Date.now()];
        progress ??= startProgress(`Comparing ${volume}`, blocks, quiet, 'blocks');
        const waits = state === 'paused' ? `waiting: ${term(language(), reason)}` : '';
        progress.update(cursor, waits || `${differing} differ`);
      } else if (Date.now() - heardAt > (known ? GOES_ON_WITHIN_MS : BEGINS_WITHIN_MS)) {
        throw known
          ? lost(volume, 'no node of this machine says how far it is', 'verify --resume later')
          : lost(volume, 'the node says nothing of it', 'see understudy status');
      }
      await new Promise((wake) => setTimeout(wake, ASK_EVERY_MS));
    }
  } finally {
    progress?.stop();
  }
}

interface Told {
  readonly host: HostStatus;
  readonly report: VerifyReport;
}

/**
 * What the node that is at it, or has ended it, says, null where none is or has; and whether one is
 * at another one.
 */
async function reportOf(
  folders: readonly string[],
  volume: string,
  id: number,
): Promise<{ readonly told: Told | null; readonly other: boolean }> {
  let told: Told | null = null;
  let other = false;
  const look = (host: HostStatus): boolean => {
    const local = host.status.volumes.find((each) => each.volume === volume)?.local;
    const report = local?.verify;
    if (report === undefined) return false;
    const { state, reason, level } = report;
    if (report.id !== id) other ||= state === 'running' && level !== 'quick';
    // What was interrupted here goes on elsewhere.
    else if (state !== 'stopped' || reason === 'order' || level === 'quick') {
      told = { host, report };
    }
    return told !== null;
  };
  // A node that leads may be away for a moment.
  await findNode(folders, look).catch(() => null);
  return { told, other };
}

function lost(volume: string, why: string, remedy: string): InputError {
  return new InputError(`the verification of ${volume} is over: ${why}`, remedy);
}

function levelOf(text: string): VerifyLevel {
  if (text === 'direct' || text === 'digest' || text === 'quick') return text;
  throw new InputError(`--level ${text} is unknown`, 'use one of: direct, digest, quick');
}
