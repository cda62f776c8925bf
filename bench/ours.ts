/** Our own two hosts and witness for a benchmark, started exactly as README says. */
import { type ChildProcess, execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts, type Running, start, stopAll, waitFor } from './process.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const source = [join(root, 'tools', 'understudy.mjs')];

/** The part of `status --json` that is read here. */
interface Status {
  readonly status?: {
    readonly volumes: readonly {
      readonly members: readonly unknown[];
      readonly local: { readonly role: string } | null;
    }[];
  };
}

/** Our mirror while it runs: hosts `a` and `b`, and a witness. */
export interface OurPair extends Running {
  /** The host that serves the volume, and the other one. */
  readonly serving: string;
  readonly other: string;
  /** The folder of the cluster; each host's own lies in it under its name. */
  readonly home: string;
  /** Ends all processes of a host, or starts it again. */
  stopHost(name: string): Promise<void>;
  startHost(name: string): void;
  /** Kills all processes of a host at once, as a loss of power would. */
  crashHost(name: string): Promise<void>;
  /** Waits until so many replicas are in sync, by the word of a host: the serving one. */
  inSync(members: number, seconds: number, name?: string): Promise<void>;
}

/**
 * Starts a mirror of two replicas in `folder` and waits until both are in sync and served. `hotMiB`
 * takes the place of the configuration's largest hot set; `init` are more words for `init`.
 */
export async function startOurs(
  folder: string,
  size: string,
  hotMiB = 0,
  init: readonly string[] = [],
): Promise<OurPair> {
  const port = await freePorts(9);
  const home = join(folder, 'ours');
  const words = ['init', home, '--size', size, '--port', String(port), ...init];
  await run(process.execPath, [...source, ...words]);
  const config = join(home, 'understudy.yaml');
  if (hotMiB > 0) {
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace(/activityLog: \w+/, `activityLog: ${hotMiB}MiB`));
  }
  const startHost = (name: string): ChildProcess => {
    return start(process.execPath, [...source, 'node', config, '--name', name]);
  };
  const hosts = new Map(['a', 'b', 'w'].map((name) => [name, startHost(name)]));
  const children = [...hosts.values()];
  let serving = '';
  await waitFor(
    'both replicas in sync and one serving',
    async () => {
      for (const name of ['a', 'b']) {
        const status = await statusOf(config, name);
        const volume = status?.status?.volumes[0];
        if (volume?.local?.role === 'Primary' && volume.members.length === 2) serving = name;
      }
      return serving !== '';
    },
    40,
  );
  const socket = join(home, serving, 'data.nbd');
  return {
    uri: `nbd+unix:///?socket=${socket}`,
    pids: children.flatMap((child) => familyOf(child.pid as number)),
    serving,
    other: serving === 'a' ? 'b' : 'a',
    home,
    stop: () => stopAll([...hosts.values()]),
    stopHost: (name) => stopAll([hosts.get(name) as ChildProcess]),
    crashHost: async (name) => {
      const host = hosts.get(name) as ChildProcess;
      // Frozen first: they start each other anew.
      for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
        for (const pid of familyOf(host.pid as number)) process.kill(pid, signal);
      }
      await stopAll([host]);
    },
    startHost: (name) => void hosts.set(name, startHost(name)),
    inSync: (members, seconds, name = serving) => {
      const reached = async (): Promise<boolean> => {
        const status = await statusOf(config, name);
        return status?.status?.volumes[0]?.members.length === members;
      };
      return waitFor(`${members} replicas in sync`, reached, seconds);
    },
  };
}

async function statusOf(config: string, name: string): Promise<Status | null> {
  try {
    const args = [...source, 'status', config, '--name', name, '--json'];
    const { stdout } = await run(process.execPath, args);
    return JSON.parse(stdout) as Status;
  } catch {
    return null;
  }
}

/** A process and all its descendants, from /proc. */
export function familyOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const numbers = children === '' ? [] : children.split(' ').map(Number);
    return [pid, ...numbers.flatMap(familyOf)];
  } catch {
    return [];
  }
}

/** Highest resident memory so far of a process, in MiB (VmHWM). 0 when it is gone. */
export function peakMemoryMiB(pid: number): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? 0 : Number(match[1]) / 1024;
  } catch {
    return 0;
  }
}
