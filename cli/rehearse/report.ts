/** The report of a rehearsal, for people. */
import Table from 'cli-table3';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { COMPLETE_RUNS, type NotExercised } from '../../scenarios/coverage.ts';
import { say, term } from '../../viewer/src/catalogue/catalogue.ts';
import { language } from '../language.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { Row } from './rows.ts';

/** What else the report says beside the rehearsal itself. */
export interface ReportContext {
  readonly config: ClusterConfig;
  /** Replay command of each violation, in their order. */
  readonly replays: readonly string[];
}

/** The whole report as text. */
export function formatReport(rehearsal: Rehearsal, context: ReportContext): string {
  const { campaign } = rehearsal;
  const words = language();
  const lines: string[] = [];
  const table = new Table({
    head: ['fault', 'runs', 'outage', 'at-risk', 'took-over', 'laws'].map((column) => {
      return say(words, `report.column-${column}`);
    }),
    // Rules between rows would double the length of a table that is long enough.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'left', 'left'],
  });
  for (const row of rehearsal.rows) table.push([...cells(row, context.config)]);
  lines.push(table.toString(), '');
  lines.push(
    say(words, 'report.summary', {
      runs: campaign.runs,
      hours: (campaign.simSeconds / 3600).toFixed(1),
      ios: campaign.ios,
      crashes: campaign.crashes,
      inFlight: campaign.crashesWithIoInFlight,
      takeOvers: campaign.takeOvers,
      resyncs: campaign.resyncs,
    }),
  );
  const broken = campaign.laws.filter(({ held }) => !held);
  if (broken.length === 0) lines.push(say(words, 'report.held'));
  for (const { law } of broken) {
    lines.push(say(words, 'report.broken', { law, meaning: term(words, law) }));
  }
  const shown = campaign.violations.slice(0, 5);
  for (const [index, violation] of shown.entries()) {
    const { law, seed, schedule } = violation;
    lines.push('', say(words, 'report.violation', { law, seed, schedule }));
    lines.push(`  ${say(words, `violation.${violation.finding.code}`, violation.finding.d)}`);
    lines.push(`  ${say(words, 'report.replay', { command: context.replays[index] ?? '' })}`);
  }
  const more = campaign.violations.length - shown.length;
  if (more > 0) lines.push(say(words, 'report.more-violations', { more }));
  if (campaign.detected > 0) {
    lines.push(say(words, 'report.detected', { runs: campaign.detected }));
  }
  lines.push(...missing(rehearsal.notExercised));
  lines.push(say(words, 'report.hash', { hash: rehearsal.traceHash }));
  return lines.join('\n');
}

function missing(found: NotExercised | null): readonly string[] {
  if (found === null || found.faults.length + found.marks.length === 0) return [];
  const words = language();
  const list = (names: readonly string[]): string => (names.length === 0 ? '–' : names.join(', '));
  const { faults, marks, due } = found;
  const lines = [say(words, 'report.not-exercised', { faults: list(faults), marks: list(marks) })];
  if (due) lines.push(say(words, 'report.not-exercised-due', { runs: COMPLETE_RUNS }));
  return lines;
}

function cells(row: Row, config: ClusterConfig): readonly string[] {
  const words = language();
  const nameOf = (node: string): string => {
    return config.nodes.find(({ id }) => String(id) === node)?.name ?? node;
  };
  const takers = Object.entries(row.tookOver).map(([node, times]) => {
    return row.runs === 1 && times === 1 ? nameOf(node) : `${nameOf(node)} ×${times}`;
  });
  const forgot = row.forgot > 0 ? ` ${say(words, 'report.unflushed')}` : '';
  return [
    row.fault,
    String(row.runs),
    `${(row.outage / 1e6).toFixed(2)} s`,
    `${(row.dataAtRisk / 1024 ** 2).toFixed(1)} MiB${forgot}`,
    takers.length === 0 ? '–' : takers.join(', '),
    verdict(row),
  ];
}

function verdict(row: Row): string {
  const words = language();
  if (row.broken > 0) return say(words, 'report.row-broken', { runs: row.broken });
  if (row.detected > 0) return say(words, 'report.row-detected', { runs: row.detected });
  return say(words, 'report.row-held');
}
