/** Entry of a monitor that the core started because the one before it died. */
import { EXIT_REFUSED, HostError, reasonOf } from './failure.ts';
import { readHostOptions } from './host-options.ts';
import { openLog } from './log.ts';
import { Monitor } from './monitor.ts';
import { endOnSignals } from './signals.ts';

const folder = process.argv[2] ?? '.';

try {
  const monitor = await Monitor.start(readHostOptions(folder));
  endOnSignals(() => void monitor.stop());
  process.exit((await monitor.ended) === 'refused' ? EXIT_REFUSED : 0);
} catch (error) {
  // Somebody else has started one meanwhile: that is as good.
  const refused = error instanceof HostError;
  openLog(folder, 'monitor')(refused ? 'info' : 'error', 'monitor', { reason: reasonOf(error) });
  process.exit(refused ? EXIT_REFUSED : 1);
}
