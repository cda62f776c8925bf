import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { CLASSIC_BUGS, numbersOf } from '../../scenarios/classic-bugs.ts';
import { idsShown, shownBy } from '../../scenarios/shown-by.ts';

const ids = plantedBugs().map(({ id }) => id);

/** A test file, and the pages from which it takes what it plants. */
function read(test: string): string {
  const source = readFileSync(test, 'utf8');
  const pages = source.match(/docs\/[a-z-]+\.md/g) ?? [];
  return [source, ...pages.map((page) => readFileSync(page, 'utf8'))].join('\n');
}

describe('every planted bug', () => {
  it('is looked for by a campaign, or names a test file that plants it', () => {
    // A bug that is missing here needs a row in scenarios/shown-by.ts.
    expect([...idsShown()].sort()).toEqual([...ids].sort());
    for (const id of ids) {
      const by = shownBy(id);
      if ('campaign' in by) continue;
      expect([id, existsSync(by.test)]).toEqual([id, true]);
      const planted = new RegExp(`['"\`]${id}['"\`]`).test(read(by.test));
      expect([id, by.test, planted]).toEqual([id, by.test, true]);
      expect(by.why.length).toBeGreaterThan(20);
    }
  });

  it('has no row when it does not exist', () => {
    expect(() => shownBy('no-such-bug')).toThrow('no-such-bug');
  });
});

describe('the classic bugs of mirrors', () => {
  it('are each a planted bug, or have a reason why nothing here could be', () => {
    const numbers = [...Array.from({ length: 20 }, (_, i) => i + 1), 34, 35, 36, 37, 38, 39];
    expect(CLASSIC_BUGS.map(({ number }) => number)).toEqual(numbers);
    for (const { number, planted, note } of CLASSIC_BUGS) {
      expect([number, planted.length > 0 || note.length > 20]).toEqual([number, true]);
      expect([number, planted.filter((id) => !ids.includes(id))]).toEqual([number, []]);
      for (const id of planted) expect(numbersOf(id)).toContain(number);
    }
  });
});
