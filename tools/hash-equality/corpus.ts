/**
 * The runs that every runtime repeats, and what each comes to. This module and all below it run in
 * Node, in Deno and in a browser: it knows nothing of any of them.
 */
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { campaignScenario, type Shard } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';

/** What is compared of one run, and what shows that the run was worth comparing. */
export interface CorpusRun {
  readonly seed: number;
  readonly traceHash: string;
  readonly events: number;
  readonly simSeconds: number;
  readonly resyncs: number;
  /** Hosts that took over in a run in which no operator asked for a switch. */
  readonly failovers: number;
}

/** Which runs, in which order, and whether one of them goes wrong on purpose. */
export interface CorpusOrder {
  readonly runs: number;
  /** Highest seed first: a run that leans on the one before it in the same world differs. */
  readonly reversed: boolean;
  /** One multiplication of the middle run comes out wrong by one bit, as on a broken runtime. */
  readonly planted: boolean;
}

/** Does the runs of seeds 1 to `runs`, each a random swarm of faults, and puts them in order. */
export function runCorpus({ runs, reversed, planted }: CorpusOrder): readonly CorpusRun[] {
  const world = newWorld();
  const shard: Shard = { config: DEMO_CONFIG, mode: 'swarm', seed: 1, runs };
  const wrong = planted ? Math.ceil(runs / 2) : 0;
  const done: CorpusRun[] = [];
  for (let i = 1; i <= runs; i += 1) {
    const seed = reversed ? runs + 1 - i : i;
    const run = () => runScenario(campaignScenario(shard, seed), seed, {}, world);
    done.push(corpusRun(seed === wrong ? withWrongProduct(run) : run()));
  }
  return done.sort((a, b) => a.seed - b.seed);
}

/** The hash over all hashes; `understudy rehearse --seed 1 --runs N --json` prints the same. */
export function combined(runs: readonly CorpusRun[]): string {
  const hash = new TraceHash();
  for (const { traceHash } of runs) hash.value(traceHash);
  return hash.digest();
}

function corpusRun(result: RunResult): CorpusRun {
  const { seed, traceHash, events, simSeconds, resyncs, faultsFired } = result;
  let failovers = 0;
  if (faultsFired['switch'] === undefined) {
    for (const { tookOver } of result.groups) failovers += tookOver.length;
  }
  return { seed, traceHash, events, simSeconds, resyncs, failovers };
}

/**
 * Runs with a Math.imul of which a few results in a row, well into the run, have their lowest bit
 * turned. One may only say where to look for something, and looking elsewhere changes nothing.
 */
function withWrongProduct<Result>(run: () => Result): Result {
  const right = Math.imul;
  let calls = 0;
  Math.imul = (x, y) => {
    calls += 1;
    return calls >= 100_000 && calls < 100_008 ? right(x, y) ^ 1 : right(x, y);
  };
  try {
    return run();
  } finally {
    Math.imul = right;
  }
}
