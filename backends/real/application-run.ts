/**
 * One run of an application: the processes that its start command brought up. They are children of
 * none of ours, so that monitor and core can die and come back without touching the service. What
 * is needed to find them again stands in a file before the command starts.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { BootId, Epoch, Micros } from '../../engine/core/units.ts';
import { systemCode } from './failure.ts';
import {
  identify,
  identifyChild,
  isAlive,
  type ProcessIdentity,
  processesWith,
  signal,
} from './process-identity.ts';

/** What a restarted monitor has to know. */
export interface RunRecord {
  readonly group: string;
  /** Names the run in the environment of its processes. */
  readonly run: string;
  /** The life of the host in which it began: after a power loss nothing of it is left. */
  readonly boot: BootId;
  readonly epoch: Epoch;
  readonly until: Micros;
  /** Whether it was seen to work since it started. */
  readonly running: boolean;
  /** The shell that waits for the command, null until it is known. */
  readonly shell: ProcessIdentity | null;
  /** The leader of its session, which has ended since; null until it is known. */
  readonly session: ProcessIdentity | null;
  /** By what its processes are found when its name is not known. */
  readonly mark?: string;
}

/** What a start brought up. */
export type Launched = Pick<RunRecord, 'shell' | 'session'>;

/** Where an application's files and processes live. */
export interface RunPlace {
  /** Folder for records and output. */
  readonly folder: string;
  /** Working folder of commands. */
  readonly workFolder: string;
  readonly node: string;
}

/** The exit code of a command that we ended, or that a signal did. */
export const COMMAND_CUT = -1;

/** The name of the variable by which a run's processes are found. */
const RUN_VARIABLE = 'UNDERSTUDY_RUN';
/** And of the one by which all runs of an application on this host are found. */
const RECORD_VARIABLE = 'UNDERSTUDY_RECORD';

/** A run that is about to begin. */
export function newRun(group: string, boot: BootId, epoch: Epoch, until: Micros): RunRecord {
  return {
    group,
    run: randomUUID(),
    boot,
    epoch,
    until,
    running: false,
    shell: null,
    session: null,
  };
}

function recordPath({ folder }: RunPlace, group: string): string {
  return join(folder, `${group}.json`);
}

/** Durable before it returns. */
export function writeRun(place: RunPlace, record: RunRecord): void {
  const path = recordPath(place, record.group);
  const file = openSync(`${path}.new`, 'w', 0o600);
  writeSync(file, JSON.stringify(record));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/**
 * The record left by an earlier monitor of this boot, or null when it left none. One that cannot be
 * read says that something may run: a record that has no right to, and is found by the record's
 * name.
 */
export function readRun(place: RunPlace, group: string, boot: BootId): RunRecord | null {
  const path = recordPath(place, group);
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Partial<RunRecord>;
    const { run, epoch, until } = record;
    if (typeof run === 'string' && Number.isFinite(epoch) && Number.isFinite(until)) {
      return record.boot === boot ? (record as RunRecord) : null;
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
  }
  return { ...newRun(group, boot, 0, 0), mark: `${RECORD_VARIABLE}=${path}` };
}

/** Forgets a run whose processes are proved gone. */
export function removeRun(place: RunPlace, group: string): void {
  rmSync(recordPath(place, group), { force: true });
}

/**
 * Starts `command` for `record` and resolves to the shell that waits for it. The shell is nobody's
 * child: its parent, which led a session of its own, has ended by then. The shell notes the
 * command's exit code in a file.
 */
export function launch(place: RunPlace, record: RunRecord, command: string): Promise<Launched> {
  const script = '( /bin/sh -c "$0"; echo $? > "$2" ) < /dev/null >> "$1" 2>&1 & echo $!';
  const exit = exitPath(place, record);
  const child = spawn('/bin/sh', ['-c', script, command, outputPath(place, record.group), exit], {
    cwd: place.workFolder,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: environmentOf(place, record),
  });
  // At once, before it is buried: it leads the session, and ends as soon as it has said who runs.
  const session = child.pid === undefined ? null : identifyChild(child.pid);
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
    });
    child.on('error', reject);
    child.on('close', () => {
      // One that has ended already left its exit code instead.
      resolve({ shell: identify(Number(said)), session });
    });
  });
}

/**
 * Runs a short command for a run; resolves to its exit code, {@link COMMAND_CUT} when we
 * ended it: after `limitMs`, or when `abort` says so.
 */
export function runCommand(
  place: RunPlace,
  record: RunRecord,
  command: string,
  limitMs: number,
  abort: AbortSignal,
): Promise<number> {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: place.workFolder,
    detached: true,
    stdio: 'ignore',
    // A check or stop command is no part of the run that it looks after.
    env: { ...environmentOf(place, record), [RUN_VARIABLE]: '', [RECORD_VARIABLE]: '' },
  });
  return new Promise((resolve) => {
    const giveUp = (): void => {
      if (child.pid !== undefined) killGroup(child.pid);
      end(COMMAND_CUT);
    };
    const limit = setTimeout(giveUp, limitMs);
    const end = (code: number | null): void => {
      clearTimeout(limit);
      abort.removeEventListener('abort', giveUp);
      resolve(code ?? COMMAND_CUT);
    };
    abort.addEventListener('abort', giveUp);
    // Its exit, not the end of its output: a command may leave something in the background.
    child.on('exit', end);
    child.on('error', () => end(COMMAND_CUT));
  });
}

/** The command's exit code, or null while it runs (or when nobody could note it). */
export function exitCode(place: RunPlace, record: RunRecord): number | null {
  try {
    const code = Number.parseInt(readFileSync(exitPath(place, record), 'utf8'), 10);
    return Number.isNaN(code) ? null : code;
  } catch {
    return null;
  }
}

/** Whether the start command itself still runs. */
export function commandRuns(record: RunRecord): boolean {
  return record.shell !== null && isAlive(record.shell);
}

/**
 * Every process of the run that gives itself away: by the environment that it inherited, or by the
 * session in which it was started. One that left both behind shows in the check only, so that an
 * empty list alone is no proof of a stop.
 */
export function processesOf(record: RunRecord): ProcessIdentity[] {
  return processesWith(record.mark ?? `${RUN_VARIABLE}=${record.run}`, record.session);
}

/** Signals every process of the run. */
export function signalRun(record: RunRecord, name: NodeJS.Signals): void {
  for (const process_ of processesOf(record)) signal(process_, name);
}

/** Removes what a finished run left. */
export function removeExit(place: RunPlace, record: RunRecord): void {
  rmSync(exitPath(place, record), { force: true });
}

function exitPath({ folder }: RunPlace, { group, run }: RunRecord): string {
  return join(folder, `${group}.${run}.exit`);
}

function outputPath({ folder }: RunPlace, group: string): string {
  return join(folder, `${group}.log`);
}

function environmentOf(place: RunPlace, record: RunRecord): NodeJS.ProcessEnv {
  return {
    ...process.env,
    UNDERSTUDY_GROUP: record.group,
    UNDERSTUDY_NODE: place.node,
    UNDERSTUDY_EPOCH: String(record.epoch),
    [RUN_VARIABLE]: record.run,
    [RECORD_VARIABLE]: recordPath(place, record.group),
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // The group has no members any more.
  }
}
