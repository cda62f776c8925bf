import { describe, expect, it } from 'vitest';
import type { SourceFile } from '../../../tools/architecture/problem.ts';
import { checkTwins, checkUnused } from '../../../tools/architecture/twins.ts';

const file = (path: string, text = ''): SourceFile => ({ path, text });
const resync = file('engine/mirror/resync.ts', 'export function step(): void {}');
const twin = file('test/engine/mirror/resync.test.ts');
const other = 'test/sim/resync.test.ts';

describe('the twin of a module', () => {
  it('is asked of every module with code that runs', () => {
    for (const text of [
      'export function f(): void {}',
      'export class A {}',
      'export abstract class A {}',
      'export const f = (x: number): number => x;',
      'function f(): void {}\nexport { f };',
    ]) {
      expect(checkTwins([file('engine/a.ts', text)], {}), text).toHaveLength(1);
    }
    expect(checkTwins([resync, twin], {})).toEqual([]);
  });

  it('is not asked of types, constants and lists of exports', () => {
    for (const text of [
      'export type F = (x: number) => number;',
      'export interface A { f(x: number): void }',
      'export const blockSize = 4096;',
      'export const names = { a: 1, b: 2 } as const;',
      "export { f } from './f.ts';",
      '// export function f() {}',
    ]) {
      expect(checkTwins([file('engine/a.ts', text)], {}), text).toEqual([]);
    }
  });

  it('may be another test that is named', () => {
    expect(checkTwins([resync, file(other)], { [resync.path]: other })).toEqual([]);
  });

  it('is missed when the test named is not there', () => {
    expect(checkTwins([resync], { [resync.path]: other })).toHaveLength(1);
  });

  it('leaves no entry in the list that nothing needs', () => {
    expect(checkTwins([resync, twin, file(other)], { [resync.path]: other })).toHaveLength(1);
    expect(checkTwins([file(other)], { [resync.path]: other })).toHaveLength(1);
  });
});

describe('a module that nothing uses', () => {
  it('is found, even when its own test and a guide name it', () => {
    const mention = file(twin.path, "import { step } from '../../../engine/mirror/resync.ts';");
    const guide = file('docs/guide.md', 'engine/mirror/resync.ts');
    expect(checkUnused([resync, mention, guide])).toHaveLength(1);
  });

  it('is in use once a module, a script or a page names it', () => {
    for (const user of [
      file('engine/host.ts', "import { step } from './mirror/resync.ts';"),
      file('package.json', 'node --import tsx engine/mirror/resync.ts'),
      file('viewer/index.html', '<script src="/engine/mirror/resync.ts">'),
    ]) {
      const problems = checkUnused([resync, user]).filter((one) => one.path === resync.path);
      expect(problems, user.path).toEqual([]);
    }
  });
});
