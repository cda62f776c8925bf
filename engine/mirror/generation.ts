/**
 * The lineage of a replica's data: the present generation and its parents, youngest first. Two
 * replicas whose generations are parent and child differ only in blocks that one of them knows.
 */
import type { Generation } from '../core/units.ts';
import { type OtherPartner, PARENTS_MAX, type Superblock } from './metadata.ts';

/**
 * Stands for the generation that both shared last where nothing is known to be equal: no replica
 * has it, so no map fits, and all is copied.
 */
export const APART: Generation = Number.MAX_SAFE_INTEGER;

/** Stands for the disk that a map is about where nobody knows it: it is about none at all. */
export const NO_DISK = 0xffffffff;
const TAG_DIGITS = 8;

/** A disk's identity in short: enough to tell two of one host apart. 0 stands for "not said". */
export function diskTag(device: string): number {
  const tag = Number.parseInt(device.slice(-TAG_DIGITS), 16);
  return tag === 0 || tag === NO_DISK ? 1 : tag;
}

/** What a replica notes of a partner's disk. */
export interface Known {
  /** The generation that both had in full when the map towards it began. */
  readonly shared: Generation;
  /** The {@link diskTag} of the disk that the map is about; 0 where no program noted it. */
  readonly about: number;
}

/**
 * Whether a map that is `about` a disk is about this one. Generations do not tell that: a copy that
 * was finished on another one, which never was a member, has the generation as well.
 */
export function isAbout(about: number, device: number): boolean {
  return about === 0 || device === 0 || about === device;
}

/**
 * Goes on as `generation`; the present one becomes a parent. So does each of `voided`: takers that
 * began one and never served, so that whoever has it durably has no write that is missing here.
 */
export function startGeneration(
  block: Superblock,
  generation: Generation,
  voided: readonly Generation[] = [],
): void {
  if (generation === block.generation || generation === 0) return;
  const known = new Set([generation, block.generation, ...voided]);
  const parents = block.parents.filter((g) => !known.has(g));
  for (const g of voided) {
    if (g !== 0 && g !== generation && g !== block.generation) parents.unshift(g);
  }
  if (block.generation !== 0) parents.unshift(block.generation);
  block.parents = boundedParents(parents, block);
  block.generation = generation;
}

/**
 * Takes over a finished copy's lineage from its source, the partner with that index, which has it
 * on `disk`.
 */
export function adoptGeneration(
  block: Superblock,
  generation: Generation,
  parents: readonly Generation[],
  source = 0,
  disk = 0,
): void {
  block.generation = generation;
  setKnown(block, source, { shared: generation, about: disk });
  block.parents = boundedParents(
    parents.filter((g) => g !== generation),
    block,
  );
}

/** Notes the generation that this replica and the partner with `index` have both in full. */
export function setShared(block: Superblock, index: number, generation: Generation): void {
  if (index === 0) block.peerGeneration = generation;
  else (block.others[index - 1] as OtherPartner).shared = generation;
}

/** The same, and on which disk the partner has it. */
export function setKnown(block: Superblock, index: number, { shared, about }: Known): void {
  setShared(block, index, shared);
  if (index === 0) block.peerDisk = about;
  else (block.others[index - 1] as OtherPartner).disk = about;
}

function sharedOf(block: Superblock): readonly Generation[] {
  return [block.peerGeneration, ...block.others.map(({ shared }) => shared)];
}

/** What a replica has, and what it had before: youngest first. */
export interface Lineage {
  readonly generation: Generation;
  readonly parents: readonly Generation[];
}

/**
 * The youngest generation through which `old` went since the two had one in common for the last
 * time, going back, and which `young` never had; 0 for none. What is older than all that `young`
 * remembers does not count: memory is bounded.
 */
export function strayOf(old: Lineage, young: Lineage): Generation {
  const has = (g: Generation): boolean => g === young.generation || young.parents.includes(g);
  const line = [old.generation, ...old.parents];
  let last = line.length - 1;
  while (last >= 0 && !has(line[last] as Generation)) last -= 1;
  return line.slice(0, last + 1).find((g) => !has(g)) ?? 0;
}

/**
 * Whether the dirty map of a replica of `own` lineage names everything that is missing at a peer of
 * this lineage: the map began when the peer had `shared`. A disk that comes back as it was before
 * that one lacks what the map has been cleared of since.
 */
export function mapFits(
  own: Lineage,
  { shared, about }: Known,
  peer: Lineage & { readonly device?: number },
): boolean {
  if (shared === APART || !isAbout(about, peer.device ?? 0)) return false;
  // What the peer went through without us is in no map of ours.
  if (strayOf(peer, own) !== 0) return false;
  if (peer.generation === own.generation || peer.generation === shared) return true;
  return shared !== 0 && peer.parents.includes(shared);
}

/** The oldest go first, but never one that a peer may still have. */
export function boundedParents(all: readonly Generation[], block: Superblock): Generation[] {
  const parents = all.slice();
  const keep = sharedOf(block);
  while (parents.length > PARENTS_MAX) {
    let oldest = parents.length - 1;
    while (keep.includes(parents[oldest] as Generation)) oldest -= 1;
    parents.splice(oldest, 1);
  }
  return parents;
}
