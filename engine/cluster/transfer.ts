/** Builds the entries that move a group; pure. Whether they may be proposed is the planner's. */
import type { Generation } from '../core/units.ts';
import { VOIDED_MAX, type VolumeRecord } from '../data/messages.ts';
import type { Flags } from './canaries.ts';
import type { CommandRef, Entry, GroupState, Proof } from './entries.ts';
import { type Candidate, effectiveMembers } from './placement.ts';

/**
 * Gives the group and its volume to the taker in one entry. With `keep` everyone in
 * sync stays so; else the taker is alone, in `generation`, without a grant until it has flushed.
 * `several` for a volume of more than two replicas.
 */
export function grantEntry(
  group: GroupState,
  record: VolumeRecord,
  taker: Candidate,
  members: { readonly keep: boolean; readonly generation: Generation; readonly several?: boolean },
  proof: Proof,
  event: string,
  flags: Flags,
): Entry {
  const epoch = record.epoch + (flags['epoch-not-raised'] ? 0 : 1);
  const { node, boot, life } = taker;
  const before = effectiveMembers(group, record);
  const only = before.every((m) => m.node === node && m.boot === boot);
  const next: GroupState = {
    ...group,
    serial: group.serial + 1,
    epoch: group.epoch + 1,
    owner: node,
    ownerBoot: boot,
    ownerLife: life,
    recordEpoch: epoch,
    base: members.keep || only ? [] : before,
    phase: 'starting',
    target: 0,
    last: node,
    blocked: null,
  };
  // While the base counts, the last taker has served nobody: its generation holds no write. But
  // one that began by order stands on the other branch: whoever counts it among its parents would
  // be taken for a descendant of that, and what it has for a map's business.
  const { voided: earlier = [], ...said } = record;
  const { discard, takenBack } = record;
  // By accepted loss the taker parts from what it gives up, once: what is granted later is one
  // line.
  const leaves = discard?.taker === undefined || before.some(({ node }) => node === discard.node);
  const apart = takenBack !== undefined && takenBack.taker === undefined;
  const parted = (discard !== undefined && leaves) || apart;
  const same = !parted || flags['order-voided'];
  const unserved = group.base.length > 0 && same;
  // RULE-22: of several a member may take over that was never told of the generation before: that
  // one holds no write which this member lacks (RULE-18), and is a parent all the same.
  const untold = members.several === true && same && !flags['RULE-22'];
  const named = [...(unserved ? earlier : []), ...(unserved || untold ? [record.generation] : [])];
  const voided = named.slice(-VOIDED_MAX);
  const kept: VolumeRecord = { ...said, epoch, primary: node };
  const generation =
    members.keep || flags['generation-kept'] ? record.generation : members.generation;
  const { device } = taker.facts?.volumes.find((v) => v.volume === record.volume) ?? {};
  const member = device === undefined ? { node, boot } : { node, boot, disk: device };
  const alone: VolumeRecord = { ...kept, members: [member], generation };
  const fresh = voided.length > 0 ? { ...alone, voided } : alone;
  return {
    kind: 'group',
    event,
    from: group.serial,
    next,
    record: members.keep ? kept : fresh,
    recordFrom: record.epoch,
    proof,
    command: null,
  };
}

/**
 * Nobody owns the group any more. Unless it was stopped in order, the replicas may differ in what
 * was under way: then the next owner begins alone. So it does where the one that stopped may have
 * left others `untold` of the record that it led by.
 */
export function releaseEntry(
  group: GroupState,
  record: VolumeRecord,
  proof: Proof,
  event: string,
  untold = false,
): Entry {
  const next: GroupState = {
    ...group,
    serial: group.serial + 1,
    epoch: group.epoch + 1,
    owner: 0,
    ownerBoot: 0,
    ownerLife: 0,
    phase: group.wanted === 'stop' ? 'stopped' : 'offline',
    base: proof.kind === 'stopped' && !untold ? group.base : effectiveMembers(group, record),
    target: 0,
  };
  return {
    kind: 'group',
    event,
    from: group.serial,
    next,
    record: { ...record, epoch: record.epoch + 1, primary: 0 },
    recordFrom: record.epoch,
    proof,
    command: null,
  };
}

/** Changes what is said of the group; neither owner nor epoch moves. */
export function amendEntry(
  group: GroupState,
  change: Partial<GroupState>,
  event: string,
  command: CommandRef | null,
): Entry {
  return {
    kind: 'group',
    event,
    from: group.serial,
    next: { ...group, ...change, serial: group.serial + 1 },
    record: null,
    recordFrom: 0,
    proof: { kind: 'none' },
    command,
  };
}
