/** `understudy canaries`: plants every bug in turn, and tells in how many runs it is found. */
import { Command } from 'commander';
import { plantedBugs } from '../../scenarios/canaries.ts';
import type { HuntTask } from '../../scenarios/hunt.ts';
import { configOn, type ShownBy, shownBy } from '../../scenarios/shown-by.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import { bundledConfig } from '../rehearse/bundled.ts';
import {
  type CanaryTable,
  formatCanaries,
  MEDIAN_FAULTS_MAX,
  type TestedRow,
  tableOf,
} from '../rehearse/canary-report.ts';
import type { HuntAnswer } from '../rehearse/hunt-worker.ts';
import { JOBS_OPTION, jobsOf, runShards } from '../rehearse/pool.ts';
import { startProgress } from '../rehearse/progress.ts';
import { scaledConfig } from '../rehearse/scaled.ts';
import { wholeNumber } from '../whole-number.ts';

interface Options {
  readonly only?: readonly string[];
  readonly runs: string;
  readonly seed: string;
  readonly jobs?: string;
  readonly json?: boolean;
}

/** A bug that is not found by then is not found. */
const DEFAULT_RUNS = 3_000;
const RUNS_MAX = 10_000_000;
/** Most runs spent on shrinking the schedule that found a bug. */
const SHRINK_BUDGET = 400;

/** Builds the command. */
export function canariesCommand(): Command {
  return new Command('canaries')
    .description('plant every known bug in turn: does a rehearsal find it, and how soon?')
    .argument('[CONFIG]', 'configuration (default: the bundled two nodes and a witness)')
    .option('--only <id...>', 'these bugs; understudy rehearse --list-canaries shows them all')
    .option('--runs <number>', 'runs after which a bug counts as not found', String(DEFAULT_RUNS))
    .option('--seed <number>', 'first seed; run i has seed + i', '1')
    .option(...JOBS_OPTION)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Bugs that random faults do not lead to are listed with the test that shows them. Exit codes: 0 every
bug that was looked for was found; 1 one was not, or the median of the shrunk schedules has more
than ${MEDIAN_FAULTS_MAX} faults; 2 bad input.`,
    )
    .action(async (file: string | undefined, options: Options) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string | undefined, options: Options): Promise<number> {
  const config = scaledConfig(file === undefined ? bundledConfig() : loadConfig(file).config);
  const runs = wholeNumber('--runs', options.runs, 1, RUNS_MAX);
  const seed = wholeNumber('--seed', options.seed, 0, 0xffffffff);
  const tasks: HuntTask[] = [];
  const tested: Omit<TestedRow, 'numbers'>[] = [];
  for (const { id, by } of wanted(options.only)) {
    if ('test' in by) tested.push({ id, ...by });
    else {
      const { campaign: mode, on, from = 1 } = by;
      const shrinkBudget = SHRINK_BUDGET;
      const first = (seed + from - 1) >>> 0;
      const task = { id, mode, seed: first, runs, shrinkBudget };
      tasks.push({ ...task, config: on === undefined ? config : configOn(on) });
    }
  }
  const answers = await hunted(tasks, jobsOf(options.jobs));
  const table = tableOf({ seed, runs, file }, answers, tested);
  if (options.json) printJson(table);
  else console.log(formatCanaries(table));
  return exitOf(table);
}

/** How the command ends. */
export function exitOf({ sought, found, medianFaults }: CanaryTable): number {
  if (found < sought) return EXIT_BROKEN;
  return medianFaults !== null && medianFaults > MEDIAN_FAULTS_MAX ? EXIT_BROKEN : EXIT_OK;
}

interface Wanted {
  readonly id: string;
  readonly by: ShownBy;
}

function wanted(only: readonly string[] | undefined): readonly Wanted[] {
  const known = plantedBugs().map(({ id }) => ({ id, by: shownBy(id) }));
  if (only === undefined) return known;
  return only.map((id) => {
    const bug = known.find((each) => each.id === id);
    if (bug !== undefined) return bug;
    const remedy = 'name one that understudy rehearse --list-canaries shows';
    throw new InputError(`there is no planted bug "${id}"`, remedy);
  });
}

/** Hunts all bugs, each in one thread from its first run to the last of its shrinking. */
async function hunted(tasks: readonly HuntTask[], jobs: number): Promise<readonly HuntAnswer[]> {
  // Standard error, where a pipe of the results does not see it.
  const progress = startProgress('Hunting', tasks.length, false, 'planted bugs');
  let done = 0;
  let missed = 0;
  let last = '';
  const show = (note: string): void => {
    progress.update(done, missed === 0 ? note : `${note}; ${missed} NOT FOUND`);
  };
  return runShards<HuntTask, HuntAnswer>(
    new URL('../rehearse/hunt-worker.ts', import.meta.url),
    tasks,
    jobs,
    ({ id, found, runs }) => {
      done += 1;
      if (found === null) missed += 1;
      last =
        found === null
          ? `${id} not found in ${runs} runs`
          : `${id} found at run ${runs}, faults ${found.faults.length}`;
      show(last);
      return true;
    },
    ({ id, runs }, ran) => show(`${last === '' ? '' : `${last}; `}${id} at run ${ran} of ${runs}`),
  ).finally(() => progress.stop());
}
