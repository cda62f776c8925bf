import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('./fixtures/closing-line/', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

/** Runs the named cases of the fixture project and gives what a CI reader sees. */
function run(strict: boolean, ...cases: string[]) {
  const environment = { ...process.env, CI_STRICT: strict ? '1' : '0', NO_COLOR: '1' };
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

  it('counts a test that failed and a file that did not load', () => {
    const failed = { status: 1, last: '1 passed, 1 failed, 0 skipped' };
    expect(run(false, 'passed', 'failed')).toMatchObject(failed);
    expect(run(false, 'passed', 'broken')).toMatchObject(failed);
  });
});
