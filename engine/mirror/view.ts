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
  const { layout = 0 } = config;
  const agreed = layout === 0 ? hello : { ...hello, layout };
  const compares = (config.skipEqual ?? 'off') !== 'off';
  return compares ? { ...agreed, features: Feature.ComparesCopies } : agreed;
}

/**
 * Why nothing may follow the hello of a partner on its link, '' where something may. Hosts that do
 * not agree on who holds a replica count writes and keep maps otherwise: they wait for each other.
 */
export function misfitOf(
  hello: Hello,
  { node }: Partner,
  { config, canary }: Pick<Parts, 'config' | 'canary'>,
): '' | 'wire-version' | 'garbage' | 'other-layout' {
  if (hello.wireMin > WIRE_MAX || hello.wireMax < WIRE_MIN) return 'wire-version';
  if (hello.view.node !== node) return 'garbage';
  const same = (hello.layout ?? 0) === (config.layout ?? 0) || canary.layoutIgnored;
  return same ? '' : 'other-layout';
}
