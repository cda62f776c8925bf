/**
 * Writes docs/canaries.md: what finds each planted bug. Rows of bugs that were measured now replace
 * those on the page, all others stay.
 * `npm exec understudy -- canaries --json > table.json`, then
 * `node --import tsx tools/canary-page.ts table.json DATE`; without arguments nothing is measured,
 * and only what the page has from the sources is written anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CanaryTable, type HuntedRow, median } from '../cli/rehearse/canary-report.ts';
import { plantedBugs } from '../scenarios/canaries.ts';
import { CLASSIC_BUGS, numbersOf } from '../scenarios/classic-bugs.ts';
import { shownBy } from '../scenarios/shown-by.ts';

/** Where the page stands. */
export const CANARY_PAGE: string = fileURLToPath(new URL('../docs/canaries.md', import.meta.url));

/** One measured row of the page. */
export interface Measured {
  readonly id: string;
  readonly law: string;
  readonly runs: number;
  readonly cpuSeconds: number;
  readonly faults: number;
  /** The whole line. */
  readonly line: string;
}

const MEASURED_HEAD = [
  '| planted bug | what goes wrong | law broken | runs | CPU s | faults | shrunk schedule |',
  '| --- | --- | --- | ---: | ---: | ---: | --- |',
].join('\n');
const MEASURED_ROW =
  /^\| `([\w-]+)` \| .* \| (LAW-[\w-]+) \| (\d+) \| ([\d.]+) \| (\d+) \| [^|]* \|$/;

/** The measured rows of a page. */
export function measuredRows(page: string): readonly Measured[] {
  return page.split('\n').flatMap((line) => {
    const [, id, law, runs, cpu, faults] = MEASURED_ROW.exec(line) ?? [];
    if (id === undefined || law === undefined) return [];
    const numbers = { runs: Number(runs), cpuSeconds: Number(cpu), faults: Number(faults) };
    return [{ id, law, ...numbers, line }];
  });
}

/** The bugs that a test of their own shows, as they stand on the page. */
export function testedSection(): string {
  const rows = plantedBugs().flatMap(({ id, what }) => {
    const by = shownBy(id);
    return 'test' in by ? [`| \`${id}\` | ${what} | \`${by.test}\` | ${by.why} |`] : [];
  });
  return [
    '| planted bug | what goes wrong | shown by | why no campaign is asked to |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** The classic bugs, as they stand on the page. */
export function classicSection(): string {
  const rows = CLASSIC_BUGS.map(({ number, what, planted, note }) => {
    const here = planted.map((id) => `\`${id}\``).join(', ');
    return `| ${number} | ${what} | ${here === '' ? 'none' : here} | ${note} |`;
  });
  return ['| no. | classic bug | planted as | note |', '| ---: | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** When and how the page's rows were measured last. */
type Measurement = Pick<CanaryTable, 'seed' | 'runsMax' | 'bugs'> & { readonly date: string };

const MEASURED_ON = /last measured on (\S+): .* from seed (\d+), (\d+)\n/;

/** What is written on the page of its last measurement; no row of it is new. */
function lastMeasurement(page: string): Measurement {
  const [, date = 'no day', seed = '1', runsMax = '0'] = MEASURED_ON.exec(page) ?? [];
  return { date, seed: Number(seed), runsMax: Number(runsMax), bugs: [] };
}

/** The page after a measurement; null for one that is only written anew. */
export function canaryPage(before: string, now: Measurement | null): string {
  const table = now ?? lastMeasurement(before);
  const { date } = table;
  const lines = new Map(measuredRows(before).map((row) => [row.id, row.line]));
  const known = plantedBugs();
  for (const bug of table.bugs) {
    const what = known.find(({ id }) => id === bug.id)?.what ?? '';
    if (bug.found) lines.set(bug.id, measuredLine(bug, what));
  }
  const kept = known.flatMap(({ id }) => ('campaign' in shownBy(id) ? [lines.get(id) ?? ''] : []));
  const rows = kept.filter((line) => line !== '');
  const measured = measuredRows(rows.join('\n'));
  const middle = (of: (row: Measured) => number): number => median(measured.map(of)) ?? 0;
  const cpu = measured.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const { seed, runsMax } = table;
  return `${[
    '# What finds each planted bug',
    '',
    'Every guard of the engine has a switch that takes it away: a planted bug, or canary. A',
    'campaign that does not find one has a blind oracle or a world that is too soft. The table',
    'is made by',
    '',
    `    npm exec understudy -- canaries --seed ${seed} --runs ${runsMax} --json > table.json`,
    '    node --import tsx tools/canary-page.ts table.json DATE',
    '',
    `and was last measured on ${date}: the bundled configuration, from seed ${seed}, ${runsMax}`,
    'runs at most for each bug. *Runs* are until a law broke because of the bug, that one',
    'included; *CPU s* the seconds of one thread that this took, on a machine that was shared;',
    '*faults* how many the shrunk schedule has. A replica that is merely never in step again',
    'does not count as found, but where the log leaves a bug no other effect',
    '(`scenarios/hunt.ts`). Rows with (disks) were looked for with `--faults disks`: every',
    'schedule has a disk that does wrong. Rows with (asynchronous), (three) or (balanced) have a',
    'configuration of their own, and `stale-epoch` seeds from 500000 on (`scenarios/shown-by.ts`).',
    '',
    `${measured.length} bugs: faults in the shrunk schedule, median ` +
      `${middle(({ faults }) => faults)} (bar: 3 at most), most ` +
      `${Math.max(...measured.map(({ faults }) => faults))}; runs needed, median ` +
      `${middle(({ runs }) => runs)}; ${cpu.toFixed(0)} CPU seconds in all.`,
    '',
    MEASURED_HEAD,
    ...rows,
    '',
    '## Shown by a test of their own',
    '',
    'A schedule or a property of its own leads straight to each of these. Many were looked for by',
    'campaigns as well, and not found; the last column says why none is asked to.',
    '',
    testedSection(),
    '',
    '## The classic bugs of block mirrors',
    '',
    'By their numbers in the list that the design is held against; 1 to 20 and 34 to 39 are about',
    'the mirror.',
    '',
    classicSection(),
  ].join('\n')}\n`;
}

function measuredLine(bug: HuntedRow, what: string): string {
  const { id, law, runs, cpuSeconds, faults, schedule, faultsOf } = bug;
  const by = shownBy(id);
  const on = 'on' in by ? by.on : undefined;
  const others = faultsOf === 'swarm' ? [] : [faultsOf];
  const place = [...others, ...(on === undefined ? [] : [on])].join(', ');
  const where = place === '' ? '' : ` (${place})`;
  const numbers = numbersOf(id);
  const no = numbers.length === 0 ? '' : ` (no. ${numbers.join(', ')})`;
  const cells = [law, runs, cpuSeconds.toFixed(1), faults, `${schedule}${where}`];
  return `| \`${id}\` | ${what}${no} | ${cells.join(' | ')} |`;
}

function main(): void {
  const [file, date] = process.argv.slice(2);
  if (file !== undefined && date === undefined) {
    console.error('give the table as a file of JSON, and the date of the measurement');
    process.exitCode = 2;
    return;
  }
  const before = existsSync(CANARY_PAGE) ? readFileSync(CANARY_PAGE, 'utf8') : '';
  const now = file === undefined ? null : { ...JSON.parse(readFileSync(file, 'utf8')), date };
  writeFileSync(CANARY_PAGE, canaryPage(before, now));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
