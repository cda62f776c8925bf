/** Where tests stand, and that no file lies about unused. */
import { codeOf } from './code.ts';
import type { Problem, SourceFile } from './problem.ts';

/** A module without a twin of its own, and the test that covers it instead. */
export type CoveredElsewhere = Readonly<Record<string, string>>;

/**
 * Every module of the engine with code that runs has `test/engine/…/<same name>.test.ts`, or stands
 * in `covered`. An entry of `covered` that is no longer needed is a problem too.
 */
export function checkTwins(files: readonly SourceFile[], covered: CoveredElsewhere): Problem[] {
  const paths = new Set(files.map((file) => file.path));
  const modules = files.filter(
    (file) => /^engine\/.*(?<!\.d)\.ts$/.test(file.path) && exportsCode(file.text),
  );
  const problems: Problem[] = [];
  for (const { path } of modules) {
    const twin = `test/${path.replace(/\.ts$/, '.test.ts')}`;
    const elsewhere = covered[path];
    if (paths.has(twin)) {
      if (elsewhere === undefined) continue;
      problems.push({ path, line: 0, message: `has its twin ${twin}: drop it from the list` });
    } else if (elsewhere === undefined) {
      problems.push({ path, line: 0, message: `has no test of the same name: ${twin}` });
    } else if (!paths.has(elsewhere)) {
      problems.push({
        path,
        line: 0,
        message: `is said to be covered by ${elsewhere}: no such file`,
      });
    }
  }
  const known = new Set(modules.map((file) => file.path));
  for (const path of Object.keys(covered)) {
    if (known.has(path)) continue;
    problems.push({ path, line: 0, message: 'is listed as covered elsewhere, and is not there' });
  }
  return problems;
}

/** Types, tables of constants and lists of re-exports hold nothing that could go wrong when run. */
function exportsCode(text: string): boolean {
  const code = codeOf(text);
  return (
    /\bexport\s+(?:function|class|abstract\s+class)\b/.test(code) ||
    /\bexport\s+(?:const|let)\s[^;]*=\s*(?:\([^()]*\)|[\w$]+)(?:\s*:[^;=]+)?\s*=>/.test(code) ||
    /\bexport\s*\{[^}]*\}(?!\s*from)/.test(code)
  );
}

const product = /^(?:engine|backends|scenarios|viewer|cli|bench|tools)\/.*(?<!\.d)\.ts$/;

/**
 * Modules that no other file of the product, the build or the configuration mentions by name: its
 * own test alone keeps a module alive no more than a guide does.
 */
export function checkUnused(files: readonly SourceFile[]): Problem[] {
  const mentions = files.filter((file) => !/^test\/.*\/.*\.test\.ts$|\.md$/.test(file.path));
  const problems: Problem[] = [];
  for (const { path } of files) {
    // A port is a contract: tests may be the only ones to hold a backend against it.
    if (!product.test(path) || path.startsWith('engine/ports/')) continue;
    const name = `/${path.slice(path.lastIndexOf('/') + 1)}`;
    const used = mentions.some((file) => file.path !== path && file.text.includes(name));
    if (!used)
      problems.push({ path, line: 0, message: 'is mentioned by no other file: dead code?' });
  }
  return problems;
}
