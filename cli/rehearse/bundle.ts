/**
 * A campaign's thread as one script. Sources run as many modules otherwise, each translated by
 * itself and with a call for every function that keeps its name, and a campaign takes longer so,
 * most of all at its beginning. What it does is the same, by its trace hash. Where it throws, the
 * stack names functions; their lines are those of the script.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';

const made = new Map<string, string>();

/** Starts a thread on the module at `entry`, with all that it imports in one script. */
export function startBundled(entry: URL): Worker {
  const code = made.get(entry.href) ?? bundle(fileURLToPath(entry));
  made.set(entry.href, code);
  return new Worker(code, { eval: true });
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
