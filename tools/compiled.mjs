/**
 * The command line compiled to JavaScript in `.build/`, for processes that run for months: without
 * a compiler in them they take half the memory and start in a third of the time. Each state of the
 * sources has a folder of its own that is never written again, so that neither a second host that
 * starts at the same time nor a later change pulls files from under a process that runs.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './launcher.mjs';

const builds = join(root, '.build');
const sources = ['engine', 'backends', 'scenarios', 'cli', 'viewer/src/catalogue'];
/** Folders that are kept: a host started some changes ago restarts its core from its own. */
const KEPT = 8;

/**
 * The URL of the compiled command line. Where this state of the sources was not compiled yet it is
 * now (exits with a remedy if that fails), or with `asIs` the answer is null.
 */
export function compiledCommand({ asIs = false } = {}) {
  const folder = join(builds, fingerprint());
  const entry = join(folder, 'cli', 'understudy.js');
  if (!existsSync(entry)) {
    if (asIs) return null;
    compile(folder);
  }
  if (!asIs) utimesSync(folder, new Date(), new Date());
  return pathToFileURL(entry).href;
}

/** Names the state of the sources: paths, sizes and times of change. */
function fingerprint() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  add(join(root, 'tsconfig.build.json'));
  for (const source of sources) {
    const entries = readdirSync(join(root, source), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) add(path);
  }
  return hash.digest('hex').slice(0, 16);
}

function compile(folder) {
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
  // Which engine it is, by the sources that are there no more.
  const hash = pathToFileURL(join(fresh, 'backends', 'real', 'engine-hash.js')).href;
  const note = `import { writeFileSync } from 'node:fs';
    import { HASH_FILE, hashOfSources } from ${JSON.stringify(hash)};
    const [, from, to] = process.argv;
    writeFileSync(to + '/' + HASH_FILE, hashOfSources(from));`;
  const folders = [join(root, 'engine'), join(fresh, 'engine')];
  const noted = spawnSync(process.execPath, ['--input-type=module', '-e', note, ...folders], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (noted.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    process.exit(1);
  }
  // What the program finds relative to itself: its manifest, and the addon.
  symlinkSync('../../package.json', join(fresh, 'package.json'));
  mkdirSync(join(fresh, 'native'), { recursive: true });
  symlinkSync('../../../native/build', join(fresh, 'native', 'build'));
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another host was quicker, and compiled the same.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(join(folder, 'cli', 'understudy.js'))) throw error;
  }
  prune();
}

/** Removes the folders that were used least recently. */
function prune() {
  const folders = readdirSync(builds).map((name) => join(builds, name));
  const byAge = folders.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of byAge.slice(KEPT)) rmSync(old, { recursive: true, force: true });
}
