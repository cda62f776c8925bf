/**
 * All benchmarks: the peer and us side by side in one run, as a ratio. `--json` prints
 * {name: {ours, peer, ratio, unit, command}}; `--only NAME` runs one; `--quick` measures briefly,
 * and then only what is far from its bar counts as missed.
 * Exits with 3 when a bar is missed, with 1 when something did not work.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { benchChecksums } from './checksums.ts';
import { benchEngine } from './engine.ts';
import { benchMemory } from './memory.ts';
import { benchMirroredWrite } from './mirrored-write.ts';
import { type Figures, formatFigures, missedBars } from './report.ts';
import { benchRestart } from './restart.ts';
import { benchResync } from './resync.ts';
import { benchWriteCost } from './write-cost.ts';

const NAMES = [
  'engine',
  'write-cost',
  'mirrored-write-tmpfs',
  'mirrored-write-disk',
  'checksums',
  'resync-tmpfs',
  'resync-disk',
  'restart',
  'memory',
] as const;

const EXIT_MISSED = 3;

interface Options {
  readonly only?: (typeof NAMES)[number];
  readonly quick?: boolean;
  readonly json?: boolean;
}

const program = new Command('bench')
  .description('measure us and the peers side by side; ratios count')
  .addOption(new Option('--only <name>', 'run one benchmark').choices(NAMES))
  .option('--quick', 'measure briefly: shows that it works, not how fast')
  .option('--json', 'print one JSON object');

program.action(async (options: Options) => {
  const log = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const rounds = options.quick ? 1 : 7;
  const secondsEach = options.quick ? 1 : 3;
  const resync = options.quick ? { rounds: 1, mebibytes: 256 } : { rounds: 7, mebibytes: 1024 };
  const jobs: { readonly [name in (typeof NAMES)[number]]: () => Promise<Figures> } = {
    engine: () => Promise.resolve(benchEngine({ quick: options.quick ?? false, log })),
    'write-cost': () => Promise.resolve(benchWriteCost({ quick: options.quick ?? false, log })),
    'mirrored-write-tmpfs': () => {
      return benchMirroredWrite({ place: 'tmpfs', rounds, secondsEach, log });
    },
    'mirrored-write-disk': () => {
      return benchMirroredWrite({ place: 'disk', rounds, secondsEach, log });
    },
    checksums: () => benchChecksums({ rounds, secondsEach, log }),
    'resync-tmpfs': () => benchResync({ place: 'tmpfs', ...resync, log }),
    'resync-disk': () => benchResync({ place: 'disk', ...resync, log }),
    restart: () =>
      benchRestart({ rounds: options.quick ? 1 : 7, quick: options.quick ?? false, log }),
    memory: () => benchMemory(log),
  };
  const figures =
    options.only === undefined
      ? await eachApart(options.quick ?? false)
      : await jobs[options.only]();
  const missed = missedBars(figures, options.quick ? 'brief' : 'full');
  if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else process.stdout.write(`${formatFigures(figures)}\n`);
  // Of a benchmark that ran in a process of its own that has said it.
  const unsaid = options.only === undefined ? [] : missed;
  for (const line of unsaid) process.stderr.write(`Bar missed: ${line}\n`);
  if (missed.length > 0) process.exitCode = EXIT_MISSED;
});

/**
 * Every benchmark in a process of its own, as its printed command runs it: code that another one
 * has run before is compiled for that one's numbers as well, and allocates where it else does not.
 */
async function eachApart(quick: boolean): Promise<Figures> {
  const figures: Figures = {};
  for (const name of NAMES) {
    const words = [fileURLToPath(import.meta.url), '--json', '--only', name];
    if (quick) words.push('--quick');
    const child = spawn(process.execPath, [...process.execArgv, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const said = await text(child.stdout);
    const [code] = await ended;
    if (code !== 0 && code !== EXIT_MISSED) throw new Error(`the benchmark ${name} did not work`);
    Object.assign(figures, JSON.parse(said));
  }
  return figures;
}

await program.parseAsync();
