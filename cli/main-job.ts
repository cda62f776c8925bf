/**
 * What `npm start` does: rehearses the bundled cluster under every single fault and a random swarm,
 * prints the report, and serves the viewer on the worst run until it is interrupted.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepTimeline, phasesOf } from './commands/rehearse.ts';
import { reportFailure } from './failure.ts';
import { bundledConfig } from './rehearse/bundled.ts';
import { jobsOf } from './rehearse/pool.ts';
import { type RehearsalOptions, rehearse } from './rehearse/rehearsal.ts';
import { formatReport } from './rehearse/report.ts';
import { scaledConfig } from './rehearse/scaled.ts';
import { serveViewer } from './serve.ts';

async function main(): Promise<void> {
  const config = scaledConfig(bundledConfig());
  const { nodes } = config;
  const names = nodes.map(({ name, witness }) => (witness ? `witness ${name}` : `host ${name}`));
  console.log(`Rehearsing examples/two-nodes.yaml (${names.join(', ')}) on simulated machines:`);
  console.log('every single fault, then random swarms of up to eight.\n');
  const options: RehearsalOptions = {
    config,
    phases: phasesOf(config, {}, 1),
    canaries: [],
    stopAtFirst: false,
    shrinkBudget: 100,
    jobs: jobsOf(undefined),
    quiet: false,
  };
  const result = await rehearse(options);
  const replays = result.campaign.violations.map(({ seed }) => {
    return `npm exec understudy -- rehearse --faults swarm --seed ${seed} --runs 1`;
  });
  console.log(formatReport(result, { config, replays }));
  const file = join(mkdtempSync(join(tmpdir(), 'understudy-')), 'worst-run.jsonl');
  keepTimeline(file, undefined, options, result);
  const { url } = await serveViewer({ timeline: file, live: null, port: 0 });
  console.log(`\nThe worst run on a timeline: ${url}   (Ctrl-C ends it)`);
}

main().catch((error: unknown) => {
  process.exitCode = reportFailure(error, false);
});
