/**
 * The jobs behind package.json's scripts, each of which works in a fresh clone:
 * `node tools/launch.mjs JOB [ARGUMENT…]`.
 */
import { ensureDependencies, requireNode, root, run, runSource, runTool } from './launcher.mjs';

const tsc = 'typescript/bin/tsc';
const biome = '@biomejs/biome/bin/biome';
const vitest = 'vitest/vitest.mjs';
const vite = 'vite/bin/vite.js';
const deno = 'deno/bin.cjs';

/** Each job: the packages it needs, and what it does with the arguments that follow its name. */
const jobs = {
  start: {
    needs: ['tsx', 'vite', 'lit'],
    run: (args) => runSource('cli/main-job.ts', args),
  },
  test: {
    needs: ['vitest', 'fast-check', 'typescript'],
    run: (args) => runTool(vitest, ['run', ...args]),
  },
  'test:deno': {
    needs: ['deno', 'fast-check'],
    run: (args) => runTool(deno, ['test', '--parallel', ...args]),
  },
  check: {
    needs: ['typescript', '@biomejs/biome', 'vitest'],
    run: () =>
      everyStep([
        ['types', () => runTool(tsc, ['-p', 'tsconfig.json'])],
        ['types of engine/', () => runTool(tsc, ['-p', 'tsconfig.engine.json'])],
        ['types of the simulation', () => runTool(tsc, ['-p', 'tsconfig.pure.json'])],
        ['types of viewer/', () => runTool(tsc, ['-p', 'tsconfig.viewer.json'])],
        ['types of its tests', () => runTool(tsc, ['-p', 'tsconfig.viewer-test.json'])],
        ['lint and format', () => runTool(biome, ['check', '--error-on-warnings', '.'])],
        ['architecture', () => runTool(vitest, ['run', 'test/architecture.test.ts'])],
      ]),
  },
  bench: {
    needs: ['tsx'],
    run: (args) => runSource('bench/main.ts', args),
  },
  build: {
    needs: ['vite', 'lit'],
    run: (args) => runTool(vite, ['build', 'viewer', ...args]),
  },
  'build:native': {
    needs: ['node-addon-api', 'node-api-headers'],
    run: (args) => run(process.execPath, ['native/build.mjs', ...args], { cwd: root }),
  },
  viewer: {
    needs: ['vite', 'lit'],
    run: (args) => runTool(vite, ['viewer', ...args]),
  },
};

requireNode();
const [name = '', ...args] = process.argv.slice(2);
const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
if (job === undefined) {
  console.error(`usage: node tools/launch.mjs ${Object.keys(jobs).join('|')} [ARGUMENT…]`);
  process.exit(2);
}
ensureDependencies(job.needs);
process.exitCode = await job.run(args);

/** Runs all steps even after one failed, so that one run shows every fault; says which failed. */
async function everyStep(steps) {
  const failed = [];
  for (const [title, step] of steps) {
    console.error(`check: ${title}`);
    if ((await step()) !== 0) failed.push(title);
  }
  if (failed.length === 0) return 0;
  console.error(`check failed: ${failed.join(', ')}`);
  return 1;
}
