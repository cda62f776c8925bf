/**
 * A campaign's thread as one script. Sources run as many modules otherwise, each translated by
 * itself and with a call for every function that keeps its name, and a campaign takes longer so,
 * most of all at its beginning. What it does is the same, by its trace hash. Where it throws, the
 * stack names functions; their lines are those of the script.
 */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';

const made = new Map<string, string>();
/**
 * Engines whose thresholds these are: what has two compilers (from 12 on, three) is left alone, and
 * what a flag is called there is not certain either.
 */
const V8_KNOWN = 11;
/**
 * Of 2,000 runs a tenth of the processor time went to compilers, and not only at the beginning. So
 * everything gets simple machine code at once, and the optimiser waits twice as long: by then it
 * has seen more of what it relies on.
 */
const FLAGS = ['--always-sparkplug', '--interrupt-budget=135000'];
let tuned = false;

/** Starts a thread on the module at `entry`, with all that it imports in one script. */
export function startBundled(entry: URL): Worker {
  tune();
  const code = made.get(entry.href) ?? bundle(fileURLToPath(entry));
  made.set(entry.href, code);
  return new Worker(code, { eval: true });
}

function tune(): void {
  if (tuned) return;
  tuned = true;
  if (Number.parseInt(process.versions.v8, 10) !== V8_KNOWN) return;
  for (const flag of FLAGS) setFlagsFromString(flag);
}

function bundle(path: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [path],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('');
}
