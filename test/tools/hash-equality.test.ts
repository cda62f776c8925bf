/** The tool that compares runtimes: it must be able to fail, or its silence means nothing. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CorpusRun } from '../../tools/hash-equality/corpus.ts';
import {
  type Attempt,
  coverageOf,
  differenceOf,
  judge,
  tableOf,
} from '../../tools/hash-equality/verdict.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const plain: readonly CorpusRun[] = [1, 2, 3].map((seed) => ({
  seed,
  traceHash: `hash-${seed}`,
  events: 1000 + seed,
  simSeconds: 61,
  resyncs: seed - 1,
  failovers: seed === 3 ? 1 : 0,
}));

function ran(runtime: string, runs = plain): Attempt {
  return { state: 'ran', runtime, runs, seconds: 1.25 };
}

function changed(index: number, change: Partial<CorpusRun>): readonly CorpusRun[] {
  return plain.map((run, i) => (i === index ? { ...run, ...change } : run));
}

describe('the verdict on runtimes', () => {
  it('is silent when all agree', () => {
    const verdict = judge([ran('one'), ran('two')], true);
    expect(verdict.failures).toEqual([]);
    expect(verdict.skips).toEqual([]);
  });

  it('names the runtime and the first seed that differ', () => {
    const other = changed(1, { traceHash: 'otherwise' });
    const { failures } = judge([ran('one'), ran('two'), ran('three', other)], false);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('three differs from one: first at seed 2');
  });

  it('sees another number of events and another number of runs', () => {
    expect(differenceOf(plain, changed(2, { events: 7 }))).toContain('seed 3');
    expect(differenceOf(plain, plain.slice(1))).toBe('2 runs in place of 3');
    expect(differenceOf(plain, [...plain])).toBeNull();
  });

  it('skips what a laptop lacks, and fails on CI for it', () => {
    const missing: Attempt = { state: 'missing', runtime: 'deno', reason: 'it is not here' };
    const all = [ran('one'), ran('two'), missing];
    expect(judge(all, false)).toMatchObject({
      failures: [],
      skips: ['deno: missing, it is not here'],
    });
    expect(judge(all, true)).toMatchObject({ failures: ['deno: missing, it is not here'] });
  });

  it('fails everywhere when a runtime that is there breaks, or when only one ran', () => {
    const broken: Attempt = { state: 'failed', runtime: 'deno', reason: 'it threw' };
    expect(judge([ran('one'), ran('two'), broken], false).failures).toEqual([
      'deno: failed, it threw',
    ]);
    expect(judge([ran('one')], false).failures).toHaveLength(1);
  });

  it('wants resyncs, failovers and runs long enough to count', () => {
    const idle = plain.map((run) => ({ ...run, resyncs: 0, failovers: 0, simSeconds: 59 }));
    expect(judge([ran('one', idle), ran('two', idle)], false).failures).toHaveLength(3);
    expect(coverageOf(plain)).toEqual({
      runs: 3,
      resyncs: 3,
      runsWithResync: 2,
      failovers: 1,
      runsWithFailover: 1,
      shortestRun: 61,
    });
  });

  it('prints one line per runtime', () => {
    const lines = tableOf([
      ran('one'),
      { state: 'missing', runtime: 'two', reason: 'it is not here' },
    ]).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^one +3 +3006 +[0-9a-f]{16} +1\.3$/);
    expect(lines[2]).toMatch(/^two +- +- +missing +-$/);
  });
});

describe('the tool', () => {
  const runs = 8;

  function tool(args: readonly string[], env: { readonly [name: string]: string } = {}) {
    const all = ['--import', 'tsx', 'tools/hash-equality.ts', '--runs', String(runs), ...args];
    const { CI: _ci, UNDERSTUDY_CI: _strict, ...plainEnv } = process.env;
    const done = spawnSync(process.execPath, all, {
      cwd: root,
      encoding: 'utf8',
      env: { ...plainEnv, ...env },
    });
    return { status: done.status, text: done.stdout, complaints: done.stderr };
  }

  it('finds the same timelines whatever the order of the runs', () => {
    const { status, text } = tool(['--only', 'node', 'node-again', '--json']);
    const report = JSON.parse(text) as { runtimes: { traceHash: string; runs: number }[] };
    expect(report).toMatchObject({ runs, failures: [], skips: [] });
    expect(report.runtimes).toHaveLength(2);
    expect(report.runtimes[0]?.traceHash).toBe(report.runtimes[1]?.traceHash);
    expect(status).toBe(0);
  });

  it('finds one wrong bit in a few products of one run', () => {
    const { status, text } = tool(['--only', 'node', 'node-again', '--plant', 'node-again']);
    expect(text).toMatch(/FAILED: node-again \S+ differs from node \S+: first at seed 4,/);
    expect(status).toBe(1);
  });

  it('skips a missing browser on a laptop and fails without it on CI', () => {
    const nowhere = { UNDERSTUDY_CHROMIUM: '/nowhere/chromium' };
    const args = ['--runs', '1', '--only', 'chromium'];
    expect(tool(args, nowhere).text).toContain('skipped: chromium: missing');
    expect(tool(args, { ...nowhere, UNDERSTUDY_CI: '1' }).text).toContain(
      'FAILED: chromium: missing',
    );
  });
});
