/** What every check of the house rules speaks of: a file of the tree, and what is wrong with it. */

/** A file as the checks see it; paths are relative to the root, with `/`. */
export type SourceFile = { readonly path: string; readonly text: string };

/** One breach of a rule, with what to do about it. */
export type Problem = {
  readonly path: string;
  /** 1 is the first line; 0 means the file as a whole. */
  readonly line: number;
  readonly message: string;
};

/** `engine/core/units.ts:12: message`, the form editors jump to. */
export function describeProblem({ path, line, message }: Problem): string {
  return line === 0 ? `${path}: ${message}` : `${path}:${line}: ${message}`;
}

/** The line on which `offset` stands. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}

/** Whether a path stands in one of the folders, each written with its closing `/`. */
export function isUnder(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder));
}
