/** A leader that hears of a split brain: node 2 leads, node 1 has the newer data. */
import type { Agreed } from '../../engine/cluster/changes.ts';
import type { Entry, GroupState } from '../../engine/cluster/entries.ts';
import { Links } from '../../engine/cluster/heartbeat.ts';
import type { ResolveCommand, TakeOverCommand } from '../../engine/cluster/interface.ts';
import { Proposals } from '../../engine/cluster/proposals.ts';
import type { Raft } from '../../engine/cluster/raft.ts';
import { Resolution } from '../../engine/cluster/resolution.ts';
import { applyEntry, type ClusterState } from '../../engine/cluster/state.ts';
import { Views } from '../../engine/cluster/views.ts';
import type { SplitPolicy } from '../../engine/core/config.ts';
import type { Branch, Discard, DiskState, VolumeRecord } from '../../engine/data/messages.ts';
import {
  CONFIG,
  contextOf,
  factsOf,
  linkUp,
  OWNED,
  onlyGroup,
  onlyRecord,
  STILL,
} from './control-fixtures.ts';
import { VOLUME } from './control-host.ts';

/** The log's line: 7 both, 20 by node 1 alone, 30 by node 2 that took over. Node 2 leads. */
const LINE: readonly (readonly [generation: number, primary: number])[] = [
  [20, 1],
  [30, 2],
];

export function recordAt(generation: number, primary: number, epoch: number): VolumeRecord {
  const members = [{ node: primary, boot: 10 + primary }];
  return { volume: VOLUME, epoch, primary, members, generation };
}

export function stateOf(): ClusterState {
  let state = OWNED;
  for (const [generation, primary] of LINE) {
    const { epoch: from } = onlyRecord(state);
    const record = recordAt(generation, primary, from + 1);
    const entry: Entry = { kind: 'volume', event: '', from, record, reason: 'settle' };
    state = applyEntry(state, entry, CONFIG, 2);
  }
  return state;
}

export const HERE: Branch = {
  verdict: 'split-brain',
  generation: 20,
  parents: [7],
  peer: 30,
  shared: 20,
  epoch: 3,
  dirty: 0,
  padded: 0,
  settled: true,
};
export const THERE: Branch = {
  ...HERE,
  generation: 30,
  peer: 20,
  shared: 7,
  epoch: 4,
  dirty: 5,
  settled: false,
};

/** The order to give up what `node` has, as it is given here. */
export function orderOf(node: number, change: Partial<Discard> = {}): Discard {
  const [generation, keeps] = node === 1 ? [20, 30] : [30, 20];
  const plain = { node, generation, keeps, order: 5, by: 'operator', atMost: -1 } as const;
  return { ...plain, confirmed: false, ...change };
}

export interface Setup {
  readonly policy?: SplitPolicy;
  readonly here?: Partial<Branch> | null;
  readonly there?: Partial<Branch> | null;
  readonly disk?: DiskState;
  /** Whether what node 1 shows may not be on its disk. */
  readonly doubted?: boolean;
  /** And then only what an earlier core of it had received. */
  readonly lacking?: boolean;
  readonly record?: Partial<VolumeRecord>;
  readonly owner?: number;
  /** The set that still counts. */
  readonly base?: GroupState['base'];
  readonly canaries?: readonly string[];
  /** A node that nobody hears. */
  readonly away?: number;
  /** Nodes whose replicas are asynchronous. */
  readonly late?: readonly number[];
  /** Of each replica, in bytes. */
  readonly sideBytes?: number;
  /** Who keeps a branch that was given up before, 0 for nobody. */
  readonly keepsBranch?: number;
  /** What was agreed on of the configuration. */
  readonly agreed?: Agreed;
  /** Whether what was to be kept is at hand, as node 1 or 2 says. */
  readonly keeps?: readonly [boolean | undefined, boolean | undefined];
}

/** The leader, node 3, hears both replicas. */
export function setup({
  policy = 'manual',
  here = {},
  there = {},
  disk,
  doubted = false,
  lacking = false,
  record: change,
  owner = 2,
  base = [],
  canaries = [],
  away = 0,
  late = [],
  sideBytes = 0,
  keepsBranch = 0,
  agreed,
  keeps = [undefined, undefined],
}: Setup = {}) {
  const { context, marks } = contextOf(3, canaries);
  const links = new Links(context, () => STILL);
  const known = stateOf();
  const volumes = known.volumes.map((each) => ({ ...each, ...change }));
  const plain: ClusterState = { ...known, volumes };
  const state = agreed === undefined ? plain : { ...plain, agreed };
  const entries: Entry[] = [];
  const raft = { propose: (entry: Entry) => entries.push(entry) } as unknown as Raft;
  const views = new Views(
    context,
    links,
    () => state,
    () => factsOf(3),
  );
  const resolution = new Resolution(context, views, new Proposals(raft), () => state);
  const branches = [here && { ...HERE, ...here }, there && { ...THERE, ...there }];
  branches.forEach((branch, i) => {
    const node = i + 1;
    if (node !== away) linkUp(context, links, node);
    const peer = links.peer(node);
    if (peer === null) throw new Error('it is a peer');
    const facts = factsOf(node);
    const told = facts.volumes.map((each) => {
      const first = { ...each, disk: disk ?? each.disk, doubted, lacking };
      const said = node === 1 ? first : each;
      const kept = keeps[i];
      const keptBranch = { generation: 3, holds: false };
      const known = node === keepsBranch ? { ...said, keptBranch } : said;
      const word = kept === undefined ? known : { ...known, keeps: kept };
      return branch === null ? word : { ...word, branch };
    });
    peer.facts = { ...facts, volumes: told };
  });
  const found = context.units[0];
  if (found === undefined) throw new Error('there is a group');
  const replicas = found.volume.replicas.map((each) => {
    const sided = sideBytes === 0 ? each : { ...each, sideBytes };
    return late.includes(each.node) ? { ...sided, mode: 'async' as const } : sided;
  });
  const unit = { ...found, volume: { ...found.volume, splitBrain: policy, replicas } };
  const group = { ...onlyGroup(state), owner, base };
  const record = onlyRecord(state);
  const plan = () => resolution.plan(unit, group, record);
  const take = (command: Partial<ResolveCommand>) => {
    const order: ResolveCommand = {
      kind: 'resolve',
      volume: VOLUME,
      keep: 1,
      keeps: 20,
      discards: 30,
      epoch: record.epoch,
      atMost: -1,
      adopt: false,
      ...command,
    };
    const ref = { node: 3, life: 1003, id: 4 };
    return resolution.take(unit, group, record, order, ref, '');
  };
  const takeBack = (order: number) => {
    const ref = { node: 3, life: 1003, id: 5 };
    const command = { kind: 'take-back', volume: VOLUME, order } as const;
    return resolution.takeBack(group, record, command, ref, '');
  };
  const takeOver = (command: Partial<TakeOverCommand>) => {
    const ref = { node: 3, life: 1003, id: 6 };
    const order = { kind: 'take-over', volume: VOLUME, to: 1, epoch: record.epoch } as const;
    return resolution.takeOver(unit, group, record, { ...order, ...command }, ref, '');
  };
  const ripe = () => record.discard && resolution.ripe(unit, record, record.discard);
  return {
    plan,
    take,
    takeBack,
    takeOver,
    ripe,
    entries,
    record,
    marks,
    state,
    describe: () => resolution.describe(unit, record),
  };
}
