/**
 * What a replica's format has beyond its version, and which of it a program has to know that may
 * write there, or read.
 */
import type { MirrorConfig } from './config.ts';

/** Read-only-compatible: a checksum map, which whoever writes the data has to keep true. */
export const CHECKSUMS: number = 1;
/** The same of {@link Features.readOnlyCompatible}. */
export const READ_ONLY_COMPATIBLE_KNOWN: number = CHECKSUMS;
/** Maps towards more than one other replica: who knows one alone would take theirs for its own. */
const SEVERAL = 1;
/** A spare area: a block may stand elsewhere than in its place. */
const SPARE = 2;
/** A journal page may need those before it: who takes it for the whole hot set forgets the rest. */
const WINDOWS = 4;
/** Data on several disks: on the one that it took for all, another program would find a part. */
const PARTS = 8;
/** Its holders were agreed on online: a program of before would link with any of them. */
const AGREED = 16;
/** A branch that was given up is kept in the side area: who does not know it would overwrite it. */
const BRANCH = 32;
/** All of {@link Features.incompatible} that this program knows. */
export const INCOMPATIBLE_KNOWN: number = SEVERAL | SPARE | WINDOWS | PARTS | AGREED | BRANCH;

/** What a replica's format has beyond its version: 32 flags each. */
export interface Features {
  /** Who does not know one of these may do everything; it is kept. */
  readonly compatible: number;
  /** Who does not know one of these may read and verify, never write: so it leads nothing. */
  readonly readOnlyCompatible: number;
  /** Who does not know one of these must not even read. */
  readonly incompatible: number;
}

/** Bits of {@link Features.incompatible}. */
export const Feature: Readonly<
  Record<'Several' | 'Spare' | 'Windows' | 'Parts' | 'Agreed' | 'Branch', number>
> = {
  Several: SEVERAL,
  Spare: SPARE,
  Windows: WINDOWS,
  Parts: PARTS,
  Agreed: AGREED,
  Branch: BRANCH,
};

/** The features of what this program formats for two replicas, where the volume asks for none. */
export const OWN_FEATURES: Features = {
  compatible: 0,
  readOnlyCompatible: 0,
  incompatible: SPARE,
};

/** The features of what this program formats for a volume. */
export function ownFeatures({ checksums, nodes, inParts, layout = 0 }: MirrorConfig): Features {
  const readOnlyCompatible = checksums ? CHECKSUMS : 0;
  const several = nodes.length > 2 ? SEVERAL : 0;
  const parts = inParts === true ? PARTS : 0;
  const agreed = layout > 0 ? AGREED : 0;
  return { compatible: 0, readOnlyCompatible, incompatible: several | SPARE | parts | agreed };
}

/** The same features, with or without pages of the journal that need those before them. */
export function withWindows(features: Features, windows: boolean): Features {
  const others = features.incompatible & ~WINDOWS;
  return { ...features, incompatible: windows ? others | WINDOWS : others };
}

/** The same features, with or without a branch that is kept in the side area. */
export function withBranch(features: Features, branch: boolean): Features {
  const others = features.incompatible & ~BRANCH;
  return { ...features, incompatible: branch ? others | BRANCH : others };
}
