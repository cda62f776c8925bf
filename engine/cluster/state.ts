/**
 * The replicated state machine: what the committed log says. `applyEntry` is pure, so that every
 * voter that applied the same entries holds the same state. It never believes a proposer: epochs,
 * serials and proofs are checked again here.
 */
import type { ClusterConfig } from '../core/config.ts';
import type { BootId, Generation, NodeId } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { Flags } from './canaries.ts';
import {
  type Agreed,
  agreedWith,
  begunOf as begun,
  bytesOf,
  CHANGES_BYTES,
  CHANGES_MAX,
  type ConfigChange,
  doneOf,
  leaves,
  NOTHING_AGREED,
  nodeOf,
  openChange,
  provedOf,
  withdrawnOf,
} from './changes.ts';
import type { Blocked, CommandRef, Entry, GroupState, Proof, Voter } from './entries.ts';
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
  /** What was agreed on of the configuration; absent until the first change. */
  readonly agreed?: Agreed;
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
  bugs: StateBugs = NO_BUGS,
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
      const { command = null, inUse = 0 } = entry;
      if (!admits(state, record, entry.record, inUse, bugs)) return state;
      if (command !== null && commandTaken(state, command)) return state;
      const next = proved(
        withRecord(state, entry.record, entry.changed ?? 0),
        record,
        entry.record,
      );
      return command === null ? next : withCommand(next, command);
    }
    case 'group': {
      const group = groupOf(state, entry.next.group);
      if (group === null || group.serial !== entry.from) return state;
      if (entry.command !== null && commandTaken(state, entry.command)) return state;
      if (entry.record !== null) {
        const record = recordOf(state, entry.record.volume);
        if (record === null || record.epoch !== entry.recordFrom) return state;
        const known = { ...record, members: [...record.members, ...group.base] };
        if (!admits(state, known, entry.record, null, bugs)) return state;
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
    case 'config': {
      const { from, change, command } = entry;
      const before = agreedOf(state);
      if (before.version !== from) return state;
      if (command !== null && commandTaken(state, command)) return state;
      // One at a time, until it is in use: all guards are about the last one.
      if (before.stage !== undefined && !bugs.secondChange) return state;
      const unit = unitsOf(config).find(({ volume }) => volume.name === change.volume);
      if (unit === undefined || stays(state, unit.group.name, change, bugs) !== null) return state;
      const agreed = agreedWith(before, change);
      if (!fits(agreed)) return state;
      const next = withAgreed(state, agreed);
      return command === null ? next : withCommand(next, command);
    }
    case 'config-step': {
      const { command } = entry;
      const agreed = stepped(state, entry, config, bugs);
      if (agreed === null) return state;
      if (command !== null && commandTaken(state, command)) return state;
      const next = withDone(withAgreed(state, agreed), entry, bugs);
      return command === null ? next : withCommand(next, command);
    }
  }
}

/** Whoever is a member now, and was none, has what the others have on the disk that it has. */
function proved(state: ClusterState, before: VolumeRecord, { volume, members }: VolumeRecord) {
  let { agreed } = state;
  if (agreed === undefined) return state;
  for (const { node } of members) {
    if (before.members.some((each) => each.node === node)) continue;
    agreed = provedOf(agreed, volume, node);
  }
  return agreed === state.agreed ? state : withAgreed(state, agreed);
}

/**
 * A change of a disk ends with another record of the volume, the same but for its epoch: what the
 * primary wished before for the replica there was about the other disk.
 */
function withDone(
  state: ClusterState,
  { of, to }: Extract<Entry, { kind: 'config-step' }>,
  { copyUnseen }: StateBugs,
): ClusterState {
  const done = agreedOf(state).changes.find(({ version }) => version === of);
  if (to !== 'done' || done === undefined) return state;
  const record = recordOf(state, done.change.volume);
  if (record === null) return state;
  const { discard, takenBack, ...plain } = record;
  const next = { ...plain, epoch: record.epoch + 1 };
  // Nobody is left to be overwritten by the order, which stands until that is done.
  const over = discard?.node === nodeOf(done.change) && done.change.kind === 'remove-replica';
  if (over) return withRecord(state, next);
  if (done.change.kind !== 'replace-replica' || copyUnseen) return state;
  return withRecord(state, { ...record, epoch: record.epoch + 1 });
}

/** Whether what is agreed on has room in a state's message. */
export function fits({ changes }: Agreed): boolean {
  return changes.length <= CHANGES_MAX && bytesOf(changes) <= CHANGES_BYTES;
}

/** What is agreed after the step; null where it is none that may be taken now. */
function stepped(
  state: ClusterState,
  { of, to, record }: Extract<Entry, { kind: 'config-step' }>,
  config: ClusterConfig,
  bugs: StateBugs,
): Agreed | null {
  const agreed = agreedOf(state);
  const open = openChange(agreed);
  if (open === null || open.version !== of || agreed.version !== of) return null;
  if (to === 'done') return agreed.stage === 'begun' ? doneOf(agreed) : null;
  if (agreed.stage !== 'ordered') return null;
  if (to === 'withdrawn') return withdrawnOf(agreed);
  const { change } = open;
  const unit = unitsOf(config).find(({ volume }) => volume.name === change.volume);
  if (unit === undefined) return null;
  if (leaves(change)) {
    const now = recordOf(state, change.volume);
    const counted = now?.members.some(({ node }) => node === nodeOf(change)) === true;
    if (counted && !bugs.leaverCounted) return null;
    // What whoever leads has shown is true of this record alone.
    if (now?.epoch !== record && !bugs.leaverCounted) return null;
    if (stays(state, unit.group.name, change, bugs) !== null) return null;
  }
  return begun(agreed);
}

/** Guards that planted bugs switch off. */
export interface StateBugs {
  readonly removedAdmitted: boolean;
  readonly lastCopyRemoved: boolean;
  readonly leaverCounted: boolean;
  readonly secondChange: boolean;
  readonly copyUnseen: boolean;
}

/** Those that are on. */
export function stateBugs(
  flags: Pick<
    Flags,
    'removed-admitted' | 'last-copy-removed' | 'leaver-counted' | 'second-change' | 'copy-unseen'
  >,
): StateBugs {
  return {
    removedAdmitted: flags['removed-admitted'],
    lastCopyRemoved: flags['last-copy-removed'],
    leaverCounted: flags['leaver-counted'],
    secondChange: flags['second-change'],
    copyUnseen: flags['copy-unseen'],
  };
}

const NO_BUGS: StateBugs = {
  removedAdmitted: false,
  lastCopyRemoved: false,
  leaverCounted: false,
  secondChange: false,
  copyUnseen: false,
};

/** What is agreed on of the configuration. */
export function agreedOf({ agreed = NOTHING_AGREED }: ClusterState): Agreed {
  return agreed;
}

/**
 * Whether a record may follow: nobody is new in it who was removed, who is yet to join, or whose
 * node has not taken another disk into use that it is to have, of which it has `inUse` by what is
 * known. A person who has somebody lead, by accepted loss, is not asked that (null): a disk that is
 * in use leads, and is not taken out then. Those who were members are not asked either: what they
 * have acknowledged they have.
 */
export function admits(
  state: ClusterState,
  before: VolumeRecord,
  { volume, members }: VolumeRecord,
  inUse: number | null,
  bugs: StateBugs,
): boolean {
  const { agreed } = state;
  if (agreed === undefined || bugs.removedAdmitted) return true;
  const open = openChange(agreed);
  return members.every(({ node }) => {
    if (before.members.some((m) => m.node === node)) return true;
    const own = agreed.changes.filter(({ change }) => {
      return change.volume === volume && nodeOf(change) === node;
    });
    return own.every((each) => {
      const { kind } = each.change;
      // One that is still to go has everything until it does.
      const waits = each === open && agreed.stage === 'ordered';
      if (waits) return kind !== 'add-replica';
      if (kind === 'remove-replica') return false;
      // A wish for what was on the disk before would still stand: see withDone.
      if (each === open && inUse !== null && !bugs.copyUnseen) return false;
      if (inUse !== null) return inUse >= each.version;
      return each !== open || kind === 'replace-replica';
    });
  });
}

/**
 * Why a change must not be agreed on, or begin, as things stand, by what the log itself says; null
 * when it may. A replica that goes, with all that it alone has, is never the one that leads or may
 * be about to, and others have everything: two where it is removed.
 */
export function stays(
  state: ClusterState,
  groupName: string,
  change: ConfigChange,
  bugs: StateBugs = NO_BUGS,
): Blocked | null {
  const record = recordOf(state, change.volume);
  const group = groupOf(state, groupName);
  if (record === null || group === null) {
    return { reason: 'unknown-volume', remedy: 'see-status' };
  }
  if (!leaves(change)) return null;
  const node = nodeOf(change);
  if (record.primary === node || group.owner === node || group.target === node) {
    return { reason: 'replica-leads', remedy: 'switch-group' };
  }
  if (group.base.length > 0) return { reason: 'taking-over', remedy: 'retry-later' };
  const { members, primary } = record;
  if (primary !== 0 && !members.some((m) => m.node === primary)) {
    return { reason: 'copies-missing', remedy: 'switch-group' };
  }
  if (bugs.lastCopyRemoved) return null;
  const others = members.filter((m) => m.node !== node).length;
  return others >= othersNeeded(change)
    ? null
    : { reason: 'copies-missing', remedy: 'wait-for-resync' };
}

/** Replicas that must have everything before one goes. */
export function othersNeeded({ kind }: ConfigChange): number {
  return kind === 'remove-replica' ? 2 : kind === 'replace-replica' ? 1 : 0;
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
  agreed: Agreed | undefined = undefined,
): ClusterState {
  const plain = { voters, volumes, groups, leases, boots, commands, begun };
  return agreed === undefined ? plain : { ...plain, agreed };
}

function readmit(state: ClusterState, node: NodeId, was: number, identity: number): ClusterState {
  const voter = state.voters.find((v) => v.node === node);
  if (voter === undefined || voter.identity !== was) return state;
  if (identity === was || voter.past.includes(identity)) return state;
  const past = [...voter.past, was].slice(-PAST_MAX);
  const voters = state.voters.map((v) => (v.node === node ? { node, identity, past } : v));
  const { volumes, groups, leases, boots, commands, begun, agreed } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
}

function withAgreed(state: ClusterState, agreed: Agreed): ClusterState {
  const { voters, volumes, groups, leases, boots, commands, begun } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
}

function withRecord(state: ClusterState, record: VolumeRecord, changed = 0): ClusterState {
  const before = recordOf(state, record.volume);
  const volumes = state.volumes.map((v) => (v.volume === record.volume ? recordIn(record) : v));
  const { voters, groups, leases, boots, commands, agreed } = state;
  const begun =
    before === null ? state.begun : begunWith(state.begun ?? [], before, record, changed);
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
}

function withGroup(state: ClusterState, next: GroupState): ClusterState {
  const groups = state.groups.map((g) => (g.group === next.group ? groupIn(next) : g));
  const { voters, volumes, leases, boots, commands, begun, agreed } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
}

function withCommand(state: ClusterState, command: CommandRef): ClusterState {
  const { voters, volumes, groups, leases, boots, begun, agreed } = state;
  const commands = [...state.commands, command].slice(-COMMANDS_MAX);
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
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
  const { voters, volumes, groups, boots, commands, begun, agreed } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
}

function withBoot(state: ClusterState, node: NodeId, was: BootId, boot: BootId): ClusterState {
  const known = state.boots.find((b) => b.node === node);
  if (known === undefined || known.boot !== was) return state;
  if (boot === was || known.past.includes(boot)) return state;
  const past = [...known.past, was].slice(-PAST_MAX);
  const boots = state.boots.map((b) => (b.node === node ? { node, boot, past } : b));
  const { voters, volumes, groups, leases, commands, begun, agreed } = state;
  return stateOf(voters, volumes, groups, leases, boots, commands, begun, agreed);
}
