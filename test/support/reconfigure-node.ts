/** A node that takes changes of the configuration into use, by hand. */
import { flagsOf } from '../../engine/cluster/canaries.ts';
import {
  agreedWith,
  begunOf,
  type ConfigChange,
  doneOf,
  NOTHING_AGREED,
  type Stage,
} from '../../engine/cluster/changes.ts';
import { Context } from '../../engine/cluster/context.ts';
import type { Entry, GroupState } from '../../engine/cluster/entries.ts';
import type { Links } from '../../engine/cluster/heartbeat.ts';
import type { ControlDecision } from '../../engine/cluster/interface.ts';
import { Durability } from '../../engine/cluster/persist.ts';
import type { Proposals } from '../../engine/cluster/proposals.ts';
import { Reconfigure } from '../../engine/cluster/reconfigure.ts';
import { type ClusterState, EMPTY_STATE } from '../../engine/cluster/state.ts';
import { Volumes } from '../../engine/cluster/volumes.ts';
import { Rng } from '../../engine/core/rng.ts';
import { OWNED, ofKind, onlyGroup, onlyRecord } from './control-fixtures.ts';
import { THREE_OF_THREE as THREE } from './trio-configs.ts';

export const volume = 'data';

type Change<Kind extends ConfigChange['kind']> = ConfigChange & { readonly kind: Kind };

export const REMOVE: Change<'remove-replica'> = { kind: 'remove-replica', volume, node: 2 };
export const REPLACE: Change<'replace-replica'> = {
  kind: 'replace-replica',
  volume,
  node: 2,
  path: '/dev/new',
  meta: '',
};
export const ADD: Change<'add-replica'> = {
  kind: 'add-replica',
  volume,
  replica: { node: 3, path: '/dev/c', meta: '' },
  listen: [],
  place: 2,
};

/** The volume is led by node 1; `members` are in sync. The change has begun, unless said. */
export function stateOf(
  change: ConfigChange,
  members: readonly number[],
  owner = 1,
  stage: Stage | 'done' = 'begun',
): ClusterState {
  const record = {
    ...onlyRecord(OWNED),
    volume,
    epoch: EPOCH,
    primary: owner,
    members: members.map((node) => ({ node, boot: 10 + node })),
  };
  const group: GroupState = { ...onlyGroup(OWNED), group: 'shop', owner, base: [], target: 0 };
  const ordered = agreedWith(NOTHING_AGREED, change);
  const agreed =
    stage === 'ordered' ? ordered : stage === 'begun' ? begunOf(ordered) : doneOf(ordered);
  return { ...EMPTY_STATE, volumes: [record], groups: [group], agreed };
}

export const EPOCH = 7;
export const SIZE = THREE.volumes[0]?.sizeBytes ?? 0;

/** Node `node`, which hears that the others have these versions in use. */
export function on(
  node: number,
  state: ClusterState,
  others: { readonly [node: number]: number } = {},
  more: {
    readonly config?: typeof THREE;
    readonly canaries?: readonly string[];
    /** Nodes whose next core could run by it; all of them, if it is not said. */
    readonly able?: readonly number[];
    /** How long its core has lived. */
    readonly age?: number;
    /** Nodes whose replicas are open and have everything; all of them, if it is not said. */
    readonly whole?: readonly number[];
    /** The record in which whoever leads says that it serves. */
    readonly active?: number;
    /** The disk that each other node says it has open. */
    readonly device?: number;
    /** Others are in another life than the one in which they spoke. */
    readonly reborn?: boolean;
  } = {},
) {
  const { config = THREE, canaries = [], able = [1, 2, 3], whole = [1, 2, 3] } = more;
  const flags = flagsOf(new Set(canaries));
  const context = new Context(config, node, new Rng(1, node), flags, () => {});
  context.now = more.age ?? 60_000_000;
  context.boot = 10 + node;
  const durability = new Durability(context);
  const volumes = new Volumes(context);
  const own = volumes.get(volume);
  const { active = EPOCH } = more;
  if (own !== null && whole.includes(node)) {
    Object.assign(own, { attached: true, disk: 'UpToDate', active });
  }
  const versions = new Map(Object.entries(others).map(([id, inUse]) => [Number(id), inUse]));
  const peers = config.nodes
    .filter(({ id }) => id !== node)
    .map(({ id }) => {
      const ready = able.includes(id) ? 1 : 0;
      const is = whole.includes(id);
      const { device, reborn = false } = more;
      const plain = { volume, attached: is, disk: is ? 'UpToDate' : 'Diskless', active };
      const local = device === undefined ? plain : { ...plain, device };
      const facts = {
        life: reborn ? id + 100 : id,
        config: versions.get(id) ?? 0,
        ready,
        volumes: [local],
      };
      return { node: id, life: id, boot: 10 + id, facts };
    });
  const links = {
    peers,
    peer: (id: number) => peers.find((each) => each.node === id) ?? null,
    reachable: (id: number) => versions.has(id),
  } as unknown as Links;
  let changed = 0;
  const parts = { durability, links, volumes };
  const reconfigure = new Reconfigure(
    context,
    parts,
    () => state,
    () => {
      changed += 1;
    },
  );
  /** Runs until nothing more comes of it: the host is asked, and its disk written. */
  const run = (said: string | ((version: number) => string) = ''): readonly ControlDecision[] => {
    const all: ControlDecision[] = [];
    for (let pass = 0; pass < 4; pass += 1) {
      reconfigure.run();
      durability.flush(() => ({ taken: reconfigure.taken }));
      const decisions = context.take();
      all.push(...decisions);
      for (const { version } of ofKind(decisions, 'prepare')) {
        reconfigure.prepared(version, typeof said === 'string' ? said : said(version));
      }
      for (const { token } of ofKind(decisions, 'persist')) durability.persisted(token);
      all.push(...context.take());
    }
    return all;
  };
  /** What it proposes as the leader. */
  const lead = (): readonly Entry[] => {
    const entries: Entry[] = [];
    const proposals = { busy: () => false, propose: (entry: Entry) => entries.push(entry) };
    reconfigure.lead(proposals as unknown as Proposals);
    return entries;
  };
  const steps = (): unknown =>
    lead().map((entry) => (entry.kind === 'config-step' ? entry.to : ''));
  return { run, lead, steps, reconfigure, volumes, context, changes: () => changed };
}

export const restarts = (decisions: readonly ControlDecision[]): number => {
  return ofKind(decisions, 'restart-core').length;
};

/** What a node waits for, as its status has it. */
export const waits = (host: ReturnType<typeof on>): string => {
  host.run();
  return host.reconfigure.status?.waits?.reason ?? '';
};

/** What becomes of an order at node 1, which leads; a reason where it is refused. */
export function judge(
  change: ConfigChange,
  members: readonly number[],
  config = THREE,
  from = 1,
): string {
  // Version 1 is in use everywhere: it is about something else.
  const before: ConfigChange = { ...REPLACE, node: 3 };
  const { reconfigure } = on(1, stateOf(before, members, 1, 'done'), { 2: 1, 3: 1 }, { config });
  reconfigure.restore({ ...doneOf(agreedWith(NOTHING_AGREED, before)), before: [] });
  const verdict = reconfigure.judge({ kind: 'configure', from, change });
  return typeof verdict === 'string' ? verdict : verdict.reason;
}
