/**
 * One seed draws one timeline, whoever runs it: the same runs twice in Node, in Deno and in
 * headless Chromium, and their trace hashes side by side.
 * `node --import tsx tools/hash-equality.ts [--runs 60] [--only RUNTIME…] [--json]`
 * Exits with 1 when two differ, when a runtime that is there fails, or when the runs hold no resync
 * or no failover. A runtime that is not on this machine is a printed skip, on CI a failure.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { combined } from './hash-equality/corpus.ts';
import { attempt, RUNTIMES, type Runtime } from './hash-equality/runtimes.ts';
import { type Attempt, judge, tableOf } from './hash-equality/verdict.ts';

interface Options {
  readonly runs: number;
  readonly only?: readonly Runtime[];
  readonly plant?: Runtime;
  readonly json?: boolean;
}

const strict = process.env['UNDERSTUDY_CI'] === '1' || process.env['CI'] === 'true';

const program = new Command('hash-equality')
  .description('the same runs in Node, Deno and Chromium: are their timelines equal, bit for bit?')
  .option('--runs <number>', 'how many runs, from seed 1 on', readCount, 60)
  .addOption(new Option('--only <runtimes...>', 'only these').choices(RUNTIMES))
  .addOption(
    new Option('--plant <runtime>', 'let a few multiplications come out wrong in this runtime')
      .choices(RUNTIMES)
      .hideHelp(),
  )
  .option('--json', 'print one JSON object');

program.action(async ({ runs, only, plant, json }: Options) => {
  const attempts: Attempt[] = [];
  for (const runtime of RUNTIMES) {
    if (only !== undefined && !only.includes(runtime)) continue;
    attempts.push(await attempt(runtime, runs, runtime === plant));
  }
  const { coverage, failures, skips } = judge(attempts, strict);
  if (json) {
    const runtimes = attempts.map(summary);
    console.log(JSON.stringify({ ...coverage, runtimes, failures, skips }));
  } else {
    console.log(tableOf(attempts));
    console.log(
      `${coverage.runsWithResync} of ${coverage.runs} runs have a resync (${coverage.resyncs} in ` +
        `all), ${coverage.runsWithFailover} a failover that nobody asked for ` +
        `(${coverage.failovers} in all); the shortest has ` +
        `${coverage.shortestRun} simulated seconds`,
    );
    for (const line of skips) console.log(`skipped: ${line}`);
    for (const line of failures) console.log(`FAILED: ${line}`);
    if (failures.length === 0) console.log('All runtimes that ran drew the same timelines.');
  }
  if (failures.length > 0) process.exitCode = 1;
});

await program.parseAsync();

function summary(one: Attempt): object {
  if (one.state !== 'ran') return one;
  const { runtime, state, runs, seconds } = one;
  const events = runs.reduce((total, run) => total + run.events, 0);
  return { runtime, state, runs: runs.length, events, traceHash: combined(runs), seconds };
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0 && count <= 100_000) return count;
  throw new InvalidArgumentError('write a whole number from 1 to 100000');
}
