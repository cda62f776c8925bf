/**
 * A vitest reporter that names every skipped test with its reason and ends the run with the line
 * `N passed, N failed, N skipped`, which CI readers know. With CI_STRICT=1 a skip that
 * `test/expected-skips` does not list counts as a failure: a suite that quietly skips is no guard.
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { judgeSkips, parseExpectedSkips, type SkippedTest } from './expected-skips.ts';
import { notePassed, type PassedFile, passedBefore } from './passed-before.ts';

const listPath = 'test/expected-skips';

/** What one run came to; `failed` includes files that did not load and errors outside tests. */
export type Tally = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
};

/** Counts the tests of a finished run. */
export function tally(modules: readonly TestModule[], errorsOutsideTests: number): Tally {
  let passed = 0;
  let failed = errorsOutsideTests;
  const skipped: SkippedTest[] = [];
  for (const module of modules) {
    let ran = 0;
    for (const test of module.children.allTests()) {
      ran += 1;
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'skipped') {
        skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, note: result.note });
      } else failed += 1;
    }
    // A file that fails to load holds no test; a suite hook that throws may leave all of them ran.
    if (!module.ok() && (ran === 0 || module.errors().length > 0)) failed += 1;
  }
  return { passed, failed, skipped };
}

/** The files of a run that passed as a whole, with no test skipped. */
export function passedWhole(modules: readonly TestModule[]): readonly PassedFile[] {
  return modules.flatMap((module) => {
    const { passed, failed, skipped } = tally([module], 0);
    const whole = passed > 0 && failed === 0 && skipped.length === 0;
    return whole ? [{ file: module.relativeModuleId, tests: passed }] : [];
  });
}

/** The closing line itself. */
export function closingLine(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The reporter, to be listed after vitest's own in vitest.config.ts. */
export class ClosingLine implements Reporter {
  #watching = false;

  onInit(vitest: Vitest): void {
    this.#watching = vitest.config.watch;
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const { passed: ran, failed, skipped } = tally(modules, unhandledErrors.length);
    // An error outside tests may have spoilt any of them.
    notePassed(unhandledErrors.length === 0 ? passedWhole(modules) : []);
    const before = passedBefore();
    const passed = before.reduce((sum, { tests }) => sum + tests, ran);
    const expected = existsSync(listPath) ? parseExpectedSkips(readFileSync(listPath, 'utf8')) : [];
    const judged = judgeSkips(skipped, expected);
    const refused = process.env['CI_STRICT'] === '1' ? judged.filter((skip) => !skip.listed) : [];

    const lines = judged.map((skip) => `skipped: ${skip.name} (${skip.reason})`);
    if (before.length > 0) lines.push(`passed before, not run again: ${before.length} files`);
    for (const skip of refused) lines.push(`not in ${listPath}: ${skip.name}`);
    if (reason === 'interrupted') lines.push('interrupted: the figures below are of what ran');
    lines.push(closingLine(passed, failed + refused.length, skipped.length - refused.length));
    if (refused.length > 0) process.exitCode = 1;

    // Vitest prints its summary, and coverage its table, after this call: only the end of the
    // process comes after both. In watch mode there is no end to wait for.
    const print = () => writeSync(1, `\n${lines.join('\n')}\n`);
    if (this.#watching) print();
    else process.once('exit', print);
  }
}
