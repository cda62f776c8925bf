/**
 * The lineage of a replica's data: the present generation and its parents, youngest first. Two
 * replicas whose generations are parent and child differ only in blocks that one of them knows.
 */
import type { Generation } from '../core/units.ts';
import { PARENTS_MAX, type Superblock } from './metadata.ts';

/** Goes on as `generation`; the present one becomes a parent. */
export function startGeneration(block: Superblock, generation: Generation): void {
  if (generation === block.generation || generation === 0) return;
  const parents = block.parents.filter((g) => g !== generation && g !== block.generation);
  if (block.generation !== 0) parents.unshift(block.generation);
  block.parents = bounded(parents, block.peerGeneration);
  block.generation = generation;
}

/** Takes over a finished copy's lineage from its source. */
export function adoptGeneration(
  block: Superblock,
  generation: Generation,
  parents: readonly Generation[],
): void {
  block.generation = generation;
  block.peerGeneration = generation;
  block.parents = bounded(
    parents.filter((g) => g !== generation),
    generation,
  );
}

/** The oldest go first, but never the one that the peer may still have. */
function bounded(parents: Generation[], keep: Generation): Generation[] {
  while (parents.length > PARENTS_MAX) {
    const last = parents.length - 1;
    parents.splice(parents[last] === keep ? last - 1 : last, 1);
  }
  return parents;
}
