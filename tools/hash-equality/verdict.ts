/** Holds what the runtimes came to against one another. Pure: the tool itself runs and prints. */
import { type CorpusRun, combined } from './corpus.ts';

/** What one runtime did with the corpus. */
export type Attempt =
  | {
      readonly state: 'ran';
      readonly runtime: string;
      readonly runs: readonly CorpusRun[];
      readonly seconds: number;
    }
  /** It is not on this machine. */
  | { readonly state: 'missing'; readonly runtime: string; readonly reason: string }
  /** It is here, and did not get through the corpus. */
  | { readonly state: 'failed'; readonly runtime: string; readonly reason: string };

/** What the corpus has in it. */
export interface Coverage {
  readonly runs: number;
  readonly resyncs: number;
  readonly runsWithResync: number;
  readonly failovers: number;
  readonly runsWithFailover: number;
  readonly shortestRun: number;
}

/** The judgement: sentences that say what is wrong, and what was left out. */
export interface EqualityVerdict {
  readonly coverage: Coverage;
  readonly failures: readonly string[];
  readonly skips: readonly string[];
}

/** A run counts from so many simulated seconds on (design.md §5). */
const SHORTEST_RUN = 60;

/** Judges all attempts by the first; `strict` makes a missing runtime a failure. */
export function judge(attempts: readonly Attempt[], strict: boolean): EqualityVerdict {
  const failures: string[] = [];
  const skips: string[] = [];
  const ran = attempts.filter((attempt) => attempt.state === 'ran');
  for (const attempt of attempts) {
    if (attempt.state === 'ran') continue;
    const line = `${attempt.runtime}: ${attempt.state}, ${attempt.reason}`;
    (attempt.state === 'missing' && !strict ? skips : failures).push(line);
  }
  const [first, ...others] = ran;
  const coverage = coverageOf(first?.runs ?? []);
  if (ran.length < 2) failures.push('nothing to compare: fewer than two runtimes ran');
  if (coverage.resyncs === 0) failures.push('no run of the corpus has a resync');
  if (coverage.failovers === 0) failures.push('no run of the corpus has a failover');
  if (coverage.shortestRun < SHORTEST_RUN) {
    failures.push(`a run has ${coverage.shortestRun} simulated seconds, want ${SHORTEST_RUN}`);
  }
  for (const other of others) {
    const difference = first === undefined ? null : differenceOf(first.runs, other.runs);
    if (difference === null) continue;
    failures.push(`${other.runtime} differs from ${first?.runtime}: ${difference}`);
  }
  return { coverage, failures, skips };
}

/** The first seed on which two runtimes disagree, as words; null when there is none. */
export function differenceOf(
  wanted: readonly CorpusRun[],
  got: readonly CorpusRun[],
): string | null {
  if (wanted.length !== got.length) return `${got.length} runs in place of ${wanted.length}`;
  for (const [index, want] of wanted.entries()) {
    const found = got[index] as CorpusRun;
    const same =
      want.seed === found.seed &&
      want.traceHash === found.traceHash &&
      want.events === found.events;
    if (same) continue;
    const words = ({ traceHash, events }: CorpusRun) => `${traceHash} after ${events} events`;
    return `first at seed ${want.seed}, ${words(found)} in place of ${words(want)}`;
  }
  return null;
}

/** Counts what the corpus has in it. */
export function coverageOf(runs: readonly CorpusRun[]): Coverage {
  const sum = (of: (run: CorpusRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    runs: runs.length,
    resyncs: sum((run) => run.resyncs),
    runsWithResync: sum((run) => (run.resyncs > 0 ? 1 : 0)),
    failovers: sum((run) => run.failovers),
    runsWithFailover: sum((run) => (run.failovers > 0 ? 1 : 0)),
    shortestRun: runs.reduce((least, run) => Math.min(least, run.simSeconds), Infinity),
  };
}

/** One line per runtime, columns in line. */
export function tableOf(attempts: readonly Attempt[]): string {
  const rows = [['runtime', 'runs', 'events', 'combined hash', 'seconds']];
  for (const attempt of attempts) {
    if (attempt.state !== 'ran') {
      rows.push([attempt.runtime, '-', '-', attempt.state, '-']);
      continue;
    }
    const { runtime, runs, seconds } = attempt;
    const events = runs.reduce((total, run) => total + run.events, 0);
    rows.push([runtime, `${runs.length}`, `${events}`, combined(runs), seconds.toFixed(1)]);
  }
  const widths = [0, 1, 2, 3, 4].map((column) => {
    return Math.max(...rows.map((row) => (row[column] as string).length));
  });
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}
