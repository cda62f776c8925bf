/** What a process of a host does when the system asks it to end. */

/** Calls `stop` on the first request; a second one ends the process at once. */
export function endOnSignals(stop: () => void): void {
  let asked = false;
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (asked && name === 'SIGINT') process.exit(130);
      if (!asked) stop();
      asked = true;
    });
  }
}
