/** The command line: one command per file under commands/, each with --help and --json. */
import { Command, CommanderError } from 'commander';
import { configCommand } from './commands/config.ts';
import { initCommand } from './commands/init.ts';
import { nodeCommand } from './commands/node.ts';
import { rehearseCommand } from './commands/rehearse.ts';
import { replayCommand } from './commands/replay.ts';
import { statusCommand } from './commands/status.ts';
import { viewCommand } from './commands/view.ts';
import { EXIT_BAD_INPUT, reportFailure } from './failure.ts';
import { BUILD } from './version.ts';

const program = new Command('understudy')
  .description('Keeps a service and its data alive on ordinary machines, and rehearses failures.')
  .version(BUILD)
  .showHelpAfterError()
  .exitOverride();

for (const command of [
  rehearseCommand(),
  initCommand(),
  nodeCommand(),
  statusCommand(),
  viewCommand(),
  replayCommand(),
  configCommand(),
]) {
  program.addCommand(command.exitOverride());
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_BAD_INPUT;
  } else {
    process.exitCode = reportFailure(error, process.argv.includes('--json'));
  }
}
