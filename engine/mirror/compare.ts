/**
 * Whose data is newer: one pure function over what the two replicas say of themselves. Both hosts
 * compute it over the same two views and come to mirrored conclusions, or stay apart.
 */
import { crc32c } from '../core/crc32c.ts';
import type { BootId, Epoch, Generation, NodeId } from '../core/units.ts';
import type { Discard, DiskState } from '../data/messages.ts';
import { isAbout, type Lineage, strayOf } from './generation.ts';

/** What one replica says of itself at the handshake, frozen. */
export interface ReplicaView {
  readonly uuid: string;
  readonly sizeBytes: number;
  readonly logicalBlock: number;
  readonly node: NodeId;
  readonly boot: BootId;
  /** Highest epoch durably seen. */
  readonly epoch: Epoch;
  readonly generation: Generation;
  /** Youngest first. */
  readonly parents: readonly Generation[];
  readonly disk: DiskState;
  /** Dirty blocks, those that were hot at a crash included. */
  readonly dirty: number;
  /** Its host lost power since it was last known to have every acknowledged write. */
  readonly rebooted: boolean;
  /** It is the primary of the committed record. */
  readonly primary: boolean;
  /** Its disk, and that of the other one which its map is about: see generation.ts. */
  readonly device?: number;
  readonly about?: number;
}

export type Verdict = 'none' | 'source' | 'target' | 'split-brain' | 'unrelated' | 'refuse';

/** Why: the row of the table (reference/mirror.md §2.5). */
export type CompareReason =
  | 'other-volume'
  | 'other-size'
  | 'other-block'
  | 'no-disk'
  | 'both-fresh'
  | 'fresh'
  | 'equal'
  | 'equal-dirty-primary'
  | 'equal-dirty-survivor'
  | 'equal-dirty-node'
  | 'inconsistent'
  | 'outdated'
  | 'descendant'
  | 'no-source'
  | 'resolved'
  | 'common-ancestor'
  | 'nothing-common';

export interface Comparison {
  readonly verdict: Verdict;
  readonly reason: CompareReason;
}

/** Guards that a campaign may switch off. */
export interface CompareCanary {
  readonly rule03: boolean;
  readonly survivorYields: boolean;
  readonly fewerChangesLose?: boolean;
  readonly discardAny?: boolean;
  readonly orderUnconfirmed?: boolean;
  readonly branchAsAncestor?: boolean;
  readonly tailUnseen?: boolean;
}

const NO_CANARY: CompareCanary = { rule03: false, survivorYields: false };

/**
 * What `self` concludes: 'source' means that self's data is to be copied to the peer. `discard` is
 * the committed order to give a branch up, if there is one.
 */
export function compareReplicas(
  self: ReplicaView,
  peer: ReplicaView,
  canary: CompareCanary = NO_CANARY,
  discard: Discard | undefined = undefined,
): Comparison {
  if (self.uuid !== peer.uuid) return refuse('other-volume');
  if (self.sizeBytes !== peer.sizeBytes) return refuse('other-size');
  if (self.logicalBlock !== peer.logicalBlock) return refuse('other-block');
  if (!hasDisk(self) || !hasDisk(peer)) return refuse('no-disk');
  if (canary.survivorYields && self.rebooted !== peer.rebooted) {
    return side(self.rebooted, 'equal-dirty-survivor');
  }
  if (self.generation === 0 && peer.generation === 0) return refuse('both-fresh');
  if (self.generation === 0) return toTarget(peer, 'target', 'fresh');
  if (peer.generation === 0) return toTarget(self, 'source', 'fresh');
  if (self.generation === peer.generation) return compareEqual(self, peer, canary);
  const any = canary.branchAsAncestor === true;
  const tails = canary.tailUnseen !== true && (hasTail(self, discard) || hasTail(peer, discard));
  if (isAncestor(self, peer, any) && !tails) return toTarget(peer, 'target', 'descendant');
  if (isAncestor(peer, self, any) && !tails) return toTarget(self, 'source', 'descendant');
  const ordered = discard === undefined ? null : compareOrdered(self, peer, discard, canary);
  if (ordered !== null) return ordered;
  if (tails || self.parents.some((g) => peer.parents.includes(g))) {
    return { verdict: 'split-brain', reason: 'common-ancestor' };
  }
  return { verdict: 'unrelated', reason: 'nothing-common' };
}

/**
 * Whether `young` has all that `old` has, and went on from there. A generation that is known by
 * name only, because its taker was held for one that never served, is no proof: where `old` went
 * through others that `young` lacks, since one that both had, they parted there.
 */
function isAncestor(old: Lineage, young: Lineage, anyName: boolean): boolean {
  if (!young.parents.includes(old.generation)) return false;
  return anyName || strayOf(old, young) === 0;
}

/**
 * Whether `old` wrote what whoever took over by accepted loss has not: that is a branch, though
 * that one's image is of the same generation, until the order is confirmed. What is older than the
 * image was left behind in order.
 */
function hasTail(old: ReplicaView, discard: Discard | undefined): boolean {
  if (discard?.taker === undefined || discard.confirmed || old.node === discard.taker) return false;
  // Who is named is looked at first, whatever its maps say.
  if (old.node === discard.node) return true;
  return old.generation === discard.keeps && old.dirty > 0;
}

/** Two branches, and an order that names one of them; null where it means other data than these. */
function compareOrdered(
  self: ReplicaView,
  peer: ReplicaView,
  discard: Discard,
  canary: CompareCanary,
): Comparison | null {
  if (discard.node !== self.node && discard.node !== peer.node) return null;
  const [victim, kept] = discard.node === self.node ? [self, peer] : [peer, self];
  // Whatever was written since by somebody else was not given up.
  const named = victim.generation === discard.generation;
  const keeps = kept.generation === discard.keeps || kept.parents.includes(discard.keeps);
  // How much the victim has is looked at by whoever confirms: a copy that is begun marks it all.
  if (!discard.confirmed && canary.orderUnconfirmed !== true) return null;
  if (!(named && keeps) && canary.discardAny !== true) return null;
  return toTarget(kept, kept === self ? 'source' : 'target', 'resolved');
}

/** The same data set by name; the maps and the states say whether by content too. */
function compareEqual(self: ReplicaView, peer: ReplicaView, canary: CompareCanary): Comparison {
  const selfBad = self.disk === 'Inconsistent';
  const peerBad = peer.disk === 'Inconsistent';
  if (selfBad && peerBad) return refuse('no-source');
  if (selfBad !== peerBad) return side(peerBad, 'inconsistent');
  if ((self.disk === 'Outdated') !== (peer.disk === 'Outdated')) {
    return side(peer.disk === 'Outdated', 'outdated');
  }
  // RULE-03: an equal generation must still honour the dirty maps.
  const known = areKnown(self, peer) && areKnown(peer, self);
  if (canary.rule03 || (known && self.dirty + peer.dirty === 0))
    return { verdict: 'none', reason: 'equal' };
  if (canary.fewerChangesLose && self.dirty !== peer.dirty) {
    return side(self.dirty > peer.dirty, 'equal-dirty-node');
  }
  // RULE-09: whoever did not lose power has every acknowledged write.
  if (self.rebooted !== peer.rebooted) return side(peer.rebooted, 'equal-dirty-survivor');
  if (self.primary !== peer.primary) return side(self.primary, 'equal-dirty-primary');
  return side(self.node < peer.node, 'equal-dirty-node');
}

/** Whether the map of `self` is about the disk of `peer`. */
function areKnown({ about = 0 }: ReplicaView, { device = 0 }: ReplicaView): boolean {
  return isAbout(about, device);
}

/** Both sides' conclusions, from whichever seen, in one number that must agree. */
export function decisionHash(
  self: ReplicaView,
  peer: ReplicaView,
  comparison: Comparison,
  round: number,
): number {
  const low = self.node < peer.node ? self : peer;
  const high = low === self ? peer : self;
  const { verdict } = comparison;
  const source = verdict === 'source' ? self.node : verdict === 'target' ? peer.node : 0;
  const text =
    `${round}|${verdict === 'source' || verdict === 'target' ? 'copy' : verdict}|${source}|` +
    `${comparison.reason}|${summary(low)}|${summary(high)}`;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return crc32c(bytes, 0, bytes.length, 0);
}

function summary(v: ReplicaView): string {
  return `${v.node}.${v.boot}.${v.epoch}.${v.generation}.${v.disk}.${v.dirty}.${v.rebooted}`;
}

function hasDisk(view: ReplicaView): boolean {
  return view.disk !== 'Diskless' && view.disk !== 'Failed';
}

function side(selfIsSource: boolean, reason: CompareReason): Comparison {
  return { verdict: selfIsSource ? 'source' : 'target', reason };
}

/** A half-copied replica is no image of any moment: it is never a source. */
function toTarget(
  source: ReplicaView,
  verdict: 'source' | 'target',
  reason: CompareReason,
): Comparison {
  return source.disk === 'Inconsistent' ? refuse('no-source') : { verdict, reason };
}

function refuse(reason: CompareReason): Comparison {
  return { verdict: 'refuse', reason };
}
