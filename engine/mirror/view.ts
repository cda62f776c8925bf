/** What this replica says of itself to a partner at the handshake. */
import type { ReplicaView } from './compare.ts';
import { DiskFlag } from './metadata.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';

/** Flags that say that acknowledged writes may be gone. */
const LOST = DiskFlag.Rebooted | DiskFlag.Doubted | DiskFlag.Lacking;

export function viewFor(
  partner: Partner,
  { config, state, store }: Pick<Parts, 'config' | 'state' | 'store'>,
): ReplicaView {
  const { block } = store;
  return {
    uuid: config.uuid,
    sizeBytes: config.sizeBytes,
    logicalBlock: config.logicalBlock,
    node: state.node,
    boot: state.boot,
    epoch: store.durableEpoch,
    generation: block.generation,
    parents: block.parents.slice(),
    disk: state.disk,
    dirty: partner.differing,
    rebooted: (block.flags & LOST) !== 0,
    primary: state.record?.primary === state.node,
  };
}
