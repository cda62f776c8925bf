/**
 * What becomes of the data of one side of a split brain if it is given up: whether its replica will
 * keep them in its side area (docs/decisions/0036), as far as that can be known before. Pure; what
 * is so when the copy begins, the replica judges for itself.
 */
import type { VolumeConfig } from '../core/config.ts';
import { BLOCK_BYTES, type NodeId } from '../core/units.ts';
import type { DiskState } from '../data/messages.ts';
import { undoLayout } from '../mirror/undo-log.ts';

export interface BranchFate {
  /**
   * perhaps: as far as it has room. later: the copy does not begin until a person drops the branch
   * that is kept there now, and then it is.
   */
  readonly kept: 'yes' | 'perhaps' | 'later' | 'no';
  /** Why not, or not for certain; '' where it is kept. */
  readonly reason:
    | ''
    | 'small-side-area'
    | 'branch-kept-there'
    | 'no-side-area'
    | 'asynchronous-replica'
    | 'no-image-there';
}

/** The fate of what `node` has, with a disk in that state, perhaps with another branch there. */
export function branchFate(
  volume: VolumeConfig,
  node: NodeId,
  disk: DiskState,
  hasBranch: boolean,
): BranchFate {
  const replica = volume.replicas.find((each) => each.node === node);
  const layout = undoLayout(replica?.sideBytes ?? 0);
  const isImage = disk === 'UpToDate' || disk === 'Consistent' || disk === 'Outdated';
  if (layout === null) return { kept: 'no', reason: 'no-side-area' };
  if (replica?.mode === 'async') return { kept: 'no', reason: 'asynchronous-replica' };
  if (!isImage) return { kept: 'no', reason: 'no-image-there' };
  if (hasBranch) {
    return { kept: volume.undo === 'required' ? 'later' : 'no', reason: 'branch-kept-there' };
  }
  // What holds nothing but zeroes takes no room, but nobody knows yet how much that is.
  const blocks = Math.ceil(volume.sizeBytes / BLOCK_BYTES);
  if (layout.pages - layout.payload < blocks) return { kept: 'perhaps', reason: 'small-side-area' };
  return { kept: 'yes', reason: '' };
}
