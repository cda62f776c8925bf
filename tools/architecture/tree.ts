/** Reads the tree for the checks of the house rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { SourceFile } from './problem.ts';

/** What a build, an installation or a run leaves behind; .gitignore says the same. */
const leftBehind = new Set(['node_modules', '.git', 'build', 'dist', 'coverage', 'var', '.cache']);

const text = /\.(?:ts|mjs|js|cc|h|c|json|md|html|css|grit|ya?ml|sh|txt)$/;
const named = new Set(['.npmrc', '.gitignore', '.editorconfig', '.ci/run', 'test/expected-skips']);

/** Every text file of the tree under `root`, in order of path; recorded data is left out. */
export function readTree(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (leftBehind.has(entry.name)) continue;
      const full = join(folder, entry.name);
      const path = relative(root, full).split(sep).join('/');
      if (entry.isDirectory()) visit(full);
      else if (entry.isFile() && (text.test(path) || named.has(path))) {
        files.push({ path, text: readFileSync(full, 'utf8') });
      }
    }
  };
  visit(root);
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}
