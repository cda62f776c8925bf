/**
 * The list of tests that a given machine may skip, and the judgement on a skip that is not listed.
 * Pure: the reporter reads the file and hands in its text.
 */

/** One line of `test/expected-skips`: which tests, and why skipping them is acceptable. */
export type ExpectedSkip = {
  /** Matched against the whole `file > suite > test` name; `*` stands for anything. */
  readonly pattern: string;
  readonly reason: string;
};

/** A test that did not run, as the reporter found it. */
export type SkippedTest = {
  /** `test/real/ublk.test.ts > a ublk device > survives its daemon`. */
  readonly name: string;
  /** What the test itself said when it skipped, or nothing. */
  readonly note: string | undefined;
};

/** A skipped test with the reason to print; `listed` says whether the list allows it. */
export type JudgedSkip = SkippedTest & { readonly reason: string; readonly listed: boolean };

const separator = ' — ';

/**
 * Reads lines of the form `pattern — reason`. Empty lines and lines that begin with `#` are
 * comments. A line without a reason is refused, because the reason is what the list is for.
 */
export function parseExpectedSkips(text: string): ExpectedSkip[] {
  const skips: ExpectedSkip[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(separator);
    if (at <= 0) throw new Error(`test/expected-skips:${index + 1}: want «pattern — reason»`);
    skips.push({
      pattern: line.slice(0, at).trim(),
      reason: line.slice(at + separator.length).trim(),
    });
  }
  return skips;
}

/** Gives every skipped test its reason: its own words first, else the list's. */
export function judgeSkips(
  skipped: readonly SkippedTest[],
  expected: readonly ExpectedSkip[],
): JudgedSkip[] {
  const rules = expected.map((skip) => ({ ...skip, expression: toExpression(skip.pattern) }));
  return skipped.map((test) => {
    const rule = rules.find((candidate) => candidate.expression.test(test.name));
    const reason = test.note ?? rule?.reason ?? 'no reason given';
    return { ...test, reason, listed: rule !== undefined };
  });
}

function toExpression(pattern: string): RegExp {
  const literal = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
}
