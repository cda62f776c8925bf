/** How commands end: exit codes, and errors said once, in words or as one JSON object. */
import { ConfigError } from './config/error.ts';

/** Everything asked for was done, all laws held. */
export const EXIT_OK = 0;
/** A law was broken (rehearse), or the cluster refused (other commands). */
export const EXIT_BROKEN = 1;
/** The input was bad; nothing was changed. */
export const EXIT_BAD_INPUT = 2;
/** All laws held, but a swarm that was long enough did not exercise everything declared. */
export const EXIT_NOT_EXERCISED = 3;

/** A mistake in what the user gave us: place and reason, and what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

/** Prints `error` (to standard error, or as JSON to standard output) and returns the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  if (error instanceof ConfigError) {
    if (json) printJson({ error: 'configuration', file: error.file, problems: error.problems });
    else console.error(error.message);
    return EXIT_BAD_INPUT;
  }
  if (isExplained(error)) {
    if (json) printJson({ error: error.message, remedy: error.remedy });
    else console.error(`${error.message}.\nRemedy: ${error.remedy}.`);
    return EXIT_BAD_INPUT;
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (json) printJson({ error: message });
  else console.error(message);
  return EXIT_BROKEN;
}

/** Errors of any part that carry their remedy. */
function isExplained(error: unknown): error is Error & { readonly remedy: string } {
  return error instanceof Error && 'remedy' in error && typeof error.remedy === 'string';
}

/** One object on standard output, and nothing else there. */
export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
