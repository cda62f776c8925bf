/** Mistakes of a person that a real host refuses: what is wrong, and what to do about it. */

/**
 * Nothing was written and nothing was started. The process says `message` and `remedy` and exits
 * with {@link EXIT_REFUSED}; whoever supervises it does not try again.
 */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly remedy: string;

  /** Neither text ends in a full stop. */
  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

/** Exit code of a process whose configuration or folder was refused. */
export const EXIT_REFUSED = 2;
/** Exit code of a core that stopped itself: a broken belief or a crashed worker. Restart it. */
export const EXIT_BROKEN_BELIEF = 70;

/** What went wrong, for a log line. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** The system's error code (`ENOENT`), or ''. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
