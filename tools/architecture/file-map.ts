/**
 * The file map of ARCHITECTURE.md against the tree. The map is every path in backticks; a folder's
 * files may be named together, `engine/mirror/{resync,verify}.ts`.
 */
import type { Problem, SourceFile } from './problem.ts';

const map = 'ARCHITECTURE.md';

const source = /\.(?:ts|mjs|cc|h|c|html|css|grit)$/;

/**
 * Source files that the map does not name, and names in it that lead nowhere. A file `*.test.ts`
 * need not be named, for where it stands follows from what it tests.
 */
export function checkFileMap(files: readonly SourceFile[]): Problem[] {
  const text = files.find((file) => file.path === map)?.text;
  if (text === undefined) return [{ path: map, line: 0, message: 'is not there' }];
  const named = new Map<string, number>();
  for (const [index, line] of text.split('\n').entries()) {
    for (const path of pathsIn(line)) named.set(path, index + 1);
  }
  const paths = new Set(files.map((file) => file.path));
  const problems: Problem[] = [];
  for (const [path, line] of named) {
    if (!paths.has(path)) problems.push({ path: map, line, message: `there is no file ${path}` });
  }
  for (const path of paths) {
    if (!isMapped(path) || named.has(path)) continue;
    problems.push({ path: map, line: 0, message: `does not name ${path}` });
  }
  return problems;
}

/** Every source file that a line names, braces spelt out. */
export function pathsIn(line: string): string[] {
  const paths = new Set<string>();
  for (const match of line.matchAll(/`([^`\s]+)`/g)) {
    for (const path of expand(match[1] as string)) {
      if (path.includes('/') && isFile(path)) paths.add(path);
    }
  }
  return [...paths];
}

function isFile(path: string): boolean {
  return source.test(path) && !/[*<>$…]|^\.{0,2}\//.test(path);
}

function isMapped(path: string): boolean {
  return path.includes('/') && source.test(path) && !path.endsWith('.test.ts');
}

/** Spells out `{a,b}`, the innermost first, so that braces may stand in braces. */
function expand(pattern: string): string[] {
  const braces = /\{([^{}]*)\}/.exec(pattern);
  if (braces === null) return [pattern];
  const before = pattern.slice(0, braces.index);
  const after = pattern.slice(braces.index + braces[0].length);
  return (braces[1] as string).split(',').flatMap((part) => expand(`${before}${part}${after}`));
}
