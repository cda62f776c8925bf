/** The table of planted bugs: what found each, and what that took. */
import Table from 'cli-table3';
import type { Law } from '../../backends/sim/oracle/verdict.ts';
import { numbersOf } from '../../scenarios/classic-bugs.ts';
import type { Swarm } from '../../scenarios/generate.ts';
import { configurationOf } from '../../scenarios/shown-by.ts';
import { say } from '../../viewer/src/catalogue/catalogue.ts';
import { language } from '../language.ts';
import type { HuntAnswer } from './hunt-worker.ts';

/** The median of the shrunk schedules may have so many faults. */
export const MEDIAN_FAULTS_MAX = 3;

/** One bug that was looked for. */
export interface HuntedRow {
  readonly id: string;
  /** Its numbers in the list of classic bugs. */
  readonly numbers: readonly number[];
  readonly faultsOf: Swarm;
  readonly found: boolean;
  readonly law: Law | null;
  readonly code: string | null;
  /** Runs until it was found, or all of them. */
  readonly runs: number;
  readonly cpuSeconds: number;
  /** Faults of the schedule as it was drawn, and of the shrunk one. */
  readonly drawnFaults: number | null;
  readonly faults: number | null;
  readonly schedule: string | null;
  readonly shrinkRuns: number;
  readonly shrinkCpuSeconds: number;
  readonly replay: string | null;
}

/** One bug that a test of its own shows. */
export interface TestedRow {
  readonly id: string;
  readonly numbers: readonly number[];
  readonly test: string;
  readonly why: string;
}

export interface CanaryTable {
  readonly seed: number;
  readonly runsMax: number;
  readonly sought: number;
  readonly found: number;
  /** Median and most of the faults in shrunk schedules; null when nothing was found. */
  readonly medianFaults: number | null;
  readonly mostFaults: number | null;
  readonly medianRuns: number | null;
  readonly cpuSeconds: number;
  readonly bugs: readonly HuntedRow[];
  readonly tests: readonly TestedRow[];
}

/** Where and how far the bugs were looked for. */
export interface HuntPlace {
  readonly seed: number;
  readonly runs: number;
  /** The configuration's file, if it is not the bundled one. */
  readonly file: string | undefined;
}

/** The whole table. */
export function tableOf(
  place: HuntPlace,
  answers: readonly HuntAnswer[],
  tests: readonly Omit<TestedRow, 'numbers'>[],
): CanaryTable {
  const bugs = answers.map((answer) => rowOf(place, answer));
  const faults = bugs.flatMap((bug) => (bug.faults === null ? [] : [bug.faults]));
  const runs = bugs.flatMap((bug) => (bug.found ? [bug.runs] : []));
  return {
    seed: place.seed,
    runsMax: place.runs,
    sought: bugs.length,
    found: runs.length,
    medianFaults: median(faults),
    mostFaults: faults.length === 0 ? null : Math.max(...faults),
    medianRuns: median(runs),
    cpuSeconds: bugs.reduce((sum, bug) => sum + bug.cpuSeconds + bug.shrinkCpuSeconds, 0),
    bugs,
    tests: tests.map((row) => ({ ...row, numbers: numbersOf(row.id) })),
  };
}

/** The middle one; of an even number the greater of both, so that a bar is never met by half. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}

/** The table as text. */
export function formatCanaries(table: CanaryTable): string {
  const words = language();
  const lines: string[] = [];
  const column = (name: string): string => say(words, `canaries.column-${name}`);
  if (table.bugs.length > 0) {
    const drawn = newTable(['bug', 'number', 'law', 'runs', 'cpu', 'faults'].map(column), [
      'left',
      'left',
      'left',
      'right',
      'right',
      'right',
    ]);
    for (const bug of table.bugs) drawn.push([...cells(bug)]);
    const { found, sought, seed, runsMax } = table;
    lines.push(drawn.toString(), '');
    const cpu = table.cpuSeconds.toFixed(0);
    lines.push(say(words, 'canaries.summary', { found, sought, seed, runs: runsMax, cpu }));
    lines.push(...medians(table));
  }
  if (table.tests.length > 0) {
    const drawn = newTable(['bug', 'number', 'test'].map(column), ['left', 'left', 'left']);
    for (const { id, numbers, test } of table.tests) drawn.push([id, numbers.join(' '), test]);
    const { length } = table.tests;
    lines.push('', say(words, 'canaries.tests', { count: length }), drawn.toString());
  }
  return lines.join('\n');
}

function rowOf({ seed, file }: HuntPlace, answer: HuntAnswer): HuntedRow {
  const { id, mode, runs, found, cpuSeconds, shrinkCpuSeconds } = answer;
  const config = file === undefined ? '' : ` ${file}`;
  const at = found?.seed ?? seed;
  // Of another configuration than that of the command only this one knows.
  const replay =
    configurationOf(id) !== undefined
      ? `npm exec understudy -- canaries --only ${id} --seed ${at} --runs 1`
      : `npm exec understudy -- rehearse${config} --faults ${mode} --seed ${at} --runs 1 ` +
        `--canary ${id}`;
  return {
    id,
    numbers: numbersOf(id),
    faultsOf: mode,
    found: found !== null,
    law: found?.law ?? null,
    code: found?.code ?? null,
    runs,
    cpuSeconds,
    drawnFaults: found?.drawn.length ?? null,
    faults: found?.faults.length ?? null,
    schedule: found?.schedule ?? null,
    shrinkRuns: found?.shrinkRuns ?? 0,
    shrinkCpuSeconds,
    replay: found === null ? null : replay,
  };
}

function cells(bug: HuntedRow): readonly string[] {
  const name = bug.faultsOf === 'swarm' ? bug.id : `${bug.id} (--faults ${bug.faultsOf})`;
  const missed = say(language(), 'canaries.not-found');
  return [
    name,
    bug.numbers.join(' '),
    bug.law ?? missed,
    String(bug.runs),
    bug.cpuSeconds.toFixed(1),
    bug.faults === null ? '–' : String(bug.faults),
  ];
}

function medians({ medianFaults, mostFaults, medianRuns }: CanaryTable): readonly string[] {
  if (medianFaults === null || mostFaults === null || medianRuns === null) return [];
  const numbers = { median: medianFaults, most: mostFaults, runs: medianRuns };
  return [say(language(), 'canaries.median', { ...numbers, bar: MEDIAN_FAULTS_MAX })];
}

function newTable(head: string[], colAligns: ('left' | 'right')[]): Table.Table {
  return new Table({
    head,
    // Rules between rows would double the length of a table that is long enough.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
    colAligns,
  });
}
