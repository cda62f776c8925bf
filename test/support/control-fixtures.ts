/** Small pieces of a cluster for tests of single modules. */
import { flagsOf } from '../../engine/cluster/canaries.ts';
import { Context } from '../../engine/cluster/context.ts';
import type { GenesisEntry, GroupState } from '../../engine/cluster/entries.ts';
import type { Beat, Links } from '../../engine/cluster/heartbeat.ts';
import type { ControlDecision } from '../../engine/cluster/interface.ts';
import type { FactsMessage, Heartbeat } from '../../engine/cluster/messages.ts';
import type { Candidate } from '../../engine/cluster/placement.ts';
import { applyEntry, type ClusterState, EMPTY_STATE } from '../../engine/cluster/state.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { DiskState, VolumeRecord } from '../../engine/data/messages.ts';
import { GROUP, testConfig, VOLUME } from './control-host.ts';

export const CONFIG = testConfig();
export const NO_FLAGS = flagsOf(new Set());

export const GENESIS: GenesisEntry = {
  kind: 'genesis',
  event: '',
  proposer: 101,
  ballot: 1,
  voters: [1, 2, 3].map((node) => ({ node, identity: 100 + node, past: [] })),
  volumes: [
    {
      volume: VOLUME,
      epoch: 1,
      primary: 0,
      members: [
        { node: 1, boot: 11 },
        { node: 2, boot: 12 },
      ],
      generation: 7,
    },
  ],
  boots: [1, 2, 3].map((node) => ({ node, boot: 10 + node })),
};

export const FORMED: ClusterState = applyEntry(EMPTY_STATE, GENESIS, CONFIG, 2);

/** Node 1 owns the group and leads the volume, both in sync. */
export const OWNED: ClusterState = {
  ...FORMED,
  volumes: FORMED.volumes.map((record) => ({ ...record, epoch: 2, primary: 1 })),
  groups: FORMED.groups.map((group) => ({
    ...group,
    serial: 2,
    epoch: 1,
    owner: 1,
    ownerBoot: 11,
    ownerLife: 1001,
    recordEpoch: 2,
    phase: 'online',
    last: 1,
  })),
};

export function onlyGroup(state: ClusterState): GroupState {
  const group = state.groups.find((g) => g.group === GROUP);
  if (group === undefined) throw new Error('the state has no group');
  return group;
}

export function onlyRecord(state: ClusterState): VolumeRecord {
  const record = state.volumes.find((v) => v.volume === VOLUME);
  if (record === undefined) throw new Error('the state has no volume');
  return record;
}

/** A context in the first life of `node`, with boot 1n, identity 10n and life 100n. */
export function contextOf(
  node: number,
  canaries: readonly string[] = [],
): { readonly context: Context; readonly marks: string[] } {
  const marks: string[] = [];
  const flags = flagsOf(new Set(canaries));
  const context = new Context(CONFIG, node, new Rng(1, node), flags, (mark) => marks.push(mark));
  context.boot = 10 + node;
  context.session = 1;
  context.life = 1000 + node;
  context.identity = 100 + node;
  return { context, marks };
}

/** A replica that was read and is well. */
const READ = {
  volume: VOLUME,
  attached: true,
  generation: 7,
  epoch: 1,
  want: null,
  doubted: false,
} as const;

export function factsOf(node: number, disk: DiskState = 'UpToDate'): FactsMessage {
  return {
    kind: 'facts',
    boot: 10 + node,
    life: 1000 + node,
    event: '',
    version: 1,
    identity: 100 + node,
    formed: true,
    attested: [],
    volumes: node === 3 ? [] : [{ ...READ, disk }],
    groups: [],
  };
}

export function candidateOf(node: number, change: Partial<Candidate> = {}): Candidate {
  const facts = factsOf(node);
  return { node, reachable: true, boot: 10 + node, life: 1000 + node, facts, ...change };
}

export function heartbeatOf(node: number, change: Partial<Heartbeat> = {}): Heartbeat {
  return {
    kind: 'heartbeat',
    boot: 10 + node,
    life: 1000 + node,
    event: '',
    identity: 100 + node,
    sent: 0,
    yours: 0,
    heard: -1,
    term: 1,
    leader: 0,
    commit: 0,
    matched: 0,
    facts: -1,
    factsHeard: -1,
    lease: 0,
    hears: [],
    ...change,
  };
}

/** What a node that knows nothing says of itself. */
export const STILL: Beat = {
  term: 0,
  leader: 0,
  commit: 0,
  matched: 0,
  facts: -1,
  lease: 0,
  event: '',
};

/** Makes every link to the peer look heard both ways at `now`. */
export function linkUp(context: Context, links: Links, node: number): void {
  const peer = links.peer(node);
  if (peer === null) throw new Error('no such peer');
  const { now, life } = context;
  const beat = heartbeatOf(node, { sent: now, yours: life, heard: now });
  links.admit(peer, beat);
  peer.links.forEach((_, i) => {
    links.onHeartbeat(peer, i, beat);
  });
}

export function ofKind<K extends ControlDecision['kind']>(
  decisions: readonly ControlDecision[],
  kind: K,
): readonly Extract<ControlDecision, { kind: K }>[] {
  return decisions.filter((d): d is Extract<ControlDecision, { kind: K }> => d.kind === kind);
}
