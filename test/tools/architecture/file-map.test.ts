import { describe, expect, it } from 'vitest';
import { checkFileMap, pathsIn } from '../../../tools/architecture/file-map.ts';

const map = (text: string) => ({ path: 'ARCHITECTURE.md', text });
const file = (path: string) => ({ path, text: '' });

describe('the file map', () => {
  it('spells out braces, and braces in braces', () => {
    expect(pathsIn('- `engine/mirror/{resync,verify}.ts` copy and compare')).toEqual([
      'engine/mirror/resync.ts',
      'engine/mirror/verify.ts',
    ]);
    expect(pathsIn('`native/src/{ring.{cc,h},addon.cc}`')).toEqual([
      'native/src/ring.cc',
      'native/src/addon.cc',
      'native/src/ring.h',
    ]);
  });

  it('takes words, commands and patterns in backticks for what they are', () => {
    expect(pathsIn('`step` `engine/` `npm test` `test/**/*.test.ts` `./a/b.ts`')).toEqual([]);
  });

  it('is whole when it names every file', () => {
    const files = [map('`engine/{a,b}.ts`'), file('engine/a.ts'), file('engine/b.ts')];
    expect(checkFileMap(files)).toEqual([]);
  });

  it('misses a file that it does not name', () => {
    expect(checkFileMap([map('`engine/a.ts`'), file('engine/a.ts'), file('native/b.cc')])).toEqual([
      { path: 'ARCHITECTURE.md', line: 0, message: 'does not name native/b.cc' },
    ]);
  });

  it('lies when it names a file that is not there', () => {
    expect(checkFileMap([map('\n`engine/gone.ts`')])).toMatchObject([{ line: 2 }]);
  });

  it('need not name tests, whose place follows from what they test', () => {
    expect(checkFileMap([map(''), file('test/engine/a.test.ts'), file('README.md')])).toEqual([]);
  });

  it('has to be there', () => {
    expect(checkFileMap([file('README.md')])).toHaveLength(1);
  });
});
