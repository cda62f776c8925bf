/** Entry of the core process: `core-main FOLDER`, started by the monitor. */
import { Core } from './core.ts';
import { EXIT_BROKEN_BELIEF, EXIT_REFUSED, reasonOf } from './failure.ts';
import { readHostOptions, selfOf } from './host-options.ts';
import { openLog } from './log.ts';
import { endOnSignals } from './signals.ts';

const options = readHostOptions(process.argv[2] ?? '.');
const log = openLog(selfOf(options).name, 'core');

/** A broken belief: nothing of this process may act any more, not even in good order. */
function stopAtOnce(reason: string): never {
  log('error', 'core-broken', { reason });
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
  const core = await Core.start(options, { log, stopAtOnce, refuse });
  endOnSignals(() => core.stop({ quiet: false }));
  await core.ended;
  process.exit(0);
} catch (error) {
  // Errors of every part that a person can mend carry their remedy.
  if (error instanceof Error && 'remedy' in error) refuse(error.message, String(error.remedy));
  stopAtOnce(reasonOf(error));
}
