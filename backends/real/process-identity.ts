/** Processes named so that a reused number is never taken for the one that had it before. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process id and when it started, in clock ticks since boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/** The identity of `pid` now, or null when there is no such process (or only its corpse). */
export function identify(pid: number): ProcessIdentity | null {
  const found = statOf(pid);
  return found === null ? null : { pid, start: found.start };
}

/** The same for a child of ours that may have ended, before it is buried. */
export function identifyChild(pid: number): ProcessIdentity | null {
  const found = statOf(pid, true);
  return found === null ? null : { pid, start: found.start };
}

function statOf(pid: number, corpses = false): { start: string; session: number } | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The command's name may hold spaces and brackets: fields begin after the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , , session] = fields;
  const start = fields[19];
  if (start === undefined) return null;
  if (!corpses && (state === 'Z' || state === 'X')) return null;
  return { start, session: Number(session) };
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return identify(process.pid) ?? { pid: process.pid, start: '' };
}

/** Whether that very process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.start === identity.start;
}

/** Signals that very process; nothing happens when it is gone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // It ended between the two calls.
  }
}

/**
 * All processes that carry `entry` ("NAME=value") in the environment they were started with, and
 * those in the session that `leader` led. Its number is not given to another process before the
 * session is empty; then a younger session may bear it, which its leader shows while it lives.
 */
export function processesWith(
  entry: string,
  leader: ProcessIdentity | null = null,
): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  const heir = leader === null ? null : identify(leader.pid);
  const session = heir === null || heir.start === leader?.start ? (leader?.pid ?? 0) : 0;
  const [name] = entry.split('=');
  for (const pid of processNumbers()) {
    const stat = statOf(pid);
    if (stat === null) continue;
    const mark = environmentOf(pid).find((each) => each.startsWith(`${name}=`));
    // One that bears another mark belongs to somebody else, whatever its session.
    const member = mark === undefined && session !== 0 && stat.session === session;
    if (mark === entry || member) found.push({ pid, start: stat.start });
  }
  return found;
}

function processNumbers(): number[] {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((pid) => pid !== process.pid);
}

/** Empty when it has gone, or is another user's. */
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

/** Reads what another process wrote as JSON; null when it is no identity. */
export function parseIdentity(value: unknown): ProcessIdentity | null {
  if (typeof value !== 'object' || value === null) return null;
  const { pid, start } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(pid) || typeof start !== 'string') return null;
  return { pid: pid as number, start };
}

/** Whether `word` is one of the words that `pid` was started with. */
export function wasStartedWith(pid: number, word: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word);
  } catch {
    return false;
  }
}
