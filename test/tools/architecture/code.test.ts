import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, specifiersOf } from '../../../tools/architecture/code.ts';

describe('code told from prose', () => {
  it('blanks what only looks like code', () => {
    const samples = [
      'a; // SIN',
      'a; /* SIN\n SIN */ b;',
      "const a = 'SIN';",
      'const a = "it\'s SIN";',
      "const a = 'a\\'SIN';",
      'const a = `SIN ${b} SIN`;',
      'const a = `x ${`SIN ${b}`} SIN`;',
      'const a = /[/]SIN/.test(b);',
      'return /SIN/g;',
      'f(/\\/SIN/, 1);',
    ];
    for (const sample of samples) expect(codeOf(sample), sample).not.toContain('SIN');
  });

  it('keeps what is code', () => {
    const samples = [
      "const a = 'x'; SIN();",
      'const a = `x ${SIN} y`;',
      'const a = `x ${{ a: `${SIN}` }} y`;',
      'const a = b / c; SIN(); d / e;',
      'const a = (b) / c; SIN(); d / e;',
      "const a = '//'; SIN();",
      'const a = /"/; SIN();',
      'const a = /* x */ SIN;',
      'const a = list[0] / SIN / 2;',
      'const a = x.return / SIN / 2;',
    ];
    for (const sample of samples) expect(codeOf(sample), sample).toContain('SIN');
  });

  it('keeps every offset and line', () => {
    const pieces = fc.constantFrom("'", '"', '`', '/', '*', '\\', '\n', '${', '}', '{', 'a', ' ');
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        const text = parts.join('');
        const code = codeOf(text);
        expect(code.length).toBe(text.length);
        expect(code.replace(/[^\n]/g, '')).toBe(text.replace(/[^\n]/g, ''));
      }),
    );
  });

  it('finds every way to name a module, and none in prose', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { b } from './b.ts';",
      "export * from './c.ts';",
      "import './d.ts';",
      "const e = import('./e.ts');",
      "type F = import('./f.ts').F;",
      "import {\n  g,\n} from './g.ts';",
      "// import './no.ts'",
      'const text = "import \'./no.ts\'";',
    ].join('\n');
    const found = specifiersOf(text).map((specifier) => specifier.name);
    expect(found).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `./${name}.ts`));
  });
});
