/**
 * The fence round simulated code: no word stands there that could make two runs of one seed differ,
 * on one machine or between Node, Deno and a browser.
 */
import { codeOf } from './code.ts';
import { isUnder, lineAt, type Problem, type SourceFile } from './problem.ts';

/** The folders that must replay bit for bit. */
export const simulated = ['engine/', 'backends/sim/', 'scenarios/'];

type Fence = { readonly sin: RegExp; readonly remedy: string };

const exactMath = 'abs|ceil|floor|trunc|round|sign|min|max|imul|clz32|fround|sqrt';

/** A name used as a value: neither a field (`x.name`), nor a key or parameter (`name:`). */
function names(...words: string[]): RegExp {
  return new RegExp(`(?<![\\w$.#])(?:${words.join('|')})(?![\\w$])(?!\\s*\\??:)`, 'g');
}

const fences: readonly Fence[] = [
  { sin: names('Date', 'performance'), remedy: 'time is an argument, in integer microseconds' },
  {
    sin: names(
      'setTimeout',
      'setInterval',
      'setImmediate',
      'clearTimeout',
      'clearInterval',
      'queueMicrotask',
      'requestAnimationFrame',
    ),
    remedy: 'a wish for later is a decision that the backend carries out',
  },
  {
    sin: new RegExp(`(?<![\\w$.])Math\\b(?!\\s*\\.\\s*(?:${exactMath})\\b)`, 'g'),
    remedy: 'only exactly rounded functions of Math; chance comes from a seeded generator',
  },
  { sin: /\*\*/g, remedy: 'powers are rounded differently from engine to engine: multiply' },
  { sin: names('Promise'), remedy: 'nothing awaits here: an answer is an event' },
  {
    sin: /(?<![\w$.#])async\s+(?:function\b|\(|[\w$#[*]+)|(?<![\w$.#])async\s*\((?=[^)]*\)\s*=>)/g,
    remedy: 'nothing awaits here: an answer is an event',
  },
  { sin: names('await'), remedy: 'nothing awaits here: an answer is an event' },
  { sin: names('Intl'), remedy: 'prose stands in the catalogue, numbers stay numbers' },
  {
    sin: /\.\s*(?:localeCompare|toLocale\w+)\b/g,
    remedy: 'a locale is a property of the machine: compare code units, print elsewhere',
  },
  {
    sin: /\.\s*(?:sort|toSorted)\s*\(\s*\)/g,
    remedy: 'give sort a comparator that never answers 0 for two different things',
  },
  {
    sin: /\bfor\s*\(\s*(?:(?:const|let|var)\s+)?[^();]*?\sin\s/g,
    remedy: 'for…in visits inherited names: use Object.keys or a Map',
  },
  {
    sin: names('crypto', 'process', 'globalThis', 'console', 'Buffer', 'navigator', 'Deno'),
    remedy: 'simulated code knows no host: take the fact as an argument',
  },
  {
    sin: /(?<![\w$.#])(?:(?:require|eval)\s*\(|new\s+Function\b)|\bimport\s*[(.]/g,
    remedy: 'code is loaded by static imports only',
  },
  {
    sin: names('WeakRef', 'FinalizationRegistry'),
    remedy: 'garbage collection has no order that a replay could repeat',
  },
  { sin: names('structuredClone'), remedy: 'copy the fields by name, so that a reader sees which' },
];

/** Every word in simulated code that a replay could not repeat. */
export function checkDeterminism(files: readonly SourceFile[]): Problem[] {
  const problems: Problem[] = [];
  for (const { path, text } of files) {
    if (!isUnder(path, simulated) || !path.endsWith('.ts')) continue;
    const code = codeOf(text);
    for (const { sin, remedy } of fences) {
      for (const match of code.matchAll(sin)) {
        const words = match[0].trim().replace(/\s+/g, ' ');
        problems.push({ path, line: lineAt(code, match.index), message: `«${words}»: ${remedy}` });
      }
    }
  }
  return problems;
}
