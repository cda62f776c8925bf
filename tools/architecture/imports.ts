/**
 * Who may import whom. Imports run downwards only, so that the engine can be read, tested and
 * replayed without knowing who drives it.
 */
import { posix } from 'node:path';
import { codeOf, specifiersOf } from './code.ts';
import { isUnder, lineAt, type Problem, type SourceFile } from './problem.ts';

/** What the files of one folder may import. The first layer whose folder holds a file counts. */
type Layer = {
  readonly folder: string;
  /** Folders of this tree; `''` is all of it. */
  readonly folders: readonly string[];
  /** Packages by name; `node:*` is Node's own modules, `*` is any. */
  readonly packages: readonly string[];
};

/** Tests that run under vitest and, with no permission, under Deno. */
export const portableTests = ['test/engine/', 'test/sim/'];

const simulation = ['engine/', 'backends/sim/', 'scenarios/'];
const vocabulary = ['vitest', 'fast-check'];

/** The table itself; a file of no layer stands in the root and may import anything. */
export const layers: readonly Layer[] = [
  { folder: 'engine/', folders: ['engine/'], packages: [] },
  { folder: 'backends/sim/', folders: ['engine/', 'backends/sim/'], packages: [] },
  { folder: 'scenarios/', folders: simulation, packages: ['fast-check'] },
  {
    folder: 'backends/real/',
    folders: ['engine/', 'backends/real/', 'native/'],
    packages: ['node:*', 'ws'],
  },
  {
    folder: 'native/',
    folders: ['engine/', 'native/'],
    packages: ['node:*', 'node-addon-api', 'node-api-headers'],
  },
  { folder: 'viewer/vite.config.ts', folders: [''], packages: ['*'] },
  { folder: 'viewer/', folders: [...simulation, 'viewer/'], packages: ['lit', 'vite'] },
  {
    folder: 'test/engine/',
    folders: ['engine/', 'test/engine/', 'test/support/'],
    packages: vocabulary,
  },
  {
    folder: 'test/sim/',
    folders: [...simulation, 'test/sim/', 'test/support/'],
    packages: vocabulary,
  },
  { folder: '', folders: [''], packages: ['*'] },
];

/** Every import that the table does not allow. */
export function checkImports(files: readonly SourceFile[]): Problem[] {
  return files.filter((file) => /\.(?:ts|mjs)$/.test(file.path)).flatMap(checkFile);
}

function checkFile(file: SourceFile): Problem[] {
  const layer = layers.find((candidate) => file.path.startsWith(candidate.folder));
  if (layer === undefined) return [];
  const problems: Problem[] = [];
  for (const { name, offset } of specifiersOf(file.text)) {
    const problem = (message: string): Problem => ({
      path: file.path,
      line: lineAt(file.text, offset),
      message,
    });
    if (!name.startsWith('.')) {
      if (allowsPackage(layer, name)) continue;
      problems.push(problem(`${layer.folder} may not import the package «${name}»`));
      continue;
    }
    const target = posix.join(posix.dirname(file.path), name);
    if (!isUnder(target, layer.folders)) {
      const allowed = layer.folders.join(', ');
      problems.push(problem(`${layer.folder} imports ${target}; it may import only ${allowed}`));
    }
  }
  return problems;
}

function allowsPackage(layer: Layer, name: string): boolean {
  return layer.packages.some((allowed) => {
    if (allowed === '*') return true;
    if (allowed === 'node:*') return name.startsWith('node:');
    return name === allowed || name.startsWith(`${allowed}/`);
  });
}

/** What the Deno shim of vitest has; keep it in step with test/support/vitest-on-deno.ts. */
const names = new Set(['describe', 'it', 'expect', 'beforeEach']);
const questions = new Set([
  'toBe',
  'toEqual',
  'toBeDefined',
  'toBeUndefined',
  'toBeNull',
  'toBeGreaterThan',
  'toBeGreaterThanOrEqual',
  'toBeLessThan',
  'toBeLessThanOrEqual',
  'toContain',
  'toHaveLength',
  'toMatch',
  'toMatchObject',
  'toThrow',
]);

/** Every word in a portable test that the Deno shim does not have. */
export function checkVocabulary(files: readonly SourceFile[]): Problem[] {
  const problems: Problem[] = [];
  for (const file of files) {
    if (!isUnder(file.path, portableTests) || !file.path.endsWith('.ts')) continue;
    const code = codeOf(file.text);
    const refuse = (offset: number, message: string): void => {
      problems.push({ path: file.path, line: lineAt(code, offset), message });
    };
    for (const match of code.matchAll(/import\s*\{([^}]*)\}\s*from\s*(['"])/g)) {
      const start = match.index + match[0].length;
      if (!file.text.startsWith('vitest', start)) continue;
      for (const word of (match[1] as string).split(',').map((part) => part.trim())) {
        if (word !== '' && !names.has(word)) {
          refuse(match.index, `«${word}» of vitest is not in test/support/vitest-on-deno.ts`);
        }
      }
    }
    for (const match of code.matchAll(/\b(?:it|describe)\s*\.\s*(\w+)/g)) {
      refuse(match.index, `«${match[0]}» is not in test/support/vitest-on-deno.ts`);
    }
    for (const match of code.matchAll(/\)\s*\.\s*(?:not\s*\.\s*)?(to[A-Z]\w*)\s*\(/g)) {
      const question = match[1] as string;
      if (isJavaScript(question) || questions.has(question)) continue;
      refuse(match.index, `«${question}» is not in test/support/vitest-on-deno.ts`);
    }
  }
  return problems;
}

/** Methods of JavaScript itself that begin like a question to `expect`. */
function isJavaScript(method: string): boolean {
  return /^to(?:String|Fixed|Sorted|Reversed|Spliced|LowerCase|UpperCase|JSON)$/.test(method);
}
