/**
 * Entry of the core process: `core-main FOLDER [--spare]`, started by the monitor. A spare has
 * everything loaded, threads included, and waits: what takes longest of a start is then over when
 * the core that it stands in for dies, and the lease outlives the gap.
 */
import { Core } from './core.ts';
import { prepareThreads } from './data-volume.ts';
import { EXIT_BROKEN_BELIEF, EXIT_REFUSED, reasonOf } from './failure.ts';
import { readHostOptions, selfOf } from './host-options.ts';
import { openLog } from './log.ts';
import { endOnSignals } from './signals.ts';
import { ordered, SPARE } from './spawn.ts';

const options = readHostOptions(process.argv[2] ?? '.');
const log = openLog(selfOf(options).name, 'core');

/** A broken belief: nothing of this process may act any more, not even in good order. */
function stopAtOnce(reason: string): never {
  log('error', 'core-broken', { reason });
  process.kill(process.pid, 'SIGKILL');
  process.exit(EXIT_BROKEN_BELIEF);
}

/** As at any other death; what is under way is ended by the kernel. */
function restart(reason: string): never {
  log('warn', 'core-restarts', { reason });
  process.kill(process.pid, 'SIGKILL');
  process.exit(EXIT_BROKEN_BELIEF);
}

/** A person has to act. */
function refuse(reason: string, remedy: string): never {
  log('error', 'refused', { reason, remedy });
  process.exit(EXIT_REFUSED);
}

process.on('uncaughtException', (error) => stopAtOnce(reasonOf(error)));
process.on('unhandledRejection', (error) => stopAtOnce(reasonOf(error)));

try {
  const threads = prepareThreads(options);
  if (process.argv[3] === SPARE && !(await ordered())) process.exit(0);
  const core = await Core.start(options, threads, { log, stopAtOnce, refuse, restart });
  endOnSignals(() => core.stop({ quiet: false }));
  await core.ended;
  process.exit(0);
} catch (error) {
  // Errors of every part that a person can mend carry their remedy.
  if (error instanceof Error && 'remedy' in error) refuse(error.message, String(error.remedy));
  stopAtOnce(reasonOf(error));
}
