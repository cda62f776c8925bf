/**
 * The command line compiled to JavaScript in `.build/`, for processes that run for months: without
 * a compiler in them they take half the memory and start in a third of the time. Made when it is
 * missing or older than its sources; everything else runs the sources as they are.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './launcher.mjs';

const folder = join(root, '.build');
const sources = ['engine', 'backends', 'scenarios', 'cli', 'viewer/src/catalogue'];

/**
 * The URL of the compiled command line. Where it is missing or old it is compiled now (exits with a
 * remedy if that fails), or with `asIs` the answer is null: a command that only looks must not
 * replace the files of a daemon that runs.
 */
export function compiledCommand({ asIs = false } = {}) {
  const entry = join(folder, 'cli', 'understudy.js');
  if (!existsSync(entry) || statSync(entry).mtimeMs < newestSource()) {
    if (asIs) return null;
    compile();
  }
  return pathToFileURL(entry).href;
}

function newestSource() {
  let newest = statSync(join(root, 'tsconfig.build.json')).mtimeMs;
  for (const source of sources) {
    const entries = readdirSync(join(root, source), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
    }
  }
  return newest;
}

function compile() {
  console.error('Compiling the daemon (a few seconds, only after a change).');
  const fresh = `${folder}.${process.pid}`;
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    console.error('The daemon could not be compiled. Nothing was started. Remedy: npm ci.');
    process.exit(1);
  }
  // What the program finds relative to itself: its manifest, and the addon.
  symlinkSync('../package.json', join(fresh, 'package.json'));
  mkdirSync(join(fresh, 'native'), { recursive: true });
  symlinkSync('../../native/build', join(fresh, 'native', 'build'));
  // Hosts of one machine may start at the same time: whoever is last wins, and all are equal.
  const old = `${fresh}.old`;
  try {
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(fresh, folder);
  } catch (error) {
    if (!existsSync(join(folder, 'cli', 'understudy.js'))) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}
