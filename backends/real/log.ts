/**
 * Log lines: one JSON object a line on standard error, for people and log collectors. What the
 * cluster did and why stands in the timeline; here stands what the processes met.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Parameters of a line. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line; `code` names the event in a few words with dashes. */
export type Log = (level: LogLevel, code: string, fields?: LogFields) => void;

/** A log of `process` ("monitor", "core") on `node`. `UNDERSTUDY_LOG=debug` shows all levels. */
export function openLog(node: string, process_: string, write = writeStderr): Log {
  const verbose = process.env['UNDERSTUDY_LOG'] === 'debug';
  return (level, code, fields = {}) => {
    if (level === 'debug' && !verbose) return;
    const time = new Date().toISOString();
    write(`${JSON.stringify({ time, level, node, process: process_, code, ...fields })}\n`);
  };
}

function writeStderr(line: string): void {
  process.stderr.write(line);
}
