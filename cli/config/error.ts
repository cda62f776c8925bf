/** What is wrong with a configuration file, said once and in one form. */

/** One thing wrong with a configuration. */
export interface ConfigProblem {
  /** 1-based; 0 when the file as a whole is meant. */
  readonly line: number;
  /** "volumes.data.size", "" for the file. */
  readonly field: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Thrown by {@link loadConfig}; the command line prints it and exits with 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'));
    this.file = file;
    this.problems = problems;
  }
}

/** "cluster.yaml:12: volumes.data.size: reason. Remedy: …" */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${file}:${problem.line}` : file;
  const field = problem.field === '' ? '' : `${problem.field}: `;
  return `${place}: ${field}${problem.reason}. Remedy: ${problem.remedy}.`;
}
