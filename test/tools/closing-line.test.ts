import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('./fixtures/closing-line/', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

/** Notes of what passed are the business of the run that runs this test, unless a test asks. */
let note: { readonly [name: string]: string | undefined } = {
  UNDERSTUDY_PASSED_TO: undefined,
  UNDERSTUDY_PASSED_FROM: undefined,
};

/** Runs the named cases of the fixture project and gives what a CI reader sees. */
function run(strict: boolean, ...cases: string[]) {
  const environment = {
    ...process.env,
    CI_STRICT: strict ? '1' : '0',
    NO_COLOR: '1',
    ...note,
  };
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', ...cases], {
    cwd: project,
    env: environment,
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  return { status, last: lines.at(-1), lines };
}

describe('the closing line of a test run', () => {
  it('counts what passed and what was skipped, and names each skip with its reason', () => {
    const { status, last, lines } = run(false, 'passed', 'skipped');
    expect(last).toBe('1 passed, 0 failed, 2 skipped');
    expect(lines).toContain(
      'skipped: skipped.case.ts > needs a listed thing (this machine has no such thing)',
    );
    expect(lines).toContain('skipped: skipped.case.ts > needs another thing (no root rights)');
    expect(status).toBe(0);
  });

  it('fails a strict run for a skip that is not listed, and only for that', () => {
    const { status, last, lines } = run(true, 'passed', 'skipped');
    expect(last).toBe('1 passed, 1 failed, 1 skipped');
    expect(lines).toContain('not in test/expected-skips: skipped.case.ts > needs another thing');
    expect(status).toBe(1);
    expect(run(true, 'passed')).toMatchObject({ status: 0, last: '1 passed, 0 failed, 0 skipped' });
  });

  it('notes the files that passed as a whole, and counts what a note has beside what ran', () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-note-'));
    const path = join(folder, 'passed.json');
    const none = note;
    try {
      note = { ...none, UNDERSTUDY_PASSED_TO: path };
      run(false, 'passed', 'skipped', 'failed');
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([
        { file: 'passed.case.ts', tests: 1 },
      ]);
      note = { ...none, UNDERSTUDY_PASSED_FROM: path };
      writeFileSync(path, '[]');
      expect(run(false, 'passed').last).toBe('1 passed, 0 failed, 0 skipped');
    } finally {
      note = none;
      rmSync(folder, { recursive: true });
    }
  });

  it('counts a test that failed and a file that did not load', () => {
    const failed = { status: 1, last: '1 passed, 1 failed, 0 skipped' };
    expect(run(false, 'passed', 'failed')).toMatchObject(failed);
    expect(run(false, 'passed', 'broken')).toMatchObject(failed);
  });
});
