/** The report's table: one row per fault, over all its runs. */
import type { RunResult } from '../../scenarios/run.ts';

/** What all runs of one fault came to. Mergeable. */
export interface Row {
  readonly fault: string;
  readonly runs: number;
  /** Longest time without a successful request in any run, and the sum over runs, in µs. */
  readonly outage: number;
  readonly outageSum: number;
  /** Most bytes that only one replica had at a time. */
  readonly dataAtRisk: number;
  /** Runs in which no holder kept power, so that unflushed writes may have been lost. */
  readonly forgot: number;
  /** How often each node took over, by number. */
  readonly tookOver: { readonly [node: number]: number };
  /** Runs that broke a law, and runs in which a breach was only to be detected. */
  readonly broken: number;
  readonly detected: number;
  /** The run to look at: the first broken one, else the one with the longest outage. */
  readonly worst: { readonly seed: number; readonly broken: boolean; readonly outage: number };
}

/** The row of a single run. */
export function rowOf(fault: string, result: RunResult): Row {
  const outage = Math.max(0, ...result.groups.map((group) => group.outage));
  const tookOver: { [node: number]: number } = {};
  for (const group of result.groups) {
    for (const node of group.tookOver) tookOver[node] = (tookOver[node] ?? 0) + 1;
  }
  const broken = result.violations.length > 0;
  return {
    fault,
    runs: 1,
    outage,
    outageSum: outage,
    dataAtRisk: Math.max(0, ...result.groups.map((group) => group.dataAtRisk)),
    forgot: result.groups.some((group) => group.forgot) ? 1 : 0,
    tookOver,
    broken: broken ? 1 : 0,
    detected: result.detected.length > 0 ? 1 : 0,
    worst: { seed: result.seed, broken, outage },
  };
}

/** Rows of the same fault become one; the order is that of first appearance. */
export function mergeRows(rows: readonly Row[]): readonly Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const known = merged.get(row.fault);
    merged.set(row.fault, known === undefined ? row : both(known, row));
  }
  return [...merged.values()];
}

function both(a: Row, b: Row): Row {
  const tookOver: { [node: number]: number } = { ...a.tookOver };
  for (const [node, times] of Object.entries(b.tookOver)) {
    tookOver[Number(node)] = (tookOver[Number(node)] ?? 0) + times;
  }
  return {
    fault: a.fault,
    runs: a.runs + b.runs,
    outage: Math.max(a.outage, b.outage),
    outageSum: a.outageSum + b.outageSum,
    dataAtRisk: Math.max(a.dataAtRisk, b.dataAtRisk),
    forgot: a.forgot + b.forgot,
    tookOver,
    broken: a.broken + b.broken,
    detected: a.detected + b.detected,
    worst: worse(a.worst, b.worst),
  };
}

/** The run more worth looking at; of equals the one with the lower seed. */
export function worse(a: Row['worst'], b: Row['worst']): Row['worst'] {
  if (a.broken !== b.broken) return a.broken ? a : b;
  if (a.broken) return a.seed <= b.seed ? a : b;
  if (a.outage !== b.outage) return a.outage > b.outage ? a : b;
  return a.seed <= b.seed ? a : b;
}
