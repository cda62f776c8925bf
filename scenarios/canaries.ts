/** All planted bugs, in one list. What shows each is said in shown-by.ts. */
import { BACKEND_CANARIES } from '../backends/sim/canaries.ts';
import { CLUSTER_CANARIES } from '../engine/cluster/canaries.ts';
import { MIRROR_CANARIES } from '../engine/mirror/canaries.ts';

export interface PlantedBug {
  readonly id: string;
  /** What goes wrong. */
  readonly what: string;
  /** Which parts of the engine it switches something off in, or the simulated disks. */
  readonly parts: readonly ('cluster' | 'mirror' | 'disk')[];
}

/** Every planted bug; one id may switch something off in both parts. */
export function plantedBugs(): readonly PlantedBug[] {
  const bugs: PlantedBug[] = MIRROR_CANARIES.map(({ id, what }) => ({
    id,
    what,
    parts: ['mirror'],
  }));
  for (const { id, what } of CLUSTER_CANARIES) {
    const at = bugs.findIndex((bug) => bug.id === id);
    const known = bugs[at];
    if (known === undefined) bugs.push({ id, what, parts: ['cluster'] });
    else bugs[at] = { id, what: `${known.what} And ${what}.`, parts: ['mirror', 'cluster'] };
  }
  for (const { id, what } of BACKEND_CANARIES) bugs.push({ id, what, parts: ['disk'] });
  return bugs.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
