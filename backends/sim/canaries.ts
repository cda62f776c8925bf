/**
 * Planted bugs of what carries out the engine's decisions: what no engine can make good, and an
 * oracle must see. Nothing here is on unless a campaign asks.
 */
import type { SimLeg } from './volume.ts';

/** Every planted bug of this backend: a stable id, and what goes wrong, in one sentence. */
export const BACKEND_CANARIES = [
  {
    id: 'flush-first-part',
    what: 'A flush of a volume in parts makes stable what its first disk has, and nothing else.',
  },
] as const;

/** Switches on what is asked for in these replicas. */
export function plant(legs: readonly SimLeg[], canaries: ReadonlySet<string>): void {
  if (!canaries.has('flush-first-part')) return;
  for (const { disk } of legs) disk.flushedUpTo = disk.parts[0]?.end ?? disk.flushedUpTo;
}
