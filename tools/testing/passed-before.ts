/**
 * What an earlier run over the same sources has passed, so that a stricter run after it need not do
 * the same again. Only files are left out whose tests are the same in both: those that ask for no
 * variable, skipped nothing and failed nothing. What lacked root, the addon or a package then, what
 * has a longer budget now, and whatever an earlier run did not do, runs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** A file that passed as a whole, with no test skipped. */
export interface PassedFile {
  /** Relative to the checkout. */
  readonly file: string;
  readonly tests: number;
}

/** Files that a stricter run may leave out; `source` reads one. */
export function leftOut(
  passed: readonly PassedFile[],
  source: (file: string) => string,
): readonly PassedFile[] {
  return passed.filter(({ file }) => !source(file).includes('process.env'));
}

/** Notes what passed, where `UNDERSTUDY_PASSED_TO` says. */
export function notePassed(passed: readonly PassedFile[]): void {
  const path = process.env['UNDERSTUDY_PASSED_TO'];
  if (path !== undefined) writeFileSync(path, JSON.stringify(passed));
}

/** What this run leaves out: nothing, or what the note at `UNDERSTUDY_PASSED_FROM` allows. */
export function passedBefore(): readonly PassedFile[] {
  const path = process.env['UNDERSTUDY_PASSED_FROM'];
  // The run that was to write it may have failed before: then everything runs.
  if (path === undefined || !existsSync(path)) return [];
  const passed = JSON.parse(readFileSync(path, 'utf8')) as readonly PassedFile[];
  return leftOut(passed, (file) => readFileSync(file, 'utf8'));
}
