/**
 * Builds the native addon and the guardian with the system's C++ compiler, and nothing else: no
 * header download, no Python. It never fails an install: without a compiler, or on a system other
 * than Linux, it says so in one line and exits 0, because simulation and viewer work without the
 * addon. UNDERSTUDY_REQUIRE_NATIVE=1 makes that fatal, and warnings too (a newer compiler's new
 * warning must not break a user's install). UNDERSTUDY_SANITIZE=1 builds the Address- and
 * UndefinedBehaviorSanitizer variant into native/build/sanitized/.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, 'src');
const required = process.env.UNDERSTUDY_REQUIRE_NATIVE === '1';
const sanitize = process.env.UNDERSTUDY_SANITIZE === '1';
const force = process.argv.includes('--force');
const output = sanitize ? join(here, 'build', 'sanitized') : join(here, 'build');

/** Compiler processes at a time. */
const JOBS = 2;

process.exitCode = await build();

async function build() {
  if (process.platform !== 'linux') return without(`it is for Linux, this is ${process.platform}`);
  const headers = includeFolders();
  if (headers === undefined) return without('node-addon-api or node-api-headers is not installed');
  const compiler = findCompiler();
  if (compiler === undefined) return without('no C++ compiler (c++, g++ or clang++) was found');

  const common = [
    '-std=c++20',
    '-O2',
    '-g1',
    '-Wall',
    '-Wextra',
    '-fno-strict-aliasing',
    '-pthread',
  ];
  if (required || sanitize) common.push('-Werror');
  if (sanitize)
    common.push(
      '-fsanitize=address,undefined',
      '-fno-omit-frame-pointer',
      '-fno-sanitize-recover=undefined',
    );
  const addonFlags = [
    ...common,
    '-fPIC',
    '-fvisibility=hidden',
    '-DNAPI_VERSION=9',
    '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
    ...headers.flatMap((folder) => ['-isystem', folder]),
  ];

  // Warnings as errors change nothing in the result.
  const stamp = fingerprint([compiler.version, ...addonFlags.filter((word) => word !== '-Werror')]);
  const stampFile = join(output, 'stamp');
  const addon = join(output, 'understudy.node');
  const guardian = join(output, 'understudy-guardian');
  const fresh = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
  if (!force && fresh && existsSync(addon) && existsSync(guardian)) return 0;

  // Another build may run in the same checkout: each works in a folder of its own, then renames.
  const work = join(output, `work-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const units = readdirSync(sources)
      .filter((name) => name.endsWith('.cc') && name !== 'guardian.cc')
      .sort();
    const objects = units.map((name) => join(work, name.replace(/\.cc$/, '.o')));
    const commands = units.map((name, i) => [
      ...addonFlags,
      '-c',
      join(sources, name),
      '-o',
      objects[i],
    ]);
    commands.push([
      ...common,
      join(sources, 'guardian.cc'),
      '-o',
      join(work, 'understudy-guardian'),
    ]);
    if (!(await runAll(compiler.command, commands)))
      return without('the compiler reported the errors above');
    const link = [
      ...common,
      '-shared',
      '-Wl,-z,defs,--unresolved-symbols=ignore-all',
      // A thread may still be in a call on a spill file when a Worker lets go of the addon.
      '-Wl,-z,nodelete',
      ...objects,
      '-o',
      join(work, 'understudy.node'),
    ];
    if (!(await runAll(compiler.command, [link])))
      return without('the linker reported the errors above');
    renameSync(join(work, 'understudy.node'), addon);
    renameSync(join(work, 'understudy-guardian'), guardian);
    writeFileSync(stampFile, stamp);
    return 0;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Says in one line what the reader has to do without; the exit code this then means. */
function without(reason) {
  const line = 'the simulation works without it; real disks do not.';
  console.error(`The native addon was not built (${reason}): ${line}`);
  return required ? 1 : 0;
}

function includeFolders() {
  const require = createRequire(import.meta.url);
  try {
    const napi = require('node-api-headers').include_dir;
    const wrapper = dirname(require.resolve('node-addon-api/package.json'));
    return [napi, wrapper];
  } catch {
    return undefined;
  }
}

function findCompiler() {
  const wanted = process.env.CXX === undefined ? ['c++', 'g++', 'clang++'] : [process.env.CXX];
  for (const command of wanted) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { command, version: stdout };
  }
  return undefined;
}

/** Everything that the result depends on. */
function fingerprint(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  for (const name of readdirSync(sources).sort()) {
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(join(sources, name)));
  }
  return hash.digest('hex');
}

/** Runs the compiler once per argument list, {@link JOBS} at a time; false as soon as one fails. */
async function runAll(command, lists) {
  const waiting = [...lists];
  let good = true;
  const worker = async () => {
    for (let args = waiting.shift(); args !== undefined && good; args = waiting.shift()) {
      if (!(await run(command, args))) good = false;
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  return good;
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}
