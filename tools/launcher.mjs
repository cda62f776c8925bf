/**
 * What every entry of this checkout does first: see that Node is new enough and the dependencies
 * are there, then hand over to a child process. Plain JavaScript on Node's own modules, because it
 * runs before anything is installed. It writes to standard error only: standard output belongs to
 * the program that it starts, which may print JSON there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The checkout's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const lowestNode = [20, 19];

/** Ends the process with a remedy when this Node cannot run the sources. */
export function requireNode(version = process.versions.node) {
  if (isNodeSupported(version)) return;
  console.error(`Understudy needs Node ${lowestNode.join('.')} or newer; this is ${version}.`);
  console.error('Install a newer Node and run the same command again.');
  process.exit(1);
}

/** Whether a Node of this version can run the sources. */
export function isNodeSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > lowestNode[0] || (major === lowestNode[0] && minor >= lowestNode[1]);
}

/**
 * Runs `npm ci` when a package in `packages` is not installed, or, unless `keepStale`, when the
 * lock file has changed since the last installation. A production host keeps stale packages:
 * a status command must not replace the files of a daemon that runs.
 */
export function ensureDependencies(packages, { keepStale = false } = {}) {
  const absent = packages.some((name) => !existsSync(join(root, 'node_modules', name)));
  if (!absent && (keepStale || !isLockNewer())) return;
  const why = absent ? 'not installed yet' : 'older than package-lock.json';
  console.error(`Dependencies are ${why}: running npm ci (well under a minute, only once).`);
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', process.stderr, process.stderr] };
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, options);
  if (status === 0) return;
  console.error(`npm ci failed${error ? `: ${error.message}` : ''}. Nothing was started.`);
  process.exit(status || 1);
}

/** npm rewrites its hidden lock at the end of every installation: that file is the stamp. */
function isLockNewer() {
  const stamp = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(stamp)) return true;
  return statSync(join(root, 'package-lock.json')).mtimeMs > statSync(stamp).mtimeMs;
}

/** Runs a TypeScript file of this checkout in the caller's folder; resolves to its exit code. */
export function runSource(file, args, options = {}) {
  const tsx = pathToFileURL(join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const environment = { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') };
  return run(process.execPath, ['--import', tsx, join(root, file), ...args], {
    ...options,
    env: environment,
  });
}

/** Runs the command of an installed package, in the checkout's root. */
export function runTool(entry, args, options = {}) {
  return run(process.execPath, [join(root, 'node_modules', entry), ...args], {
    cwd: root,
    ...options,
  });
}

/**
 * Runs a command with our standard streams and resolves to its exit code. Signals go on to the
 * child, so that whoever stops us stops the program itself; a child that died by a signal makes us
 * die by the same one, so that a supervisor sees the truth.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    let child;
    // Before the child begins: it may say that it is ready before we run again, and whoever reads
    // that may send a signal at once. A terminal sends Ctrl-C to the whole foreground group: the
    // child has it already, and a second one would read as impatience.
    const forwards = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
      const forward = () => {
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      };
      process.on(signal, forward);
      return [signal, forward];
    });
    child = spawn(command, args, { stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const [name, forward] of forwards) process.off(name, forward);
      if (signal === null) return resolve(code);
      process.kill(process.pid, signal);
    });
  });
}
