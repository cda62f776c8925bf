/** Live progress on standard error: a bar on a terminal, a line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress';

/** Shows how far a long job is. */
export interface Progress {
  /** `done` of the total are done; `note` is shown beside it. */
  update(done: number, note: string): void;
  /** Removes the bar. */
  stop(): void;
}

/** Lines are at least this far apart where there is no terminal, in milliseconds. */
const LINE_EVERY_MS = 5000;

/** Progress of `total` steps, of which each is called `what`. Silent when `quiet`. */
export function startProgress(
  title: string,
  total: number,
  quiet: boolean,
  what = 'runs',
): Progress {
  if (quiet) return { update: () => {}, stop: () => {} };
  if (!process.stderr.isTTY) return lineProgress(title, total, what);
  const bar = new SingleBar(
    {
      format:
        `${title} {bar} {percentage}% | {value}/{total} ${what} | ` +
        '{duration_formatted} | {note}',
      hideCursor: true,
      stream: process.stderr,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note) => bar.update(done, { note }),
    stop: () => bar.stop(),
  };
}

function lineProgress(title: string, total: number, what: string): Progress {
  let last = Date.now();
  return {
    update: (done, note) => {
      if (Date.now() - last < LINE_EVERY_MS) return;
      last = Date.now();
      process.stderr.write(`${title} ${done}/${total} ${what} ${note}\n`);
    },
    stop: () => {},
  };
}
