/**
 * Prints what dropping each rule breaks, and by which shortest schedule.
 * `node --import tsx tools/rule-table.ts [--json]`
 * Exits with 1 when a law is broken although no rule is dropped.
 */
import { Command } from 'commander';
import { type Row, ruleTable } from '../test/model/rule-table.ts';

const program = new Command('rule-table')
  .description('explores the rule model: what does dropping each rule break, in how few events?')
  .option('--json', 'print one JSON object');

program.action(({ json }: { readonly json?: boolean }) => {
  const rows: Row[] = [];
  for (const row of ruleTable()) {
    rows.push(row);
    if (json !== true) console.log(say(row));
  }
  if (json === true) console.log(JSON.stringify({ rows }));
  if (rows.some((row) => row.dropped === null && row.violation !== null)) process.exitCode = 1;
});

await program.parseAsync();

function say(row: Row): string {
  const what = row.dropped ?? 'all rules';
  const states = String(row.states).padStart(8);
  const head = `${row.model.padEnd(6)}${what.padEnd(26)}${states} states  `;
  if (row.violation !== null) {
    return `${head}${row.schedule.length} events: ${row.violation}\n    ${row.schedule.join('; ')}`;
  }
  const { unserved, degraded } = row.stuck ?? { unserved: 0, degraded: 0 };
  const healed =
    row.stuck === null ? '' : `; ${unserved} never serve again, ${degraded} are never equal again`;
  return `${head}no law is broken${healed}`;
}
