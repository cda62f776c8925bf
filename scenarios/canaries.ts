/** All planted bugs of the engine, in one list. What shows each is said in shown-by.ts. */
import { CLUSTER_CANARIES } from '../engine/cluster/canaries.ts';
import { MIRROR_CANARIES } from '../engine/mirror/canaries.ts';

export interface PlantedBug {
  readonly id: string;
  /** What goes wrong. */
  readonly what: string;
  /** Which parts of the engine it switches something off in. */
  readonly parts: readonly ('cluster' | 'mirror')[];
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
  return bugs.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
