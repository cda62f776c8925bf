/** A far, asynchronous replica of a volume in two parts loses power again and again. */
import { demoAsync, demoInParts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';
import { asyncReplicaDarkAgainAndAgain } from './async-replica-dark-again-and-again.ts';

export const farDatabaseDarkAgainAndAgain: ScenarioText = {
  name: 'far-database-dark-again-and-again',
  title: 'A far replica of pages and log loses power again and again',
  about:
    'A database writes to its log before it writes to its pages, each on a disk of its own; no ' +
    'write waits for the other host, whose replica of both becomes a later image of them five ' +
    'times a second. It loses power at different instants of that. Each time its two disks are ' +
    'one image of both, or can be put back to it: never a page without the record before it.',
  config: demoInParts(demoAsync()),
  workload: { iops: 120, reads: 20 },
  // Those of one disk, but for the last.
  faults: asyncReplicaDarkAgainAndAgain.faults.slice(0, 6),
};
