/** The command line: one command per file under commands/, each with --help and --json. */
import { Command, CommanderError } from 'commander';
import { EXIT_BAD_INPUT, reportFailure } from './failure.ts';
import { BUILD } from './version.ts';

const program = new Command('understudy')
  .description('Keeps a service and its data alive on ordinary machines, and rehearses failures.')
  .version(BUILD)
  .showHelpAfterError()
  .exitOverride();

/** Makers of the commands, in the order of the help. */
const COMMANDS: { readonly [name: string]: () => Promise<Command> } = {
  rehearse: async () => (await import('./commands/rehearse.ts')).rehearseCommand(),
  canaries: async () => (await import('./commands/canaries.ts')).canariesCommand(),
  init: async () => (await import('./commands/init.ts')).initCommand(),
  replica: async () => (await import('./commands/replica.ts')).replicaCommand(),
  node: async () => (await import('./commands/node.ts')).nodeCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  switch: async () => (await import('./commands/group.ts')).switchCommand(),
  'stop-group': async () => (await import('./commands/group.ts')).stopGroupCommand(),
  'start-group': async () => (await import('./commands/group.ts')).startGroupCommand(),
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  snapshot: async () => (await import('./commands/snapshot.ts')).snapshotCommand(),
  promote: async () => (await import('./commands/promote.ts')).promoteCommand(),
  resolve: async () => (await import('./commands/resolve.ts')).resolveCommand(),
  branch: async () => (await import('./commands/branch.ts')).branchCommand(),
  reservation: async () => (await import('./commands/reservation.ts')).reservationCommand(),
  view: async () => (await import('./commands/view.ts')).viewCommand(),
  replay: async () => (await import('./commands/replay.ts')).replayCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
};

// `understudy … | head`: whoever read has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  // A command that runs for months should not hold what only the others need.
  const word = process.argv[2] ?? '';
  const wanted = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  const makers = wanted === undefined ? Object.values(COMMANDS) : [wanted];
  for (const make of makers) program.addCommand((await make()).exitOverride());
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_BAD_INPUT;
  } else {
    process.exitCode = reportFailure(error, process.argv.includes('--json'));
  }
}
