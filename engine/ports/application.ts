/**
 * The application port: what a host runs for a group (`application` decision, `application` input).
 *
 * Suite: test/compliance/application.suite.ts.
 *
 * * Unit: `until` is in microseconds of the host's clock (engine/ports/clock.ts): the right to run
 *   ends there. Epochs rise; the application runs under one of them, and 0 stands for none.
 * * A start whose right has ended does nothing. For what is stopped or has failed it is a start.
 *   What is starting or running goes on, takes over an epoch that is not lower than its own, and
 *   keeps the later deadline: the core has restarted, or the log gave the group a new epoch. What
 *   is stopping goes on stopping. Unless it started something, a start is answered with the state.
 * * A renewal prolongs the right of its own epoch and of no other, and never shortens one.
 * * A stop lasts until it is proved or has failed. For what is stopped it is answered.
 * * Past its deadline the backend stops the application by itself, whoever is dead or silent.
 * * Order: orders are obeyed in the order in which they were given; they may be repeated.
 * * The state is told on every change, and of every application whenever the core and the process
 *   that runs applications meet anew. `stopped` means that nothing of it runs.
 * * The application outlives the core and the process that runs applications; nothing that is
 *   promised here outlives a loss of power except `stopped`.
 */

/** What a backend may say of an application. */
export const APPLICATION_STATES = [
  'stopped',
  'starting',
  'running',
  'stopping',
  'failed',
  'stop-failed',
] as const;

/** See {@link APPLICATION_STATES}. */
export type ApplicationWord = (typeof APPLICATION_STATES)[number];
