/** Real hosts' processes on loopback in a folder of their own: started, watched, killed. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../../backends/real/api-client.ts';
import type { HostStatus } from '../../../backends/real/host-status.ts';
import {
  type ProcessIdentity,
  processesWith,
  signal,
} from '../../../backends/real/process-identity.ts';
import { type LoadedConfig, loadConfig } from '../../../cli/config/load.ts';
import { freePortRun, waitFor } from './hosts.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The command as people run it: a host's processes are compiled once, and start in a third. */
export const understudy: readonly string[] = [join(root, 'tools/understudy.mjs')];

/** Runs a short command; its exit code and what it said. */
export function runUnderstudy(...words: string[]): {
  code: number | null;
  out: string;
  err: string;
} {
  const ran = spawnSync(process.execPath, [...understudy, ...words], { encoding: 'utf8' });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

export interface ClusterOptions {
  readonly size: string;
  /** More words for `understudy init`. */
  readonly init?: readonly string[];
  /** Changes the configuration before anything starts. */
  readonly edit?: (yaml: string) => string;
  /** Words before the command that starts a node: where it is to run. */
  readonly on?: (name: string) => readonly string[];
}

export class TestCluster {
  readonly folder: string;
  readonly configPath: string;
  readonly loaded: LoadedConfig;
  #monitors = new Map<string, ChildProcess>();
  readonly #on: (name: string) => readonly string[];

  static async make({ size, init = [], edit, on }: ClusterOptions): Promise<TestCluster> {
    // Short, because Unix sockets have short paths.
    const folder = await mkdtemp(join(tmpdir(), 'us-'));
    const port = await freePortRun(10);
    const words = ['--size', size, '--port', String(port), ...init];
    const made = runUnderstudy('init', folder, ...words);
    if (made.code !== 0) throw new Error(`init failed: ${made.err}`);
    const path = join(folder, 'understudy.yaml');
    if (edit !== undefined) writeFileSync(path, edit(readFileSync(path, 'utf8')));
    return new TestCluster(folder, path, on ?? (() => []));
  }

  private constructor(folder: string, configPath: string, on: (name: string) => readonly string[]) {
    this.#on = on;
    this.folder = folder;
    this.configPath = configPath;
    this.loaded = loadConfig(configPath);
  }

  dataFolder(name: string): string {
    return join(this.folder, name);
  }
  logPath(name: string): string {
    return join(this.folder, `${name}.log`);
  }
  log(name: string): string {
    return existsSync(this.logPath(name)) ? readFileSync(this.logPath(name), 'utf8') : '';
  }
  replicaPath(name: string): string {
    return join(this.folder, name, 'data.img');
  }
  /** The volume's address on the host's Unix socket, which no network is between. */
  socketUri(name: string): string {
    const [volume] = this.loaded.config.volumes;
    const listen = volume?.nbd.find(({ node }) => node === this.id(name))?.listen ?? [];
    const path = listen.find((address) => address.startsWith('unix:'))?.slice('unix:'.length);
    return `nbd+unix:///${volume?.name}?socket=${path}`;
  }
  /** The volume's address on loopback TCP. */
  uri(name: string): string {
    const [volume] = this.loaded.config.volumes;
    const listen = volume?.nbd.find(({ node }) => node === this.id(name))?.listen ?? [];
    return `nbd://${listen.find((address) => !address.startsWith('unix:'))}/${volume?.name}`;
  }
  id(name: string): number {
    return this.loaded.config.nodes.find((node) => node.name === name)?.id ?? 0;
  }
  nameOf(id: number): string {
    return this.loaded.config.nodes.find((node) => node.id === id)?.name ?? '';
  }

  /** Runs `understudy NAME CONFIG WORDS` as people do, while this process goes on. */
  command(name: string, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise((resolve) => {
      const line = [...understudy, name, this.configPath, ...words];
      const child = execFile(process.execPath, line, (_, out, err) => {
        resolve({ code: child.exitCode ?? -1, out, err });
      });
    });
  }

  /** Starts a node in the background; its words go to its log. */
  start(name: string, configPath: string = this.configPath): ChildProcess {
    const log = openSync(this.logPath(name), 'a');
    appendFileSync(log, `--- start ${name}\n`);
    const node = [process.execPath, ...understudy, 'node', configPath, '--name', name];
    const [program = '', ...words] = [...this.#on(name), ...node];
    const child = spawn(program, words, { stdio: ['ignore', log, log], detached: true });
    this.#monitors.set(name, child);
    return child;
  }

  /** The node's account of itself, or null while none answers. */
  async status(name: string): Promise<HostStatus | null> {
    try {
      return await fetchStatus(this.dataFolder(name));
    } catch {
      return null;
    }
  }

  /** The node that serves the volume, or null. */
  async serving(): Promise<string | null> {
    for (const { name, witness } of this.loaded.config.nodes) {
      if (witness) continue;
      const status = await this.status(name);
      if (status?.volumes['data']?.['export'] === true && isPrimary(status)) return name;
    }
    return null;
  }

  async waitServing(limitMs = 60_000): Promise<string> {
    let found = '';
    await waitFor(
      'a node that serves the volume',
      async () => {
        found = (await this.serving()) ?? '';
        return found !== '';
      },
      limitMs,
    );
    return found;
  }

  /** So many replicas in sync, all connected, and nothing left to copy; who serves. */
  async waitHealthy(limitMs = 90_000, members = 2): Promise<string> {
    let serving = '';
    await waitFor(
      `${members} replicas in sync`,
      async () => {
        serving = (await this.serving()) ?? '';
        const status = serving === '' ? null : await this.status(serving);
        const volume = status?.status.volumes[0];
        const full = volume?.members.length === members && volume.local?.link === 'Connected';
        return full && volume?.local?.dirty === 0;
      },
      limitMs,
    );
    return serving;
  }

  /** Every process of a host: monitor, core, guardian, and its applications'. */
  async processes(name: string): Promise<ProcessIdentity[]> {
    const status = await this.status(name);
    if (status === null) throw new Error(`node ${name} does not answer`);
    const { monitor, core, guardian } = status.processes;
    const own = [monitor, core, guardian].flatMap((each) => (each === null ? [] : [each]));
    return [...own, ...this.applicationProcesses(name)];
  }

  applicationProcesses(name: string): ProcessIdentity[] {
    const path = join(this.dataFolder(name), 'applications', 'service.json');
    if (!existsSync(path)) return [];
    const { run } = JSON.parse(readFileSync(path, 'utf8')) as { run: string };
    return processesWith(`UNDERSTUDY_RUN=${run}`);
  }

  /** The processes of this cluster that were started with `word`. */
  processesSaying(word: string): number[] {
    return remaining(this.folder, word);
  }

  /** Ends every node, whatever state it is in, and forgets the folder unless `keep`. */
  async close(keep = false): Promise<void> {
    for (const { name } of this.loaded.config.nodes) {
      for (const found of await this.processes(name).catch(() => [])) signal(found, 'SIGKILL');
      this.#monitors.get(name)?.kill('SIGKILL');
    }
    // A core may have just started a monitor, or the other way round.
    await waitFor('all processes gone', () => {
      const left = remaining(this.folder);
      for (const pid of left) killIfThere(pid);
      return left.length === 0;
    });
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }
}

function isPrimary({ status }: HostStatus): boolean {
  return status.volumes.some(({ local }) => local?.role === 'Primary');
}

/** Processes that were started with a path in `folder`, and with `word`. */
function remaining(folder: string, word = ''): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return words.includes(`${folder}/`) && words.includes(word);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
