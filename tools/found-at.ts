/**
 * Writes test/support/found-at.ts: which run of each long campaign finds its planted bug, so that a
 * test need not do all the runs before it each time. `node --import tsx tools/found-at.ts`; rows
 * that still hold stay, the others are looked for, which takes minutes where many do not.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { knownRun, longHunts, search } from '../test/support/campaigns.ts';

const PAGE = fileURLToPath(new URL('../test/support/found-at.ts', import.meta.url));

const rows: string[] = [];
let missing = 0;
for (const wanted of longHunts()) {
  const { id, mode, seed, runs } = wanted;
  const known = knownRun(wanted);
  const holds = known > 0 && search(id, seed + known - 1, 1, mode) === 1;
  const run = holds ? known : search(id, seed, runs, mode);
  if (run > 0) rows.push(`  ['${id}', '${mode}', ${seed}, ${run}],\n`);
  else missing += 1;
  const how = holds ? 'still' : run > 0 ? 'now' : `not in ${runs}`;
  process.stderr.write(`${id} ${mode} from ${seed}: ${how} ${run > 0 ? run : ''}\n`);
}
const page = readFileSync(PAGE, 'utf8');
const list = 'Row[] = [';
const head = page.slice(0, page.indexOf(list) + list.length);
writeFileSync(PAGE, rows.length === 0 ? `${head}];\n` : `${head}\n${rows.join('')}];\n`);
process.exitCode = missing === 0 ? 0 : 1;
