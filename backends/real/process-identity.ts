/** Processes named so that a reused number is never taken for the one that had it before. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process id and when it started, in clock ticks since boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/** The identity of `pid` now, or null when there is no such process (or only its corpse). */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The command's name may hold spaces and brackets: fields begin after the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const start = fields[19];
  return state === 'Z' || state === 'X' || start === undefined ? null : { pid, start };
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

/** All processes that carry `entry` ("NAME=value") in the environment they were started with. */
export function processesWith(entry: string): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
      if (!environment.split('\0').includes(entry)) continue;
    } catch {
      // Gone, or another user's: then it is not ours.
      continue;
    }
    const identity = identify(Number(name));
    if (identity !== null) found.push(identity);
  }
  return found;
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
