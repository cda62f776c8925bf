/** Starts other processes and threads of this host: the same program, another entry. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { HostError } from './failure.ts';

/** Whether we run as the sources that we are, and not compiled to JavaScript. */
const isSource = import.meta.url.endsWith('.ts');

/** A module beside this one by its path (`./core-main.ts`), in the form that this one has. */
function siblingUrl(path: string): URL {
  return asRun(new URL(path, import.meta.url));
}

/** A module by its source's address, in the form that this one has. */
function asRun(source: URL): URL {
  return isSource ? source : new URL(source.href.replace(/\.ts$/, '.js'));
}

function tsxUrl(part: string): string {
  const manifest = createRequire(import.meta.url).resolve('tsx/package.json');
  return pathToFileURL(join(dirname(manifest), 'dist', part)).href;
}

/** Starts a thread on the module at `path`. */
export function startWorker(path: string): Worker {
  return startThread(siblingUrl(path));
}

/** Starts a thread on the module at `entry`, which is source or compiled as this one is. */
export function startThread(entry: URL, workerData: object = {}): Worker {
  if (!isSource) return new Worker(entry, { workerData, trackUnmanagedFds: false });
  // Node's `--import tsx` reaches the main thread only; a Worker has to ask for it by itself.
  const [api, module] = [tsxUrl('esm/api/index.mjs'), entry.href].map((url) => JSON.stringify(url));
  const code = `import(${api}).then(({ register }) => { register(); return import(${module}); })`;
  return new Worker(code, { eval: true, workerData, trackUnmanagedFds: false });
}

/**
 * Starts the entry at `path` as the leader of a session of its own, so that neither a
 * terminal's Ctrl-C nor our own death takes it along. It shares our standard error.
 */
export function spawnEntry(path: string, folder: string): ChildProcess {
  return spawnNode(path, [folder], 'ignore');
}

/** What a spare is started with, behind its folder. */
export const SPARE = '--spare';

/**
 * Starts the entry at `path` as a spare: it loads itself, touches nothing, and waits for
 * {@link wakeSpare}. It ends when we do, for its order can come from nobody else.
 */
export function spawnSpare(path: string, folder: string): ChildProcess {
  const child = spawnNode(path, [folder, SPARE], 'pipe');
  // A spare that died is seen as that; what was said to it does not matter.
  child.stdin?.on('error', () => undefined);
  return child;
}

/** Orders a spare to begin; false when it is gone. */
export function wakeSpare(spare: ChildProcess): boolean {
  if (spare.exitCode !== null || spare.signalCode !== null || spare.stdin === null) return false;
  spare.stdin.end('go\n');
  return true;
}

/** In a spare: whether it was ordered to begin, or whoever could order it is gone. */
export function ordered(): Promise<boolean> {
  const { stdin } = process;
  return new Promise((resolve) => {
    stdin.once('data', () => {
      stdin.destroy();
      resolve(true);
    });
    stdin.once('close', () => resolve(false));
    stdin.on('error', () => resolve(false));
    stdin.once('end', () => resolve(false));
  });
}

/** A host is small beside what it serves: a fifth less memory, at no measured cost in speed. */
const SMALL = ['--max-semi-space-size=4', '--optimize-for-size'];

/** How this program is run at `entry`, which is source or compiled as this one is. */
function lineOf(entry: URL, words: readonly string[]): string[] {
  const loader = isSource ? ['--import', tsxUrl('loader.mjs')] : [];
  return [...SMALL, ...loader, fileURLToPath(entry), ...words];
}

function spawnNode(path: string, words: readonly string[], stdin: 'ignore' | 'pipe'): ChildProcess {
  const child = spawn(process.execPath, lineOf(siblingUrl(path), words), {
    detached: true,
    stdio: [stdin, 'ignore', 'inherit'],
  });
  child.unref();
  return child;
}

/** In bytes: what a process that we wait for may say. */
const OUTPUT_MAX = 64 * 1024 * 1024;

/**
 * Runs the entry whose source is at `entry` to its end and waits for it: its exit code, and what it
 * said on standard output. What it needed to be loaded is gone with it. It shares our standard
 * error.
 */
export function runEntry(entry: URL, words: readonly string[]): { code: number; out: string } {
  const { status, signal, stdout, error } = spawnSync(
    process.execPath,
    lineOf(asRun(entry), words),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: OUTPUT_MAX,
    },
  );
  if (error !== undefined || status === null) {
    throw new HostError(
      `a process of this program could not do its work (${error?.message ?? signal})`,
      'see whether this machine has memory and processes left, and try again',
    );
  }
  return { code: status, out: stdout };
}
