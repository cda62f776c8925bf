import { describe, expect, it } from 'vitest';
import { checkDeterminism } from '../../../tools/architecture/determinism.ts';

const folders = ['engine/mirror/x.ts', 'backends/sim/x.ts', 'scenarios/x.ts'];

describe('the fence round simulated code', () => {
  it.each([
    'const t = Date.now();',
    'const t = new Date(0);',
    'const t = performance.now();',
    'setTimeout(f, 1);',
    'setInterval(f, 1);',
    'setImmediate(f);',
    'queueMicrotask(f);',
    'const r = Math.random();',
    'const r = Math.sin(1);',
    'const r = Math . pow(2, 3);',
    'const r = Math.floor(1) + Math.hypot(1, 2);',
    'const { random } = Math;',
    "const r = Math['random']();",
    'const r = 2 ** 3;',
    'r **= 2;',
    'const p = Promise.resolve(1);',
    'async function f() {}',
    'const f = async () => 1;',
    'const f = async (x) => 1;',
    'const f = async x => 1;',
    'class A { async step() {} }',
    'await f();',
    'for await (const x of y) {}',
    'new Intl.NumberFormat();',
    "a.localeCompare('b');",
    'a.toLocaleString();',
    'a.toLocaleUpperCase();',
    'list.sort();',
    'list.toSorted( );',
    'for (const key in object) f(key);',
    'for (key in object) f(key);',
    'crypto.getRandomValues(a);',
    'const home = process.env;',
    'globalThis.x = 1;',
    "console.log('x');",
    'Buffer.alloc(1);',
    "const fs = require('fs');",
    "eval('1');",
    'const url = import.meta.url;',
    'new WeakRef(a);',
    'structuredClone(a);',
    'const text = `${Date.now()}`;',
  ])('refuses %s', (text) => {
    for (const path of folders) {
      expect(checkDeterminism([{ path, text }]).length, path).toBeGreaterThan(0);
    }
    expect(checkDeterminism([{ path: 'backends/real/x.ts', text }])).toEqual([]);
  });

  it.each([
    'const a = Math.floor(Math.abs(b)) + Math.imul(1, 2) + Math.sqrt(4);',
    'const a = Math\n  .max(1, 2);',
    "const mode = 'async'; const kind = { async: true, process: 1 };",
    'type Kind = { process?: number; crypto: string };',
    'const a = event.process + host.crypto.key + this.#process;',
    'list.sort((a, b) => a - b);',
    'for (const key of Object.keys(a)) f(key);',
    'if (key in object) f();',
    '// Date.now() and Math.random() are forbidden, 2 ** 3 too',
    '/** new Date(), await */',
    "const text = 'new Date() ** setTimeout';",
    'const update = 1; const validate = Dated(1); const asynchronous = 2; const awaiting = 3;',
    'const pattern = /Date ** await/;',
  ])('accepts %s', (text) => {
    for (const path of folders) expect(checkDeterminism([{ path, text }]), path).toEqual([]);
  });

  it('says on which line', () => {
    const text = '/* one\n two */\nconst a = 1;\nconst t = Date.now();\n';
    expect(checkDeterminism([{ path: 'engine/x.ts', text }])[0]?.line).toBe(4);
  });
});
