/**
 * The replicated state machine: what the committed log says. `applyEntry` is pure, so that every
 * voter that applied the same entries holds the same state. It never believes a proposer: epochs,
 * serials and proofs are checked again here.
 */
import type { ClusterConfig } from '../core/config.ts';
import type { BootId, Generation, NodeId } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { CommandRef, Entry, GroupState, Proof, Voter } from './entries.ts';
import { unitsOf } from './groups.ts';
import type { Began } from './split-brain.ts';

/** Boots of a node that a commit has made known; a past boot never becomes current again. */
export interface KnownBoot {
  readonly node: NodeId;
  readonly boot: BootId;
  readonly past: readonly BootId[];
}

export interface ClusterState {
  /** Empty before genesis. */
  readonly voters: readonly Voter[];
  readonly volumes: readonly VolumeRecord[];
  readonly groups: readonly GroupState[];
  /** Lease epochs: raised whenever attestations about a node are settled. */
  readonly leases: readonly { readonly node: NodeId; readonly epoch: number }[];
  readonly boots: readonly KnownBoot[];
  /**
   * Commands of people that became entries, oldest first: one that is sent again after a change of
   * leader is answered, not judged by what it did. All of them succeeded; a refusal is no entry.
   */
  readonly commands: readonly CommandRef[];
  /** How each volume's last generations began, oldest first; absent in states of before. */
  readonly begun?: readonly BegunGeneration[];
}

/** A generation that a record began, stamped by the log. */
export interface BegunGeneration extends Began {
  readonly volume: string;
  readonly generation: Generation;
}

/** The state before genesis. */
export const EMPTY_STATE: ClusterState = stateOf([], [], [], [], [], []);

const PAST_MAX = 16;
/** Far more than can be waiting for an answer at a time, few enough for a snapshot's message. */
export const COMMANDS_MAX = 256;
/** Generations of one volume whose beginning is kept: a split brain is seldom older. */
export const BEGUN_MAX = 8;

export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

export function groupOf(state: ClusterState, name: string): GroupState | null {
  return state.groups.find((group) => group.group === name) ?? null;
}

export function recordOf(state: ClusterState, volume: string): VolumeRecord | null {
  return state.volumes.find((record) => record.volume === volume) ?? null;
}

export function identityOf(state: ClusterState, node: NodeId): number {
  for (const voter of state.voters) if (voter.node === node) return voter.identity;
  return 0;
}

export function leaseEpochOf(state: ClusterState, node: NodeId): number {
  for (const lease of state.leases) if (lease.node === node) return lease.epoch;
  return 0;
}

export function bootOf(state: ClusterState, node: NodeId): BootId {
  for (const known of state.boots) if (known.node === node) return known.boot;
  return 0;
}

/** Whether this command has become an entry. */
export function commandTaken(state: ClusterState, { node, life, id }: CommandRef): boolean {
  return state.commands.some(
    (known) => known.node === node && known.life === life && known.id === id,
  );
}

/** The next state; the same object when the entry lost its race or proves nothing. */
export function applyEntry(
  state: ClusterState,
  entry: Entry,
  config: ClusterConfig,
  attestationsNeeded: number,
): ClusterState {
  switch (entry.kind) {
    case 'noop':
      return state;
    case 'genesis':
      return state.voters.length > 0 ? state : genesis(entry, config);
    case 'readmit':
      return readmit(state, entry.node, entry.was, entry.identity);
    case 'volume': {
      const record = recordOf(state, entry.record.volume);
      if (record === null || record.epoch !== entry.from) return state;
      const { command = null } = entry;
      if (command !== null && commandTaken(state, command)) return state;
      const next = withRecord(state, entry.record, entry.changed ?? 0);
      return command === null ? next : withCommand(next, command);
    }
    case 'group': {
      const group = groupOf(state, entry.next.group);
      if (group === null || group.serial !== entry.from) return state;
      if (entry.command !== null && commandTaken(state, entry.command)) return state;
      if (entry.record !== null) {
        const record = recordOf(state, entry.record.volume);
        if (record === null || record.epoch !== entry.recordFrom) return state;
      }
      if (!proves(state, group, entry.next, entry.proof, attestationsNeeded)) return state;
      let next = withGroup(state, entry.next);
      if (entry.record !== null) next = withRecord(next, entry.record);
      if (entry.proof.kind === 'lease-expired') next = settle(next, entry.proof.node);
      if (entry.command !== null) next = withCommand(next, entry.command);
      return next;
    }
    case 'settle':
      return leaseEpochOf(state, entry.node) === entry.lease ? settle(state, entry.node) : state;
    case 'boot':
      return withBoot(state, entry.node, entry.was, entry.boot);
  }
}

/** Whether the proof allows the owner, or its life, to change from `group` to `next`. */
export function proves(
  state: ClusterState,
  group: GroupState,
  next: GroupState,
  proof: Proof,
  attestationsNeeded: number,
): boolean {
  if (next.epoch === group.epoch) return next.owner === group.owner;
  if (next.epoch !== group.epoch + 1) return false;
  if (group.owner === 0) return proof.kind === 'none';
  if (proof.kind === 'none') return false;
  if (proof.node !== group.owner) return false;
  switch (proof.kind) {
    case 'assumed':
      return true;
    case 'self':
      return next.owner === group.owner && next.ownerBoot === group.ownerBoot;
    case 'stopped':
      return group.phase === 'stopping' && proof.epoch === group.epoch;
    case 'idle':
      return proof.life !== group.ownerLife;
    case 'rebooted':
      return proof.boot !== group.ownerBoot;
    case 'lease-expired': {
      if (proof.lease !== leaseEpochOf(state, group.owner)) return false;
      const nodes = new Set<NodeId>();
      for (const voter of proof.voters) {
        if (identityOf(state, voter.node) === voter.identity) nodes.add(voter.node);
      }
      return nodes.size >= Math.min(attestationsNeeded, majorityOf(state.voters.length));
    }
  }
}

function genesis(entry: Extract<Entry, { kind: 'genesis' }>, config: ClusterConfig): ClusterState {
  const groups: GroupState[] = unitsOf(config).map((unit) => ({
    group: unit.group.name,
    serial: 1,
    epoch: 0,
    owner: 0,
    ownerBoot: 0,
    ownerLife: 0,
    recordEpoch: 0,
    base: [],
    phase: 'offline',
    wanted: 'run',
    target: 0,
    last: 0,
    failed: [],
    blocked: null,
  }));
  const leases = config.nodes.map((node) => ({ node: node.id, epoch: 1 }));
  const boots = entry.boots.map((known) => ({ node: known.node, boot: known.boot, past: [] }));
  return stateOf(entry.voters, entry.volumes, groups, leases, boots, []);
}

/**
 * Every state is made here, field by field: a chain of spreads gives each state a hidden shape of
 * its own, and whoever reads many of them then looks its fields up by name.
 */
function stateOf(
  voters: ClusterState['voters'],
  volumes: ClusterState['volumes'],
  groups: ClusterState['groups'],
  leases: ClusterState['leases'],
  boots: ClusterState['boots'],
  commands: ClusterState['commands'],
  begun: readonly BegunGeneration[] = [],
): ClusterState {
  return { voters, volumes, groups, leases, boots, commands, begun };
}

function readmit(state: ClusterState, node: NodeId, was: number, identity: number): ClusterState {
  const voter = state.voters.find((v) => v.node === node);
  if (voter === undefined || voter.identity !== was) return state;
  if (identity === was || voter.past.includes(identity)) return state;
  const past = [...voter.past, was].slice(-PAST_MAX);
  const voters = state.voters.map((v) => (v.node === node ? { node, identity, past } : v));
  const { volumes, groups, leases, boots, commands, begun } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun);
}

function withRecord(state: ClusterState, record: VolumeRecord, changed = 0): ClusterState {
  const before = recordOf(state, record.volume);
  const volumes = state.volumes.map((v) => (v.volume === record.volume ? recordIn(record) : v));
  const { voters, groups, leases, boots, commands } = state;
  const begun =
    before === null ? state.begun : begunWith(state.begun ?? [], before, record, changed);
  return stateOf(voters, volumes, groups, leases, boots, commands, begun);
}

function withGroup(state: ClusterState, next: GroupState): ClusterState {
  const groups = state.groups.map((g) => (g.group === next.group ? groupIn(next) : g));
  const { voters, volumes, leases, boots, commands, begun } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun);
}

function withCommand(state: ClusterState, command: CommandRef): ClusterState {
  const { voters, volumes, groups, leases, boots, begun } = state;
  const commands = [...state.commands, command].slice(-COMMANDS_MAX);
  return stateOf(voters, volumes, groups, leases, boots, commands, begun);
}

/**
 * The record as states hold it: see {@link stateOf}. The type of `known` makes the compiler ask for
 * a field that is added, even one that may be absent.
 */
function recordIn(record: VolumeRecord): VolumeRecord {
  const { volume, epoch, primary, members, generation, voided, discard, takenBack } = record;
  const known: { -readonly [K in keyof VolumeRecord]: VolumeRecord[K] } = {
    volume,
    epoch,
    primary,
    members,
    generation,
  };
  const more: { [K in OptionalOf<VolumeRecord>]-?: VolumeRecord[K] | undefined } = {
    voided,
    discard,
    takenBack,
  };
  if (more.voided !== undefined) known.voided = more.voided;
  if (more.discard !== undefined) known.discard = more.discard;
  if (more.takenBack !== undefined) known.takenBack = more.takenBack;
  return known;
}

/** Names of the fields that may be absent. */
type OptionalOf<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** The beginnings that are kept, with that of the record's generation if it is a new one. */
function begunWith(
  begun: readonly BegunGeneration[],
  before: VolumeRecord,
  { volume, generation, epoch, primary }: VolumeRecord,
  changed: number,
): readonly BegunGeneration[] {
  if (generation === before.generation) {
    if (changed === 0) return begun;
    return begun.map((each) => {
      if (each.volume !== volume || each.generation !== generation) return each;
      return { ...each, changed: Math.max(each.changed, changed) };
    });
  }
  const active = before.primary === primary;
  const after = before.generation;
  const next = [...begun, { volume, generation, epoch, active, after, changed: 0 }];
  const own = next.filter((each) => each.volume === volume);
  if (own.length <= BEGUN_MAX) return next;
  return next.filter((each) => each !== own[0]);
}

/** How a generation of the volume began, null where the log does not know. */
export function begunOf(state: ClusterState, volume: string, generation: Generation): Began | null {
  const found = (state.begun ?? []).find((b) => {
    return b.volume === volume && b.generation === generation;
  });
  return found ?? null;
}

/** The group as states hold it: see {@link stateOf}. */
function groupIn(next: GroupState): Required<GroupState> {
  const { group, serial, epoch, owner, ownerBoot, ownerLife, recordEpoch, base } = next;
  const { phase, wanted, target, last, failed, blocked } = next;
  return {
    group,
    serial,
    epoch,
    owner,
    ownerBoot,
    ownerLife,
    recordEpoch,
    base,
    phase,
    wanted,
    target,
    last,
    failed,
    blocked,
  };
}

function settle(state: ClusterState, node: NodeId): ClusterState {
  const leases = state.leases.map((l) => (l.node === node ? { node, epoch: l.epoch + 1 } : l));
  const { voters, volumes, groups, boots, commands, begun } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun);
}

function withBoot(state: ClusterState, node: NodeId, was: BootId, boot: BootId): ClusterState {
  const known = state.boots.find((b) => b.node === node);
  if (known === undefined || known.boot !== was) return state;
  if (boot === was || known.past.includes(boot)) return state;
  const past = [...known.past, was].slice(-PAST_MAX);
  const boots = state.boots.map((b) => (b.node === node ? { node, boot, past } : b));
  const { voters, volumes, groups, leases, commands, begun } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun);
}
