/** Rules on files as such: how long, how wide, how named, and what may stand in none of them. */
import type { Problem, SourceFile } from './problem.ts';

const longest = 600;
const widest = 100;

const measured = /\.(?:ts|mjs|cc|h|c|grit|sh)$|^\.ci\/run$/;
const sized = /\.(?:ts|cc|h)$/;

/** Files over 600 lines, lines over 100 characters. A line that is one long address may stand. */
export function checkSizes(files: readonly SourceFile[]): Problem[] {
  const problems: Problem[] = [];
  for (const { path, text } of files) {
    const lines = text.replace(/\n$/, '').split('\n');
    if (sized.test(path) && lines.length > longest) {
      const message = `${lines.length} lines, ${longest} at most: split it by noun`;
      problems.push({ path, line: 0, message });
    }
    if (!measured.test(path)) continue;
    for (const [index, line] of lines.entries()) {
      const width = [...line].length;
      if (width <= widest || /https?:\/\/\S{40}/.test(line)) continue;
      problems.push({ path, line: index + 1, message: `${width} characters, ${widest} at most` });
    }
  }
  return problems;
}

const bannedNames: readonly [word: RegExp, replacement: string][] = [
  [/^utils?$/, 'the noun that the functions are about'],
  [/^helpers?$/, 'the noun that the functions are about'],
  [/^managers?$/, 'what it does: log, queue, executor, register'],
  [/^common$/, 'the noun, or two files'],
  [/^misc$/, 'the noun, or two files'],
  [/^shared$/, 'the noun that is shared'],
];

/** File and folder names that say nothing about what is inside. */
export function checkNames(files: readonly SourceFile[]): Problem[] {
  const problems: Problem[] = [];
  for (const { path } of files) {
    for (const word of path.toLowerCase().split(/[/._-]/)) {
      const banned = bannedNames.find(([pattern]) => pattern.test(word));
      if (banned === undefined) continue;
      const message = `«${word}» says nothing of what is inside: name ${banned[1]}`;
      problems.push({ path, line: 0, message });
    }
  }
  return problems;
}

const addresses: readonly RegExp[] = [
  /\bregistry[.-][\w-]+(?:\.[\w-]+)+/i,
  /^\s*(?:@[\w-]+:)?registry\s*=/im,
  /_auth(?:Token)?\s*=/i,
  /"resolved":\s*"(?:https?|git|ssh)/i,
];

/**
 * Package registry hosts and credentials: an installation uses the registry of the machine it runs
 * on, so none is written down. `hosts` are names that this machine knows, to be looked for as well.
 */
export function checkRegistries(
  files: readonly SourceFile[],
  hosts: readonly string[] = [],
): Problem[] {
  const problems: Problem[] = [];
  for (const { path, text } of files) {
    for (const [index, line] of text.split('\n').entries()) {
      const named = hosts.some((host) => host !== '' && line.includes(host));
      if (!named && !addresses.some((pattern) => pattern.test(line))) continue;
      const message = 'names a package registry: leave that to the machine that installs';
      problems.push({ path, line: index + 1, message });
    }
  }
  return problems;
}
