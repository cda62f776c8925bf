/** Our own two hosts and witness for a benchmark, started exactly as README says. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

/** Starts a mirror of two replicas in `folder` and waits until both are in sync and served. */
export async function startOurs(folder: string, size: string): Promise<Running> {
  const port = await freePorts(9);
  const home = join(folder, 'ours');
  await run(process.execPath, [...source, 'init', home, '--size', size, '--port', String(port)]);
  const config = join(home, 'understudy.yaml');
  const children = ['a', 'b', 'w'].map((name) => {
    return start(process.execPath, [...source, 'node', config, '--name', name]);
  });
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
    stop: () => stopAll(children),
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
