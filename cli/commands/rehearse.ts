/** `understudy rehearse`: simulated hosts under faults, and a report of what broke or held. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { parse as parseYaml } from 'yaml';
import type { ClusterConfig } from '../../engine/core/config.ts';
import type { FaultMode } from '../../scenarios/campaign.ts';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { COMPLETE_RUNS } from '../../scenarios/coverage.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { describeSchedule } from '../../scenarios/describe.ts';
import { SWARMS } from '../../scenarios/generate.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { nodeName, readScenario, type Scenario, writeScenario } from '../../scenarios/scenario.ts';
import { pairCount, singleFaults } from '../../scenarios/single-faults.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_BROKEN, EXIT_NOT_EXERCISED, EXIT_OK, InputError, printJson } from '../failure.ts';
import { bundledConfig } from '../rehearse/bundled.ts';
import { JOBS_OPTION, jobsOf } from '../rehearse/pool.ts';
import {
  type Phase,
  type Rehearsal,
  type RehearsalOptions,
  rehearse,
  replayWithTimeline,
} from '../rehearse/rehearsal.ts';
import { formatReport } from '../rehearse/report.ts';
import { scaledConfig } from '../rehearse/scaled.ts';
import { writeFlights, writeTimeline } from '../rehearse/timeline-file.ts';
import { wholeNumber } from '../whole-number.ts';

interface Options {
  readonly scenario?: string;
  readonly seed: string;
  readonly runs?: string;
  readonly faults?: FaultMode;
  readonly canary?: readonly string[];
  readonly timeline?: string;
  readonly list?: boolean;
  readonly listCanaries?: boolean;
  readonly jobs?: string;
  readonly json?: boolean;
}

/** Random runs when nothing else is asked for. */
const DEFAULT_SWARM = 200;
const RUNS_MAX = 10_000_000;
const SHRINK_BUDGET = 400;
/** Where shrunk failing schedules are kept. */
const FAILURES = 'understudy-failures';

/** Builds the command. */
export function rehearseCommand(): Command {
  return new Command('rehearse')
    .description('run a configuration on simulated hosts under faults, and judge every law')
    .argument('[CONFIG]', 'configuration (default: the bundled two nodes and a witness)')
    .option('--scenario <name|file>', 'one scenario of the library, or of a file')
    .option('--seed <number>', 'first seed; run i has seed + i', '1')
    .option('--runs <number>', 'how many runs (default: all single faults and 200 of a swarm)')
    .addOption(
      new Option(
        '--faults <kind>',
        'where faults come from; disks: a swarm with a bad disk each run; splits: with branches; ' +
          'receipts: about a core that dies with what it acknowledged on receipt',
      ).choices(['none', 'single', 'pairs', ...SWARMS]),
    )
    .option('--canary <id...>', 'plant bugs; ends at the first run that finds one')
    .option(
      '--timeline <file>',
      'write the timeline of the worst run, and its I/O to a .flight file beside it',
    )
    .option('--list', 'list the scenarios of the library')
    .option('--list-canaries', 'list the bugs that can be planted')
    .option(...JOBS_OPTION)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Exit codes: 0 all laws held; 1 a law was broken; 2 bad input; 3 all laws held, but a swarm of
${COMPLETE_RUNS} runs or more did not exercise every fault and rare branch that is declared.`,
    )
    .action(async (file: string | undefined, options: Options) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string | undefined, options: Options): Promise<number> {
  if (options.list) return listScenarios(options.json ?? false);
  if (options.listCanaries) return listCanaries(options.json ?? false);
  const given = file === undefined ? null : loadConfig(file).config;
  const base = scaledConfig(given ?? bundledConfig());
  const canaries = checkedCanaries(options.canary ?? []);
  const seed = wholeNumber('--seed', options.seed, 0, 0xffffffff);
  const phases = phasesOf(base, options, seed, given !== null);
  const config = phases[0]?.scenario?.config ?? base;
  const rehearsal: RehearsalOptions = {
    config,
    phases,
    canaries,
    stopAtFirst: canaries.length > 0,
    shrinkBudget: SHRINK_BUDGET,
    jobs: jobsOf(options.jobs),
    quiet: options.json ?? false,
  };
  const result = await rehearse(rehearsal);
  const replays = saveFailures(file, result, canaries);
  if (options.timeline !== undefined) {
    keepTimeline(options.timeline, file, rehearsal, result);
  }
  if (options.json) printJson(jsonOf(result, replays));
  else console.log(formatReport(result, { config, replays }));
  return exitOf(result);
}

/** How a rehearsal ends: a broken law outweighs everything else. */
export function exitOf(result: Pick<Rehearsal, 'campaign' | 'notExercised'>): number {
  if (result.campaign.violations.length > 0) return EXIT_BROKEN;
  return result.notExercised?.due === true ? EXIT_NOT_EXERCISED : EXIT_OK;
}

/** The campaigns that the options ask for; `given` says that a person named the configuration. */
export function phasesOf(
  config: ClusterConfig,
  options: Pick<Options, 'scenario' | 'faults' | 'runs'>,
  seed: number,
  given = true,
): readonly Phase[] {
  const asked = options.runs;
  const runs = asked === undefined ? null : wholeNumber('--runs', asked, 1, RUNS_MAX);
  if (options.scenario !== undefined) {
    const scenario = findScenario(options.scenario, config, given);
    return [{ mode: 'none', seed, runs: runs ?? 1, scenario }];
  }
  const complete: { readonly [mode in FaultMode]: number } = {
    none: 1,
    single: singleFaults(config).length,
    pairs: pairCount(config),
    swarm: DEFAULT_SWARM,
    disks: DEFAULT_SWARM,
    splits: DEFAULT_SWARM,
    receipts: DEFAULT_SWARM,
  };
  if (options.faults !== undefined) {
    return [{ mode: options.faults, seed, runs: runs ?? complete[options.faults] }];
  }
  return [
    { mode: 'single', seed, runs: complete.single },
    { mode: 'swarm', seed, runs: runs ?? DEFAULT_SWARM },
  ];
}

/** One that is about a configuration of its own stays so, unless another one is given. */
function findScenario(name: string, config: ClusterConfig, given: boolean): Scenario {
  const known = LIBRARY.find((scenario) => scenario.name === name);
  if (known !== undefined) {
    return given || known.config === DEMO_CONFIG ? { ...known, config } : known;
  }
  if (!existsSync(name)) {
    const remedy = 'name a file, or a scenario that understudy rehearse --list shows';
    throw new InputError(`there is no scenario and no file "${name}"`, remedy);
  }
  let data: unknown;
  try {
    data = parseYaml(readFileSync(name, 'utf8'));
  } catch (error) {
    const [reason] = String((error as Error).message).split('\n');
    throw new InputError(`${name} is neither JSON nor YAML: ${reason}`, 'correct it');
  }
  const read = readScenario(data, config);
  if (read.ok) return read.scenario;
  const [first, ...more] = read.problems;
  const others = more.map(({ place, reason }) => `; ${place} ${reason}`).join('');
  const remedy = first?.remedy ?? 'write a scenario as in scenarios/library';
  throw new InputError(`${name}: ${first?.place} ${first?.reason}${others}`, remedy);
}

function checkedCanaries(ids: readonly string[]): readonly string[] {
  const known = new Set(plantedBugs().map(({ id }) => id));
  for (const id of ids) {
    if (known.has(id)) continue;
    const remedy = 'name one that understudy rehearse --list-canaries shows';
    throw new InputError(`there is no planted bug "${id}"`, remedy);
  }
  return ids;
}

/** Saves each failing schedule as a scenario, and returns the commands that replay them. */
function saveFailures(
  file: string | undefined,
  { campaign }: Rehearsal,
  canaries: readonly string[],
): readonly string[] {
  const planted = canaries.map((id) => ` --canary ${id}`).join('');
  const config = file === undefined ? '' : ` ${file}`;
  return campaign.violations.map(({ law, seed, scenario }) => {
    mkdirSync(FAILURES, { recursive: true });
    const name = [law, ...canaries, seed].join('-');
    const path = join(FAILURES, `${name}.json`);
    // The configuration stays in its own file, where it may be corrected.
    const { config: _, ...text } = writeScenario({ ...scenario, name });
    writeFileSync(path, `${JSON.stringify(text, null, 2)}\n`);
    return `npm exec understudy -- rehearse${config} --scenario ${path} --seed ${seed}${planted}`;
  });
}

/** Runs the worst run again and writes its timeline to `path`, its flight recording beside it. */
export function keepTimeline(
  path: string,
  file: string | undefined,
  options: RehearsalOptions,
  { worst }: Rehearsal,
): void {
  const { scenario, result, flights } = replayWithTimeline(options, worst);
  const config = file === undefined ? '' : ` ${relative(process.cwd(), file)}`;
  const planted = options.canaries.map((id) => ` --canary ${id}`).join('');
  const { mode, scenario: named } = worst.phase;
  const what = named === undefined ? `--faults ${mode}` : `--scenario ${named.name}`;
  const command = `npm exec understudy -- rehearse${config} ${what} --seed ${worst.seed} --runs 1`;
  writeTimeline(path, options.config, scenario, result, command + planted);
  writeFlights(path, flights);
}

function jsonOf(rehearsal: Rehearsal, replays: readonly string[]): object {
  const { campaign, notExercised, traceHash, rows, cpuSeconds } = rehearsal;
  const { hashes: _, violations, ...rest } = campaign;
  return {
    ...rest,
    notExercised,
    traceHash,
    violations: violations.map(({ law, seed, schedule, finding }, index) => {
      const { code, t, node, d } = finding;
      return { law, seed, schedule, replay: replays[index], finding: { code, t, node, d } };
    }),
    faults: rows,
    cpuSeconds,
    runsPerCpuSecond: campaign.runs / cpuSeconds,
  };
}

function listScenarios(json: boolean): number {
  const rows = LIBRARY.map(({ name, title, about, faults, config }) => {
    const schedule = describeSchedule(faults, (node) => nodeName(config, node));
    return { name, title, about, schedule };
  });
  if (json) printJson({ scenarios: rows });
  else {
    for (const { name, title, schedule } of rows) console.log(`${name}\n  ${title}\n  ${schedule}`);
  }
  return EXIT_OK;
}

function listCanaries(json: boolean): number {
  const bugs = plantedBugs();
  if (json) printJson({ canaries: bugs });
  else for (const { id, what } of bugs) console.log(`${id.padEnd(28)} ${what}`);
  return EXIT_OK;
}
