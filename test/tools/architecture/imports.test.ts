import { describe, expect, it } from 'vitest';
import { checkImports, checkVocabulary } from '../../../tools/architecture/imports.ts';

function importProblems(path: string, specifier: string): number {
  return checkImports([{ path, text: `import { x } from '${specifier}';\n` }]).length;
}

describe('the table of imports', () => {
  it.each([
    ['engine/mirror/resync.ts', '../core/units.ts'],
    ['backends/sim/world.ts', '../../engine/core/units.ts'],
    ['scenarios/run.ts', '../backends/sim/world.ts'],
    ['scenarios/schedule.ts', 'fast-check'],
    ['backends/real/daemon.ts', '../../native/index.d.ts'],
    ['backends/real/daemon.ts', 'node:fs'],
    ['viewer/src/lane.ts', '../../scenarios/run.ts'],
    ['viewer/src/lane.ts', 'lit/directives/repeat.js'],
    ['cli/understudy.ts', '../backends/real/daemon.ts'],
    ['test/engine/core/units.test.ts', '../../../engine/core/units.ts'],
    ['test/real/disk.test.ts', '../../backends/real/daemon.ts'],
  ])('lets %s import %s', (path, specifier) => {
    expect(importProblems(path, specifier)).toBe(0);
  });

  it.each([
    ['engine/mirror/resync.ts', '../../backends/sim/world.ts'],
    ['engine/mirror/resync.ts', 'node:fs'],
    ['engine/mirror/resync.ts', 'fast-check'],
    ['engine/mirror/resync.ts', '../../enginex/units.ts'],
    ['backends/sim/world.ts', '../real/daemon.ts'],
    ['backends/sim/world.ts', '../../scenarios/run.ts'],
    ['backends/sim/world.ts', 'node:crypto'],
    ['backends/real/daemon.ts', '../sim/world.ts'],
    ['scenarios/run.ts', '../backends/real/daemon.ts'],
    ['scenarios/run.ts', '../cli/format.ts'],
    ['viewer/src/lane.ts', '../../backends/real/daemon.ts'],
    ['viewer/src/lane.ts', '../../cli/format.ts'],
    ['viewer/src/lane.ts', 'node:fs'],
    ['native/build.mjs', '../backends/real/daemon.ts'],
    ['test/engine/core/units.test.ts', '../../../backends/sim/world.ts'],
    ['test/engine/core/units.test.ts', 'node:fs'],
    ['test/sim/world.test.ts', '../../cli/format.ts'],
  ])('does not let %s import %s', (path, specifier) => {
    expect(importProblems(path, specifier)).toBe(1);
  });

  it('sees imports of types, re-exports and import()', () => {
    const path = 'engine/host.ts';
    for (const text of [
      "import type { Stats } from 'node:fs';",
      "export { x } from '../cli/format.ts';",
      "type Stats = import('node:fs').Stats;",
    ]) {
      expect(checkImports([{ path, text }]), text).toHaveLength(1);
    }
  });
});

describe('the vocabulary of tests that also run under Deno', () => {
  const path = 'test/engine/core/units.test.ts';

  it.each([
    "import { vi } from 'vitest';",
    "import { describe, test } from 'vitest';",
    "it.skip('x', () => {});",
    "describe.each([1])('x', () => {});",
    'expect(x).toStrictEqual(y);',
    'expect(x).not.toBeTruthy();',
    'expect(\n  x,\n).toHaveBeenCalled();',
  ])('refuses %s', (text) => {
    expect(checkVocabulary([{ path, text }])).toHaveLength(1);
    expect(checkVocabulary([{ path: 'test/real/disk.test.ts', text }])).toHaveLength(0);
  });

  it('accepts its own words and methods of JavaScript', () => {
    const text = [
      "import fc from 'fast-check';",
      "import { beforeEach, describe, expect, it } from 'vitest';",
      'expect(x).not.toEqual(y); expect(f(x)).toBe(list().toSorted(g()).toString());',
      "// expect(x).toBeTruthy() and it.skip('x') in a comment",
    ].join('\n');
    expect(checkVocabulary([{ path, text }])).toEqual([]);
  });
});
