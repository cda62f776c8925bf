/** What this replica says of itself to a partner at the handshake. */
import type { ReplicaView } from './compare.ts';
import { diskTag } from './generation.ts';
import { Feature, type PeerMessage, WIRE_MAX, WIRE_MIN } from './messages.ts';
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
    device: diskTag(block.device),
    about: partner.known.about,
  };
}

type Hello = PeerMessage & { readonly kind: 'hello' };

/** What opens a handshake, or answers one. */
export function helloOf(
  { config, state }: Pick<Parts, 'config' | 'state'>,
  { round, answer, view }: Pick<Hello, 'round' | 'answer' | 'view'>,
): Hello {
  const wire = { wireMin: WIRE_MIN, wireMax: WIRE_MAX };
  const hello: Hello = { kind: 'hello', round, answer, ...wire, view, record: state.record };
  const compares = (config.skipEqual ?? 'off') !== 'off';
  return compares ? { ...hello, features: Feature.ComparesCopies } : hello;
}

/** Why nothing comes of a hello; '' where something may. */
export function misfitOf(hello: Hello, { node }: Partner): '' | 'wire-version' | 'garbage' {
  if (hello.wireMin > WIRE_MAX || hello.wireMax < WIRE_MIN) return 'wire-version';
  return hello.view.node === node ? '' : 'garbage';
}
