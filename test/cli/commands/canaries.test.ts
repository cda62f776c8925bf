import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../../backends/sim/fault.ts';
import { exitOf } from '../../../cli/commands/canaries.ts';
import { EXIT_BROKEN, EXIT_OK } from '../../../cli/failure.ts';
import { formatCanaries, median, tableOf } from '../../../cli/rehearse/canary-report.ts';
import type { HuntAnswer } from '../../../cli/rehearse/hunt-worker.ts';

const MINUTE = 60_000;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function understudy(...words: readonly string[]) {
  const entry = ['--import', 'tsx', 'cli/understudy.ts', 'canaries'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...entry, ...words], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return { status, stdout, stderr };
}

/** A bug that was found with so many faults; none for one that was not. */
function answer(id: string, faults: number | null): HuntAnswer {
  const one: Fault = { ...PLAIN_FAULT, kind: 'cut', at: 1 };
  const drawn = new Array<Fault>(8).fill(one);
  const what = { seed: 9, law: 'LAW-cover', code: 'cover.crash', schedule: 'cut', shrinkRuns: 3 };
  return {
    id,
    mode: 'swarm',
    runs: 9,
    found: faults === null ? null : ({ ...what, drawn, faults: drawn.slice(0, faults) } as const),
    cpuSeconds: 1,
    shrinkCpuSeconds: 2,
  } as HuntAnswer;
}

const PLACE = { seed: 1, runs: 30, file: undefined };

describe('the table of planted bugs', () => {
  it('is found in full, with few faults each, or fails', () => {
    const table = (...faults: readonly (number | null)[]) =>
      tableOf(
        PLACE,
        faults.map((count, i) => answer(`bug-${i}`, count)),
        [],
      );
    expect(exitOf(table(1, 3, 3, 8))).toBe(EXIT_OK);
    expect(exitOf(table(1, 3, 4, 8))).toBe(EXIT_BROKEN);
    expect(exitOf(table(1, 1, null))).toBe(EXIT_BROKEN);
    expect(exitOf(table())).toBe(EXIT_OK);
    expect(table(1, 3, null)).toMatchObject({
      sought: 3,
      found: 2,
      medianFaults: 3,
      mostFaults: 3,
    });
    expect(table(2, null).cpuSeconds).toBe(6);
  });

  it('takes the greater of two middles for the median', () => {
    expect([median([]), median([4]), median([1, 4]), median([9, 1, 2])]).toEqual([null, 4, 4, 2]);
  });

  it('names what was not found, and who shows what no campaign does', () => {
    const tested = { id: 'shy', test: 'test/shy.test.ts', why: 'it hides from every campaign' };
    const table = tableOf(PLACE, [answer('RULE-08', 2), answer('deep', null)], [tested]);
    const [found, missed] = table.bugs;
    expect(found?.numbers).toEqual([2]);
    expect(found?.replay).toMatch(/--faults swarm --seed 9 --runs 1 --canary RULE-08$/);
    expect(missed).toMatchObject({ found: false, law: null, faults: null, replay: null, runs: 9 });
    const text = formatCanaries(table);
    for (const word of [
      'RULE-08',
      'LAW-cover',
      'deep',
      'NOT FOUND',
      '1 of 2',
      'test/shy.test.ts',
    ]) {
      expect(text).toContain(word);
    }
  });
});

describe('understudy canaries', () => {
  it('finds a bug, names the test of another, and ends well', { timeout: 3 * MINUTE }, () => {
    const { status, stdout } = understudy('--only', 'RULE-05', 'watch-restarted', '--json');
    const table = JSON.parse(stdout);
    expect(table).toMatchObject({ seed: 1, sought: 1, found: 1 });
    expect(table.bugs[0]).toMatchObject({ id: 'RULE-05', numbers: [9], law: 'LAW-flushed' });
    expect(table.bugs[0].faults).toBeLessThanOrEqual(3);
    expect(table.bugs[0].cpuSeconds).toBeGreaterThan(0);
    expect(table.tests[0]).toMatchObject({ id: 'watch-restarted' });
    expect(status).toBe(EXIT_OK);
  });

  it('ends with 1 when a bug is not found, and says so', { timeout: 2 * MINUTE }, () => {
    const { status, stdout } = understudy('--only', 'RULE-07', '--runs', '1');
    expect(stdout).toContain('NOT FOUND');
    expect(status).toBe(EXIT_BROKEN);
  });

  it('refuses a bug that does not exist', { timeout: MINUTE }, () => {
    const { status, stderr } = understudy('--only', 'RULE-99');
    expect([status, stderr.includes('RULE-99')]).toEqual([2, true]);
  });
});
